"""Boxes, or boxes with masks, and the fields that travel with them; in numpy.

Axes:  N boxes, H x W pixels.
Boxes: [ymin, xmin, ymax, xmax]; normalised or absolute, as the code that makes the list says.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from object_detection.core.standard_fields import BoxListFields
from object_detection.errors import DataError, ShapeError

Array = npt.NDArray[Any]


class BoxList:
    """[N, 4] boxes and named arrays whose first axis is N."""

    def __init__(self, data: Array) -> None:
        """Takes [N, 4] float boxes.

        Raises:
            ShapeError: not an array, of another shape, or not float32 or float64.
            DataError: a box whose maximum is below its minimum.
        """
        if not isinstance(data, np.ndarray):
            raise ShapeError(f"Boxes should be a numpy array, got {type(data).__name__}.")
        if data.ndim != 2 or data.shape[1] != 4:
            raise ShapeError(f"Boxes should be [N, 4], got {list(data.shape)}.")
        if data.dtype not in (np.float32, np.float64):
            raise ShapeError(f"Boxes should be float32 or float64, got {data.dtype}.")
        inverted = (data[:, :2] > data[:, 2:]).any(axis=1)
        if inverted.any():
            row = int(inverted.argmax())
            raise DataError(
                f"Box {row} is {data[row].tolist()}; boxes are [ymin, xmin, ymax, xmax], and no "
                "minimum may be above its maximum."
            )
        self.data: dict[str, Array] = {BoxListFields.boxes: data}

    def num_boxes(self) -> int:
        """N."""
        return len(self.data[BoxListFields.boxes])

    def get_extra_fields(self) -> list[str]:
        """Names of all fields but `boxes`."""
        return [field for field in self.data if field != BoxListFields.boxes]

    def has_field(self, field: str) -> bool:
        """Whether the field is there."""
        return field in self.data

    def add_field(self, field: str, field_data: Array) -> None:
        """Adds a field.

        Args:
            field: name.
            field_data: [N, ...].

        Raises:
            DataError: the field is there already.
            ShapeError: the first axis is not N.
        """
        if self.has_field(field):
            raise DataError(f"Field {field!r} is in this BoxList already; choose another name.")
        if field_data.ndim < 1 or len(field_data) != self.num_boxes():
            raise ShapeError(
                f"Field {field!r} should be [N={self.num_boxes()}, ...], got "
                f"{list(field_data.shape)}."
            )
        self.data[field] = field_data

    def get(self) -> Array:
        """The boxes, [N, 4]."""
        return self.get_field(BoxListFields.boxes)

    def get_field(self, field: str) -> Array:
        """The field's array.

        Raises:
            DataError: there is no such field.
        """
        if not self.has_field(field):
            raise DataError(f"No field {field!r} in this BoxList; it has {sorted(self.data)}.")
        return self.data[field]

    def get_coordinates(self) -> list[Array]:
        """ymin, xmin, ymax and xmax, each [N]."""
        return list(self.get().T)


class BoxMaskList(BoxList):
    """A `BoxList` that always has the field `masks`."""

    def __init__(self, box_data: Array, mask_data: Array) -> None:
        """Takes boxes and their masks.

        Args:
            box_data: [N, 4] float.
            mask_data: [N, H, W] uint8 of 0 and 1, over the whole picture.

        Raises:
            ShapeError: wrong shape or type, or not one mask a box.
        """
        super().__init__(box_data)
        if not isinstance(mask_data, np.ndarray):
            raise ShapeError(f"Masks should be a numpy array, got {type(mask_data).__name__}.")
        if mask_data.ndim != 3:
            raise ShapeError(f"Masks should be [N, H, W], got {list(mask_data.shape)}.")
        if mask_data.dtype != np.uint8:
            raise ShapeError(f"Masks are {mask_data.dtype}; convert them to uint8 of 0 and 1.")
        self.add_field(BoxListFields.masks, mask_data)

    def get_masks(self) -> Array:
        """The masks, [N, H, W]."""
        return self.get_field(BoxListFields.masks)
