#!/usr/bin/env python3
"""A training step of the Inception v2 example with 1 to 500 boxes a picture, interleaved.

python benchmarks/boxes_per_picture.py
"""

import argparse
import io
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image

from benchmarks import interleaved, yardstick
from object_detection.dataset_tools import picture_files, record_writer, retinaface_tf_record
from object_detection.dataset_tools.retinaface_labels import VISIBLE, Faces
from object_detection.utils import config_util, startup

REPO = pathlib.Path(__file__).resolve().parents[1]
CONFIG = REPO / "keypoint_examples" / "pipeline_wider_kp_dao_incv2.config"
BATCH = 8
PICTURES = 16
HEIGHT, WIDTH = 480, 640
# Places of the five points in their box: eyes, nose, corners of the mouth.
POINTS = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)])


def drawn_faces(random: np.random.Generator, count: int) -> Faces:
    """Boxes of 12 to 120 pixels somewhere in the picture, with all their points."""
    size = np.exp(random.uniform(np.log(12), np.log(120), (count, 1)))
    corner = random.uniform(0, (WIDTH, HEIGHT) - size)
    return Faces(
        lines=np.zeros(count, int),
        corners=np.hstack([corner, corner + size]),
        points=corner[:, None] + size[:, None] * POINTS,
        visibility=np.full((count, len(POINTS)), VISIBLE, np.uint8),
    )


def write_record(path: str, num_boxes: int) -> None:
    """Pictures of coarse noise with that many boxes each."""
    random = np.random.default_rng(0)
    with record_writer.RecordWriter(path) as writer:
        for number in range(PICTURES):
            coarse = random.integers(0, 255, (HEIGHT // 16, WIDTH // 16, 3), dtype=np.uint8)
            buffer = io.BytesIO()
            Image.fromarray(coarse).resize((WIDTH, HEIGHT)).save(buffer, format="JPEG")
            stored = picture_files.check_picture(buffer.getvalue())
            faces = drawn_faces(random, num_boxes)
            example = retinaface_tf_record.make_example(stored, f"{number}.jpg", faces)
            writer.write_framed(record_writer.framed(example))


def whole_step(record: str, num_boxes: int) -> yardstick.SessionCall:
    """One step of the example's training, without crops, which would take boxes away."""
    import tensorflow.compat.v1 as tf

    from object_detection import inputs
    from object_detection.builders import model_builder
    from object_detection.legacy import trainer

    configs = config_util.get_configs_from_pipeline_file(str(CONFIG))
    train, reader = configs["train_config"], configs["train_input_config"]
    train.batch_size = BATCH
    train.max_number_of_boxes = num_boxes
    del train.data_augmentation_options[1:]
    reader.tf_record_input_reader.input_path[:] = [record]
    reader.label_map_path = str(REPO / reader.label_map_path)
    with tf.Graph().as_default():
        model = model_builder.build(configs["model"], is_training=True)
        with tf.device("/cpu:0"):
            dataset = inputs.training_dataset(train, reader, configs["model"], model, seed=0)
        graph = trainer.build_step(model, dataset, train)
        session = yardstick.new_session()
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    return yardstick.SessionCall(session, (graph.train_op, graph.losses))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boxes", type=int, nargs="+", default=[1, 20, 100, 250, 500])
    parser.add_argument("--rounds", type=int, default=5, help="that count; one more warms up")
    parser.add_argument("--steps", type=int, default=4, help="of each kind in a round")
    parser.add_argument("--output", default="", help="JSON file to write")
    options = parser.parse_args()
    startup.prepare_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        calls = {}
        for num_boxes in options.boxes:
            record = os.path.join(folder, f"{num_boxes}.record")
            write_record(record, num_boxes)
            calls[f"{num_boxes} boxes"] = whole_step(record, num_boxes)
        result = interleaved.compare(calls, options.rounds, options.steps)
        interleaved.report(result, options.output)


if __name__ == "__main__":
    main()
