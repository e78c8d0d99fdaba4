"""An optimizer that also keeps exponential moving averages of the variables it trains."""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError


class MovingAverageOptimizer(tf.train.Optimizer):
    """Wraps an optimizer; averages are saved as `<variable>/ExponentialMovingAverage`.

    Averages start at the variables' initial values. Those of the weights of a whole training
    generalise better than the last weights (Polyak and Juditsky, 1992).
    """

    def __init__(
        self,
        opt: tf.train.Optimizer,
        average_decay: float = 0.9999,
        num_updates: Any = None,
        sequential_update: bool = True,
    ) -> None:
        """Keeps the settings.

        Args:
            opt: computes and applies the gradients.
            average_decay: share of the old average that each step keeps.
            num_updates: step; with it the first averages follow faster,
                min(decay, (1 + step) / (10 + step)).
            sequential_update: whether averages move after the variables of the same step, rather
                than at any time beside it.
        """
        super().__init__(use_locking=False, name="MovingAverage")
        self._optimizer = opt
        self._sequential_update = sequential_update
        self._ema = tf.train.ExponentialMovingAverage(average_decay, num_updates=num_updates)
        self._averages: dict[str, tf.Variable] = {}

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        """As the wrapped optimizer does."""
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: Any = None
    ) -> tf.Operation:
        """Applies the gradients and moves the averages of the variables that have one.

        Returns:
            An operation that does both.
        """
        grads_and_vars = list(grads_and_vars)
        trained = [variable for gradient, variable in grads_and_vars if gradient is not None]
        applied = self._optimizer.apply_gradients(grads_and_vars, global_step, name)
        with tf.control_dependencies([applied] if self._sequential_update else []):
            averaged = self._ema.apply(trained)
        self._averages = {variable.op.name: self._ema.average(variable) for variable in trained}
        return tf.group(applied, averaged)

    def restart_averages(self) -> tf.Operation:
        """An operation that sets each average to its variable's value.

        For variables that get values after their initialisation, as those of a checkpoint to
        fine-tune: averages would otherwise begin with the random values before.
        """
        averages = self._averages
        return tf.group(
            *(
                averages[variable.op.name].assign(variable)
                for variable in tf.trainable_variables()
                if variable.op.name in averages
            )
        )

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        """As the wrapped optimizer does."""
        return self._optimizer.get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> Any:
        """As the wrapped optimizer does."""
        return self._optimizer.get_slot_names(*args, **kwargs)

    def variables(self) -> list[tf.Variable]:
        """As the wrapped optimizer does."""
        return list(self._optimizer.variables())

    def swapping_saver(
        self, var_list: Any = None, name: str = "swapping_saver", **kwargs: Any
    ) -> tf.train.Saver:
        """A saver that writes each average under the name of its variable, and the other way.

        Who restores such a checkpoint without knowing of averages gets them; training with this
        saver goes on from the variables.

        Args:
            var_list: variables, or name -> variable; all of the graph by default.
            name: of the saver's operations.
            **kwargs: further settings of `tf.train.Saver`.

        Raises:
            RuntimeError: called before `apply_gradients`, when there are no averages yet.
            ConfigError: an average is not among the variables.
        """
        if not self._averages:
            raise RuntimeError("swapping_saver: call apply_gradients first; it makes the averages.")
        chosen = tf.global_variables() if var_list is None else var_list
        if not isinstance(chosen, dict):
            chosen = {variable.op.name: variable for variable in chosen}
        swapped = dict(chosen)
        names = {id(variable): key for key, variable in chosen.items()}
        for key, variable in chosen.items():
            average = self._averages.get(variable.op.name)
            if average is None:
                continue
            if id(average) not in names:
                raise ConfigError(
                    f"swapping_saver: {average.op.name} is missing from var_list; give the averages "
                    "along with their variables."
                )
            swapped[key], swapped[names[id(average)]] = average, variable
        return tf.train.Saver(swapped, name=name, **kwargs)
