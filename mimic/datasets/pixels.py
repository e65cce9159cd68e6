"""Arrays of any common shape and scale, as uint8 (N, H, W, 3); every change is told."""

from __future__ import annotations

import numpy as np

from mimic.datasets import limits
from mimic.errors import DataError

Pixels = tuple[np.ndarray, tuple[str, ...]]
CHUNK = 1024
REMEDY = "Store images as uint8 (N, height, width, 3), RGB with values 0 to 255."
CHANNELS = {1: "one grey channel, which was repeated", 3: "", 4: "a fourth channel (transparency), "
            "which was dropped"}  # fmt: skip


def as_pictures(array: np.ndarray, name: str) -> Pixels:
    """RGB pictures from an array, with one sentence for each change that was made.

    Args:
        array: (N, H, W), (N, H, W, C) or (N, C, H, W) with 1, 3 or 4 channels; whole numbers 0 to
            255, or floats 0 to 255 or 0 to 1.
        name: what to call the set.

    Returns:
        uint8 (N, H, W, 3), and the sentences.

    Raises:
        DataError: if shape or values can mean several things, or nothing.
    """
    arranged, shape_notes = arrange(array, name)
    scaled, value_notes = scale(arranged, name)
    return scaled, (*shape_notes, *value_notes)


def arrange(array: np.ndarray, name: str) -> Pixels:
    """The array as (N, H, W, 3), its values untouched."""
    notes = []
    if array.ndim == 3 and array.shape[-1] not in CHANNELS:
        array = array[..., None]  # (N, H, W, 1)
    if array.ndim != 4:
        raise DataError(f"{name} holds an array of shape {array.shape}.", REMEDY)
    first, last = array.shape[1], array.shape[3]
    if first in CHANNELS and last in CHANNELS:
        raise DataError(
            f"The shape {array.shape} of {name} leaves open which axis holds the channels.", REMEDY
        )
    if last not in CHANNELS and first in CHANNELS:
        array = array.transpose(0, 2, 3, 1)  # (N, C, H, W) to (N, H, W, C)
        notes.append(f"{name} stores channels first; they were moved last.")
    channels = array.shape[3]
    if channels not in CHANNELS:
        raise DataError(f"{name} holds an array of shape {array.shape}.", REMEDY)
    if CHANNELS[channels]:
        notes.append(f"{name} has {CHANNELS[channels]}.")
    if array.size // channels * 3 > limits.MAX_ARRAY_BYTES:
        raise DataError(f"The images of {name} exceed 2 GiB as RGB.", "Use fewer images.")
    array = np.repeat(array, 3, axis=3) if channels == 1 else array[..., :3]
    return np.ascontiguousarray(array), tuple(notes)


def scale(array: np.ndarray, name: str) -> Pixels:
    """The same shape as uint8."""
    if array.dtype == np.uint8 or array.size == 0:
        return array.astype(np.uint8), ()
    if array.dtype.kind not in "iuf":
        raise DataError(f"{name} holds {array.dtype} values.", REMEDY)
    low, high = array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError(f"{name} holds values that are not finite numbers.", REMEDY)
    if low < 0 or high > 255:
        raise DataError(
            f"The values of {name} go from {low:g} to {high:g}, not from 0 to 255.",
            "Store pixel values as they are before any normalisation.",
        )
    if array.dtype.kind != "f":
        return array.astype(np.uint8), (f"{name} is stored as {array.dtype}, not as uint8.",)
    factor = 255 if high <= 1 else 1
    pictures = np.empty(array.shape, np.uint8)
    exact = True
    for start in range(0, len(array), CHUNK):
        values = array[start : start + CHUNK].astype(np.float64) * factor
        pictures[start : start + CHUNK] = rounded = np.rint(values)
        exact &= bool(np.abs(values - rounded).max() < 1e-2)
    what = "floats from 0 to 1, which were multiplied by 255" if factor > 1 else "floats"
    return pictures, (
        f"{name} is stored as {what}{'' if exact else ' and rounded to whole numbers'}.",
    )
