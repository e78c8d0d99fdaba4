"""The ground truth of WIDER FACE, whose reader may crash: it runs in a process of its own."""

import io
import pathlib
import random

import engine
import mutation
import numpy as np
from scipy import io as scipy_io

from object_detection.errors import DataError
from object_detection.metrics import wider_evaluation


class Wider:
    """The ground truth of WIDER FACE."""

    name = "wider"
    seconds = 60.0  # a process is started for each input

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

        def cells(*values: object) -> np.ndarray:
            array = np.empty((len(values), 1), object)
            for row, value in enumerate(values):
                array[row, 0] = value
            return array

        boxes = np.array([[1.0, 2.0, 8.5, 9.0], [3.0, 4.0, 20.0, 20.0]])
        content = {
            "event_list": cells("0--Parade"),
            "file_list": cells(cells("a", "b")),
            "face_bbx_list": cells(cells(boxes, boxes[:1])),
        }
        kept = {"gt_list": cells(cells(np.array([[1], [2]], np.uint8), np.array([[1]], np.uint8)))}
        for name in wider_evaluation.SETS:
            scipy_io.savemat(str(folder / f"wider_{name}_val.mat"), kept)
        self._path = folder / "wider_face_val.mat"
        self._good = []
        for compressed in (False, True):
            stored = io.BytesIO()
            scipy_io.savemat(stored, content, do_compression=compressed)
            self._good.append(stored.getvalue())

    @property
    def place(self) -> str:
        return str(self._folder)

    def corpus(self) -> list[bytes]:
        return self._good

    def damage(self, rng: random.Random) -> bytes:
        return mutation.damaged(self._good, mutation.OF_BYTES, rng)

    def check(self, data: bytes) -> str:
        self._path.write_bytes(data)
        pictures = wider_evaluation.load_ground_truth(self._folder)
        for picture in pictures:
            if picture.boxes.shape[1:] != (4,) or not np.isfinite(picture.boxes).all():
                raise engine.Broken(f"boxes are {picture.boxes}")
            if {len(one) for one in picture.counted.values()} != {len(picture.boxes)}:
                raise engine.Broken(f"other faces are counted than there are: {picture}")
        try:
            wider_evaluation.evaluate(pictures, {"0--Parade/a": np.array([[1, 2, 8, 9, 0.5]])})
        except DataError as error:
            if "0--Parade/a" not in str(error):
                raise
        return engine.ACCEPTED

    def finish(self) -> list[str]:
        return []
