#!/usr/bin/env python3
"""A whole training step of the Inception v2 example against its bare backbone, interleaved.

python benchmarks/training_step.py --record data/wider_train.record
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks import interleaved, yardstick
from object_detection.utils import config_util, startup

REPO = pathlib.Path(__file__).resolve().parents[1]
BATCH = 8
CONFIG = REPO / "keypoint_examples" / "pipeline_wider_kp_dao_incv2.config"


def whole_step(record: str, bfloat16: bool = False) -> yardstick.SessionCall:
    """One step of the example's training, as the trainer builds it."""
    import tensorflow.compat.v1 as tf

    from object_detection import inputs
    from object_detection.builders import model_builder
    from object_detection.legacy import trainer, training_session

    configs = config_util.get_configs_from_pipeline_file(str(CONFIG))
    configs["train_config"].batch_size = BATCH
    configs["train_config"].use_bfloat16 = bfloat16
    reader = configs["train_input_config"]
    reader.tf_record_input_reader.input_path[:] = [record]
    reader.label_map_path = str(REPO / reader.label_map_path)
    with tf.Graph().as_default():
        model = model_builder.build(configs["model"], is_training=True)
        with tf.device("/cpu:0"):
            dataset = inputs.training_dataset(
                configs["train_config"], reader, configs["model"], model, seed=0
            )
        graph = trainer.build_step(model, dataset, configs["train_config"])
        session = tf.Session(config=training_session.session_config())
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    fetches = (graph.train_op, graph.losses, graph.data_seconds, graph.batch_size)
    return yardstick.SessionCall(session, fetches)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", required=True, help="TFRecord with 5 keypoints a face")
    parser.add_argument("--rounds", type=int, default=6, help="that count; one more warms up")
    parser.add_argument("--steps", type=int, default=5, help="of each kind in a round")
    parser.add_argument("--output", default="", help="JSON file to write")
    options = parser.parse_args()
    startup.prepare_tensorflow()
    calls = {
        "yardstick": yardstick.training_step(BATCH),
        "whole step": whole_step(options.record),
        "whole step, bfloat16": whole_step(options.record, bfloat16=True),
    }
    result = interleaved.compare(calls, options.rounds, options.steps)
    interleaved.report(result, options.output)


if __name__ == "__main__":
    main()
