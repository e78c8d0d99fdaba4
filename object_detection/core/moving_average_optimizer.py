"""An optimizer that also keeps exponential moving averages of the variables it trains."""

from typing import Any

import tensorflow.compat.v1 as tf


class MovingAverageOptimizer:
    """Wraps an optimizer; averages are saved as `<variable>/ExponentialMovingAverage`."""

    def __init__(self, optimizer: tf.train.Optimizer, average_decay: float = 0.9999) -> None:
        self._optimizer = optimizer
        self._average_decay = average_decay

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        """As the wrapped optimizer does."""
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: Any = None
    ) -> Any:
        """Applies the gradients, then moves the averages towards the new values."""
        grads_and_vars = list(grads_and_vars)
        trained = [variable for gradient, variable in grads_and_vars if gradient is not None]
        applied = self._optimizer.apply_gradients(grads_and_vars, global_step, name)
        averages = tf.train.ExponentialMovingAverage(self._average_decay, num_updates=global_step)
        with tf.control_dependencies([applied]):
            return averages.apply(trained)
