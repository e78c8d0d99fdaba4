"""`BoxList`: N boxes and the fields that travel with them.

Boxes: [ymin, xmin, ymax, xmax]; normalised or absolute, as the code that makes the list says.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields


def center_size(boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Centre y, centre x, height and width of [..., 4] boxes, each [...]."""
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=-1)
    height, width = ymax - ymin, xmax - xmin
    return ymin + height / 2.0, xmin + width / 2.0, height, width


class BoxList:
    """[N, 4] float boxes and named tensors whose first axis is N."""

    def __init__(self, boxes: tf.Tensor) -> None:
        """Takes [N, 4] float32 boxes.

        Raises:
            ValueError: another rank or last size, or not float32.
        """
        boxes = tf.convert_to_tensor(boxes)
        if boxes.shape.rank != 2 or boxes.shape[-1] != 4:
            raise ValueError(f"Boxes should be [N, 4], got {boxes.shape}.")
        if boxes.dtype != tf.float32:
            raise ValueError(f"Boxes should be float32, got {boxes.dtype.name}.")
        self.data: dict[str, Any] = {fields.BoxListFields.boxes: boxes}

    def num_boxes(self) -> tf.Tensor:
        """N, as a scalar tensor."""
        return tf.shape(self.get())[0]

    def num_boxes_static(self) -> int | None:
        """N if the graph knows it, else None."""
        return self.get().shape.as_list()[0]

    def get_all_fields(self) -> Any:
        """Names of all fields, `boxes` included."""
        return self.data.keys()

    def get_extra_fields(self) -> list[str]:
        """Names of all fields but `boxes`."""
        return [field for field in self.data if field != fields.BoxListFields.boxes]

    def add_field(self, field: str, field_data: tf.Tensor) -> None:
        """Adds or replaces a field whose first axis is N."""
        self.data[field] = field_data

    def has_field(self, field: str) -> bool:
        """Whether the field is there."""
        return field in self.data

    def get(self) -> tf.Tensor:
        """The boxes, [N, 4]."""
        return self.data[fields.BoxListFields.boxes]

    def set(self, boxes: tf.Tensor) -> None:
        """Replaces the boxes; a `ValueError` unless they are [N, 4]."""
        boxes = tf.convert_to_tensor(boxes)
        if boxes.shape.rank != 2 or boxes.shape[-1] != 4:
            raise ValueError(f"Boxes should be [N, 4], got {boxes.shape}.")
        self.data[fields.BoxListFields.boxes] = boxes

    def get_field(self, field: str) -> tf.Tensor:
        """The field's tensor; a `ValueError` if it is absent."""
        if field not in self.data:
            raise ValueError(f"No field {field!r} in this BoxList; it has {sorted(self.data)}.")
        return self.data[field]

    def set_field(self, field: str, value: tf.Tensor) -> None:
        """Replaces a field that is there; a `ValueError` if it is absent."""
        self.get_field(field)
        self.data[field] = value

    def get_center_coordinates_and_sizes(self, scope: str | None = None) -> list[tf.Tensor]:
        """Centre y, centre x, height and width, each [N]."""
        with tf.name_scope(scope, "get_center_coordinates_and_sizes"):
            return list(center_size(self.get()))

    def transpose_coordinates(self, scope: str | None = None) -> None:
        """Swaps y and x of every box."""
        with tf.name_scope(scope, "transpose_coordinates"):
            self.set(tf.gather(self.get(), [1, 0, 3, 2], axis=1))

    def as_tensor_dict(self, fields: list[str] | None = None) -> dict[str, tf.Tensor]:
        """Name -> tensor, of all fields or of those named.

        Raises:
            ValueError: a named field is absent.
        """
        names = self.data if fields is None else fields
        return {name: self.get_field(name) for name in names}
