"""The bare tf-slim `inception_v2_base`: what the speed of this package is measured by."""

from typing import Any, NamedTuple

SIZE = 300  # height and width of its pictures


class SessionCall(NamedTuple):
    """Something to run again and again."""

    session: Any
    fetches: Any

    def __call__(self) -> object:
        return self.session.run(self.fetches)


def _features(batch_size: int, is_training: bool) -> Any:
    import numpy as np
    import tensorflow.compat.v1 as tf
    import tf_slim as slim
    from tf_slim.nets import inception_v2

    from object_detection.core.batch_norm import batch_norm

    pixels = np.random.RandomState(0).uniform(-1, 1, [batch_size, SIZE, SIZE, 3])
    # A variable: what is a constant, TensorFlow computes once for all steps.
    images = tf.Variable(pixels.astype(np.float32), trainable=False, use_resource=True)
    normalizer = {"is_training": is_training, "scale": True, "decay": 0.97, "epsilon": 0.001}
    with slim.arg_scope(
        [slim.conv2d, slim.separable_conv2d],
        activation_fn=tf.nn.relu6,
        normalizer_fn=batch_norm,
        normalizer_params=normalizer,
    ):
        features, _ = inception_v2.inception_v2_base(images.read_value())
    return features


def new_session() -> Any:
    import tensorflow.compat.v1 as tf

    return tf.Session(config=tf.ConfigProto(allow_soft_placement=True))


def training_step(batch_size: int = 8) -> SessionCall:
    """Forward, backward and momentum update in float32."""
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default():
        loss = tf.reduce_mean(tf.square(_features(batch_size, is_training=True)))
        optimizer = tf.train.MomentumOptimizer(0.001, 0.9)
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            step = optimizer.minimize(loss)
        session = new_session()
        session.run(tf.global_variables_initializer())
    return SessionCall(session, step)


def forward_pass(batch_size: int = 1) -> SessionCall:
    """The pass of inference in float32; batch normalisation is not folded into convolutions."""
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default():
        mean = tf.reduce_mean(_features(batch_size, is_training=False))
        session = new_session()
        session.run(tf.global_variables_initializer())
    return SessionCall(session, mean)
