"""Records and checkpoints as TensorFlow sees them."""

import pathlib
import random
from collections.abc import Sequence

import engine
import mutation
import numpy as np

from object_detection.utils import startup

startup.prepare_tensorflow()

import tensorflow.compat.v1 as tf

from object_detection.builders import dataset_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import CheckpointError
from object_detection.inputs import mending
from object_detection.protos import input_reader_pb2
from object_detection.utils import checkpoint_files, graph_errors, variables_helper

Inputs = fields.InputDataFields
_MOST_PROBLEMS = 20


def _wrong(sample: dict[str, np.ndarray]) -> str:
    """What training could not use of a sample that was decoded and mended."""
    boxes, points = sample[Inputs.groundtruth_boxes], sample[Inputs.groundtruth_keypoints]
    if not np.isfinite(boxes).all() or not (boxes[:, 2:] > boxes[:, :2]).all():
        return f"boxes are {boxes.tolist()}"
    if (np.isnan(points).any(axis=-1) != np.isnan(points).all(axis=-1)).any():
        return "half of a keypoint is missing"
    if np.isinf(points).any():
        return "a keypoint is infinitely far away"
    if set(sample[Inputs.groundtruth_classes].tolist()) - {1}:
        return f"classes are {sample[Inputs.groundtruth_classes].tolist()}"
    if min(sample[Inputs.image].shape) < 1:
        return f"the picture is {sample[Inputs.image].shape}"
    return ""


def problems(contents: Sequence[bytes], folder: pathlib.Path, num_keypoints: int) -> list[str]:
    """Reads records as a training does; what it refuses, or could not use.

    Args:
        contents: of the records.
        folder: for a file.
        num_keypoints: K of the reader.
    """
    found: list[str] = []
    path = str(folder / "kept.record")
    done = 0
    while done < len(contents) and len(found) < _MOST_PROBLEMS:
        with tf.io.TFRecordWriter(path) as writer:
            for content in contents[done:]:
                writer.write(content)
        reader = input_reader_pb2.InputReader(
            num_keypoints=num_keypoints, shuffle=False, num_epochs=1
        )
        reader.tf_record_input_reader.input_path.append(path)
        with tf.Graph().as_default(), tf.Session() as session:
            dataset = dataset_builder.build(
                reader, in_order=True, mend=lambda sample: mending.mend(sample, 1)
            )
            following = dataset_builder.make_initializable_iterator(dataset).get_next()
            session.run(tf.tables_initializer())
            while done < len(contents):
                try:
                    why = _wrong(session.run(following))
                except tf.errors.OutOfRangeError:
                    found.append(f"the reader ended before record {done}")
                    done = len(contents)
                    break
                except tf.errors.OpError as error:
                    found.append(_told(contents[done], graph_errors.reason(error), folder))
                    done += 1
                    break  # the iterator may have read ahead: begin anew after it
                if why:
                    found.append(_told(contents[done], why, folder))
                done += 1
    return found


def _told(content: bytes, why: str, folder: pathlib.Path) -> str:
    path = folder / f"passed_{len(list(folder.glob('passed_*')))}.bin"
    path.write_bytes(content)
    return f"{path}: the scanner lets pass what TensorFlow does not take: {why}"


class Checkpoints:
    """Checkpoints through what compares and restores them."""

    name = "checkpoints"

    def __init__(self, folder: pathlib.Path) -> None:
        self._prefix = folder / "model.ckpt-7"
        rng = np.random.default_rng(0)
        self._values = {
            "weights": rng.normal(size=[3, 3, 8, 4]).astype(np.float32),
            "more/biases": rng.normal(size=[16]).astype(np.float32),
            "global_step": np.int64(7),
        }
        with tf.Graph().as_default():
            self._variables = {
                name: tf.get_variable(name, initializer=value)
                for name, value in self._values.items()
            }
            self._saver = tf.train.Saver(self._variables)
            initialize = tf.global_variables_initializer()
            self._session = tf.Session()
            self._session.run(initialize)
            self._saver.save(self._session, str(self._prefix), write_meta_graph=False)
        self._files = [
            self._prefix.with_name(f"{self._prefix.name}.{end}")
            for end in ("index", "data-00000-of-00001")
        ]
        self._good = [path.read_bytes() for path in self._files]

    @property
    def place(self) -> str:
        return str(self._prefix)

    def corpus(self) -> list[bytes]:
        return [self._joined(self._good)]

    @staticmethod
    def _joined(contents: Sequence[bytes]) -> bytes:
        """Both files in one input: the length of the first stands before it."""
        return len(contents[0]).to_bytes(4, "little") + b"".join(contents)

    def damage(self, rng: random.Random) -> bytes:
        contents = list(self._good)
        for at in rng.choice(((0,), (0,), (1,), (0, 1))):
            contents[at] = mutation.damaged([contents[at]], mutation.OF_BYTES, rng)
        return self._joined(contents)

    def check(self, data: bytes) -> str:
        edge = 4 + int.from_bytes(data[:4], "little")
        for path, content in zip(self._files, (data[4:edge], data[edge:]), strict=True):
            path.write_bytes(content)
        problem = checkpoint_files.problem(str(self._prefix), thorough=True)
        try:
            said = self._restored()
        except CheckpointError:
            if problem is None:
                raise engine.Broken("what is called a whole checkpoint is not restored") from None
            raise
        return said

    def _restored(self) -> str:
        match = variables_helper.match_checkpoint(self._variables, str(self._prefix))
        if match.missing or match.other_shape:
            return "refused: does not fit"
        variables_helper.restore_whole(self._saver, self._session, str(self._prefix))
        for name, value in self._session.run(self._variables).items():
            if not np.array_equal(value, self._values[name]):
                raise engine.Broken(f"{name} was restored with other values than were saved")
        return engine.ACCEPTED

    def finish(self) -> list[str]:
        self._session.close()
        return []
