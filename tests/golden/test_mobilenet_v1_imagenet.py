"""The MobileNet v1 backbone with a published checkpoint gives the published activations."""

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.models.backbones import mobilenet_v1


def test_activations_of_the_published_checkpoint(shared_data):
    folder = shared_data / "checkpoints" / "mobilenet_v1_imagenet"
    with np.load(folder / "golden_outputs.npz") as file:
        golden = dict(file)
    images = tf.constant(golden["preprocessed"])
    with slim.arg_scope(mobilenet_v1.mobilenet_v1_arg_scope(is_training=False)):
        logits = mobilenet_v1.mobilenet_v1(images, num_classes=1001)
    saver = tf.train.Saver()
    with tf.Session() as session:
        saver.restore(session, str(folder / "mobilenet_v1_1.0_224.ckpt"))
        ours = session.run(logits)
    np.testing.assert_allclose(ours, golden["logits"], rtol=1e-3, atol=1e-3)
    assert ours.argmax() == golden["logits"].argmax()
