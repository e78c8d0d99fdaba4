"""The base of feature extractors: picture -> feature maps."""

import abc
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import with_this_layer


class SSDFeatureExtractor(abc.ABC):
    """The network below an SSD's predictors; subclasses name backbone and feature maps."""

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        num_layers: int = 6,
        override_base_feature_extractor_hyperparams: bool = False,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the network is built to be trained.
            depth_multiplier: factor of the number of channels.
            min_depth: least number of channels.
            pad_to_multiple: the picture is padded with zeros to a multiple of this.
            conv_hyperparams_fn: returns the arg scope of the convolutions.
            reuse_weights: whether to reuse variables.
            use_explicit_padding: pad by hand and convolve without padding.
            use_depthwise: depthwise separable convolutions in the added layers.
            num_layers: feature maps to give.
            override_base_feature_extractor_hyperparams: use the arg scope in the backbone too.
        """
        self._is_training = is_training
        self._depth_multiplier = depth_multiplier
        self._min_depth = min_depth
        self._pad_to_multiple = pad_to_multiple
        self._conv_hyperparams_fn = conv_hyperparams_fn
        self._reuse_weights = reuse_weights
        self._use_explicit_padding = use_explicit_padding
        self._use_depthwise = use_depthwise
        self._num_layers = num_layers
        self._override_base_feature_extractor_hyperparams = (
            override_base_feature_extractor_hyperparams
        )

    @property
    def is_keras_model(self) -> bool:
        """Always false: there is one world here."""
        return False

    @contextlib.contextmanager
    def _backbone_arg_scope(self, own_arg_scope: Any) -> Iterator[None]:
        """The backbone's own arg scope, overridden by the config's if that is wanted."""
        override = self._override_base_feature_extractor_hyperparams
        with contextlib.ExitStack() as stack:
            stack.enter_context(slim.arg_scope(own_arg_scope))
            if override:
                stack.enter_context(slim.arg_scope(self._own_arg_scope()))
            yield

    def _own_arg_scope(self) -> dict[str, dict[str, Any]]:
        """The arg scope of the config, or of the caller's function, for `slim.arg_scope`."""
        return with_this_layer(self._conv_hyperparams_fn())

    @abc.abstractmethod
    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        """[B, H, W, 3] in [0, 255] -> the range the backbone was trained on."""

    @abc.abstractmethod
    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        """[B, H, W, 3] -> feature maps [B, h, w, C], finest first."""

    def restore_from_classification_checkpoint_fn(
        self, feature_extractor_scope: str
    ) -> dict[str, tf.Variable]:
        """Name in a checkpoint of the bare backbone -> variable of this extractor.

        Args:
            feature_extractor_scope: outer scope, which the checkpoint's names lack.
        """
        prefix = feature_extractor_scope + "/"
        return {
            variable.op.name.removeprefix(prefix): variable
            for variable in tf.global_variables()
            if variable.op.name.startswith(prefix)
        }


def to_unit_range(images: tf.Tensor) -> tf.Tensor:
    """[0, 255] -> [-1, 1], what Inception and MobileNet were trained on."""
    return images * (2.0 / 255.0) - 1.0
