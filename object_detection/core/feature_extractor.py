"""The bases of feature extractors: picture -> feature maps."""

import abc
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import with_this_layer
from object_detection.utils import variables_helper


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


class FasterRCNNFeatureExtractor(abc.ABC):
    """The two networks of a two-stage detector: below the proposals, and on each region.

    Subclasses name the backbone, of which the first stage has the lower part and the second stage
    the upper one.
    """

    def __init__(
        self,
        is_training: bool,
        first_stage_features_stride: int,
        batch_norm_trainable: bool = False,
        reuse_weights: Any = None,
        weight_decay: float = 0.0,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the networks are built to be trained.
            first_stage_features_stride: pixels of the picture from one feature to the next.
            batch_norm_trainable: whether batch norm, in training, uses the batch's statistics. With
                the few pictures that such a detector trains on at a time they are poor ones.
            reuse_weights: whether to reuse variables.
            weight_decay: factor of the weights' L2 norm.
        """
        self._is_training = is_training
        self._first_stage_features_stride = first_stage_features_stride
        self._train_batch_norm = batch_norm_trainable and is_training
        self._reuse_weights = reuse_weights
        self._weight_decay = weight_decay

    @abc.abstractmethod
    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        """[B, H, W, 3] in [0, 255] -> the range the backbone was trained on."""

    def extract_proposal_features(
        self, preprocessed_inputs: tf.Tensor, scope: str
    ) -> tuple[Any, dict[str, tf.Tensor]]:
        """The first stage's features.

        Args:
            preprocessed_inputs: [B, H, W, 3].
            scope: variable scope.

        Returns:
            [B, h, w, C], or a list of such maps, and name -> output of each layer.
        """
        with tf.variable_scope(scope, values=[preprocessed_inputs]):
            return self._extract_proposal_features(preprocessed_inputs, scope)

    @abc.abstractmethod
    def _extract_proposal_features(
        self, preprocessed_inputs: tf.Tensor, scope: str
    ) -> tuple[Any, dict[str, tf.Tensor]]:
        """What `extract_proposal_features` returns, within its scope."""

    def extract_box_classifier_features(
        self, proposal_feature_maps: tf.Tensor, scope: str
    ) -> tf.Tensor:
        """The second stage's features of regions: [R, h, w, C] crops -> [R, h', w', C'].

        Args:
            proposal_feature_maps: crops out of the first stage's features.
            scope: variable scope; a second call uses the variables of the first.
        """
        with tf.variable_scope(scope, values=[proposal_feature_maps], reuse=tf.AUTO_REUSE):
            return self._extract_box_classifier_features(proposal_feature_maps, scope)

    @abc.abstractmethod
    def _extract_box_classifier_features(
        self, proposal_feature_maps: tf.Tensor, scope: str
    ) -> tf.Tensor:
        """What `extract_box_classifier_features` returns, within its scope."""

    def restore_from_classification_checkpoint_fn(
        self,
        first_stage_feature_extractor_scope: str,
        second_stage_feature_extractor_scope: str,
    ) -> dict[str, tf.Variable]:
        """Name in a checkpoint of the bare backbone -> variable of this extractor.

        Args:
            first_stage_feature_extractor_scope: outer scope, which the checkpoint's names lack.
            second_stage_feature_extractor_scope: the same, of the second stage.
        """
        prefixes = [
            f"{scope}/"
            for scope in (first_stage_feature_extractor_scope, second_stage_feature_extractor_scope)
        ]
        return {
            variable.op.name.removeprefix(prefix): variable
            for variable in variables_helper.get_global_variables_safely()
            for prefix in prefixes
            if variable.op.name.startswith(prefix)
        }


def to_unit_range(images: tf.Tensor) -> tf.Tensor:
    """[0, 255] -> [-1, 1], what Inception and MobileNet were trained on."""
    return images * (2.0 / 255.0) - 1.0
