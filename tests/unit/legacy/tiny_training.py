"""A whole training of a very small model: records, config, model; also as a program of its own."""

import pathlib
import sys

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim
from google.protobuf import text_format

from object_detection.builders import model_builder
from object_detection.core import randomness
from object_detection.core import standard_fields as fields
from object_detection.core.batch_norm import batch_norm
from object_detection.core.model import DetectionModel
from object_detection.legacy import trainer
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_util
from object_detection.utils.dataset_util import (
    bytes_feature,
    float_list_feature,
    int64_list_feature,
)

NUM_RECORDS = 7

CONFIG = """
model { ssd { num_classes: 1 image_resizer { fixed_shape_resizer { height: 8 width: 8 } } } }
train_config {
  batch_size: 2
  num_steps: 12
  data_augmentation_options { random_horizontal_flip {} }
  data_augmentation_options { ssd_random_crop {} }
  data_augmentation_options { random_adjust_brightness { max_delta: 0.3 } }
  optimizer {
    momentum_optimizer {
      learning_rate {
        exponential_decay_learning_rate { initial_learning_rate: 0.05 decay_steps: 3 }
        warmup_steps: 5
      }
    }
    use_moving_average: true
    moving_average_warmup: true
  }
  gradient_clipping_by_global_norm: 1.0
}
train_input_reader {
  label_map_path: "FOLDER/map.pbtxt"
  shuffle_buffer_size: 3
  read_block_length: 1
  tf_record_input_reader { input_path: "FOLDER/train.record-*" }
}
eval_config { num_visualizations: 0 }
eval_input_reader {
  label_map_path: "FOLDER/map.pbtxt"
  tf_record_input_reader { input_path: "FOLDER/train.record-0" }
}
"""


class TinyModel(DetectionModel):
    """Finds one box a picture, by a convolution with batch normalisation and dropout."""

    def __init__(self, is_training):
        super().__init__(num_classes=1)
        self._is_training = is_training

    def preprocess(self, inputs):
        resized = tf.image.resize_images(inputs, [8, 8]) / 255.0
        return resized, tf.tile([[8, 8, 3]], [tf.shape(inputs)[0], 1])

    def predict(self, preprocessed_inputs, true_image_shapes, **_):
        features = slim.conv2d(preprocessed_inputs, 4, 3, activation_fn=None, scope="conv")
        features = batch_norm(features, decay=0.9, is_training=self._is_training)
        features = tf.reshape(tf.nn.relu(features), [-1, 8 * 8 * 4])
        features = randomness.dropout(features, 0.8, is_training=self._is_training)
        return {"boxes": slim.fully_connected(features, 4, None, scope="boxes")}

    def postprocess(self, prediction_dict, true_image_shapes, **params):
        boxes = prediction_dict["boxes"][:, tf.newaxis]
        ones = tf.ones_like(boxes[..., 0])
        return {
            "detection_boxes": boxes,
            "detection_scores": ones,
            "detection_classes": ones - 1.0,
            "num_detections": ones[:, 0],
        }

    def loss(self, prediction_dict, true_image_shapes):
        # Pictures whose crop holds no box count nothing.
        wanted = self.groundtruth_batch()[fields.BoxListFields.boxes]
        weights = self.groundtruth_batch()[fields.BoxListFields.weights]
        errors = tf.square(prediction_dict["boxes"][:, tf.newaxis] - wanted)
        return {"Loss/boxes": tf.reduce_sum(errors * weights[..., tf.newaxis])}

    def regularization_losses(self):
        return []

    def restore_map(self, fine_tune_checkpoint_type="detection", **_):
        return {variable.op.name: variable for variable in tf.global_variables()}

    def restore_from_objects(self, fine_tune_checkpoint_type="detection"):
        return {}

    def updates(self):
        return tf.get_collection(tf.GraphKeys.UPDATE_OPS)


def write_data(folder):
    """Two files of records with pictures of noise, and a label map."""
    (folder / "map.pbtxt").write_text("item { id: 1 name: 'thing' }")
    random = np.random.RandomState(1)
    with tf.Graph().as_default(), tf.Session() as session:
        picture = tf.placeholder(tf.uint8, [None, None, 3])
        encoded = tf.io.encode_png(picture)
        for shard, numbers in enumerate((range(4), range(4, NUM_RECORDS))):
            with tf.io.TFRecordWriter(str(folder / f"train.record-{shard}")) as writer:
                for number in numbers:
                    pixels = random.randint(0, 256, [12, 10, 3]).astype(np.uint8)
                    feature = {
                        "image/encoded": bytes_feature(session.run(encoded, {picture: pixels})),
                        "image/source_id": bytes_feature(str(number).encode()),
                        "image/object/class/label": int64_list_feature([1]),
                        "image/object/class/text": bytes_feature(b"thing"),
                    }
                    corners = np.sort(random.rand(2, 2) * [[0.5], [0.5]] + [[0.0], [0.5]], axis=0)
                    for row, side in enumerate(("min", "max")):
                        for column, axis in enumerate("yx"):
                            feature[f"image/object/bbox/{axis}{side}"] = float_list_feature(
                                [float(corners[row, column])]
                            )
                    example = tf.train.Example(features=tf.train.Features(feature=feature))
                    writer.write(example.SerializeToString())


def configs(folder, more=""):
    """The configs of a training on the data of a folder; `more` is text merged in."""
    message = text_format.Parse(
        CONFIG.replace("FOLDER", str(folder)), pipeline_pb2.TrainEvalPipelineConfig()
    )
    text_format.Merge(more, message)
    return config_util.create_configs_from_pipeline_proto(message)


def train(folder, train_dir, more="", say=lambda _: None, **options):
    """Trains the tiny model; `model_builder.build` should give it."""
    return trainer.train_model(
        configs(folder, more), str(train_dir), trainer.LoopOptions(on_cpu=True, **options), say
    )


def build_tiny(config, is_training, **_):
    """In place of `model_builder.build`."""
    del config
    return TinyModel(is_training)


def main():
    """tiny_training.py DATA TRAIN_DIR STEPS [SEED]: trains, a checkpoint after each step."""
    tf.disable_v2_behavior()
    tf.enable_resource_variables()
    model_builder.build = build_tiny
    folder, train_dir, steps, *seed = sys.argv[1:]
    train(
        folder,
        train_dir,
        f"train_config {{ num_steps: {steps} }}",
        say=lambda line: print(line, flush=True),  # noqa: T201
        seed=int(seed[0]) if seed else None,
        log_every_steps=1,
        save_every_secs=0.0,
    )


if __name__ == "__main__":
    main()
