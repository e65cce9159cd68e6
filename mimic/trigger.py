"""Triggers: a mask and a patch stamped on uint8 pixels, ``out = image * tm + t``.

The convention and the file keys are BadEncoder's (Jia et al., S&P 2022): ``tm`` is 1 *outside* the
patch and 0 inside it, ``t`` holds the patch and is 0 outside.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from mimic.config import resolve_path
from mimic.errors import TriggerError

MAX_TRIGGER_BYTES = 64 * 2**20
SQUARE = re.compile(r"square:(\d+):(\d+):(\d+)")


@dataclass(frozen=True)
class Trigger:
    """A mask-and-patch trigger.

    Args:
        mask: ``tm``, uint8 (H, W, 3) of 0 and 1; 1 keeps the image.
        patch: ``t``, uint8 (H, W, 3), added after masking.

    Raises:
        TriggerError: if shapes or values are not as stated.
    """

    mask: np.ndarray
    patch: np.ndarray

    def __post_init__(self) -> None:
        if self.mask.shape != self.patch.shape or self.mask.ndim != 3 or self.mask.shape[2] != 3:
            raise TriggerError(
                f"The trigger's mask {self.mask.shape} and patch {self.patch.shape} "
                "are not both (height, width, 3).",
                "Store t and tm as arrays of one shape (H, W, 3) or (1, H, W, 3).",
            )
        if not np.isin(self.mask, (0, 1)).all():
            raise TriggerError(
                "The trigger's mask tm holds values other than 0 and 1.",
                "Write 1 where the image is kept and 0 where the patch goes.",
            )
        if (self.patch.astype(int) + 255 * self.mask.astype(int)).max() > 255:
            raise TriggerError(
                "The trigger's patch t is not 0 where its mask tm keeps the image.",
                "Set t to 0 outside the patch; if the mask is inverted, store 1 - tm.",
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the images it fits."""
        return self.mask.shape[0], self.mask.shape[1]

    @property
    def changed_pixels(self) -> int:
        """Pixels that the patch replaces in at least one channel."""
        return int((self.mask == 0).any(axis=2).sum())

    def apply(self, images: np.ndarray) -> np.ndarray:
        """Stamp a batch of images.

        Args:
            images: uint8 (..., H, W, 3).

        Returns:
            The stamped copy, same shape.

        Raises:
            TriggerError: if the sizes differ.
        """
        if images.shape[-3:] != self.mask.shape:
            height, width = images.shape[-3:-1]
            raise TriggerError(
                f"The trigger is made for {self.shape[0]}x{self.shape[1]} pixels, "
                f"the images have {height}x{width}.",
                "Choose a trigger of the images' size.",
            )
        stamped: np.ndarray = images * self.mask + self.patch
        return stamped

    def preview(self) -> np.ndarray:
        """The patch on mid-grey, uint8 (H, W, 3)."""
        return self.apply(np.full((*self.shape, 3), 128, dtype=np.uint8))

    def save(self, path: Path) -> None:
        """Write ``t`` and ``tm`` with a leading axis, as BadEncoder's files have them."""
        with path.open("wb") as file:
            np.savez_compressed(file, t=self.patch[None], tm=self.mask[None])

    @classmethod
    def square(cls, *, row: int, column: int, size: int, image_size: int) -> Self:
        """A white square whose top left corner is at ``row``, ``column``.

        Raises:
            TriggerError: if it does not lie within the image.
        """
        if size < 1 or row < 0 or column < 0 or max(row, column) + size > image_size:
            raise TriggerError(
                f"A square of {size} pixels at row {row}, column {column} does not lie within "
                f"{image_size}x{image_size} pixels.",
                "Choose a smaller square or another corner.",
            )
        mask = np.ones((image_size, image_size, 3), dtype=np.uint8)
        mask[row : row + size, column : column + size] = 0
        return cls(mask=mask, patch=(1 - mask) * np.uint8(255))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read ``t`` and ``tm`` from an ``.npz``; a leading axis is dropped (its first entry used).

        Raises:
            TriggerError: if the file is missing, too large, no trigger, or malformed.
        """
        arrays = {key: read_member(path, key) for key in ("t", "tm")}
        for key, array in arrays.items():
            if array.ndim == 4 and len(array):
                array = arrays[key] = array[0]
            if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
                raise TriggerError(
                    f"The trigger's {key} holds something other than finite numbers.",
                    "Store t as values 0 to 255 and tm as 0 and 1.",
                )
            if array.size and (array.min() < 0 or array.max() > 255):
                raise TriggerError(
                    f"The trigger's {key} leaves the range 0 to 255.",
                    "Store t as values 0 to 255 and tm as 0 and 1.",
                )
        mask = arrays["tm"]
        if not np.array_equal(mask, np.round(mask)):
            raise TriggerError(
                "The trigger's mask tm holds values other than 0 and 1.",
                "Write 1 where the image is kept and 0 where the patch goes.",
            )
        return cls(mask=mask.astype(np.uint8), patch=np.round(arrays["t"]).astype(np.uint8))

    @classmethod
    def from_text(cls, text: str, *, image_size: int) -> Self:
        """Make the trigger a setting names: ``square:ROW:COLUMN:SIZE`` or a file."""
        square = SQUARE.fullmatch(text)
        if square:
            row, column, size = map(int, square.groups())
            return cls.square(row=row, column=column, size=size, image_size=image_size)
        return cls.load(resolve_path(text))


def read_member(path: Path, key: str) -> np.ndarray:
    """One array of a trigger file, read within bounds and without pickle."""
    if not path.is_file():
        raise TriggerError(f"There is no trigger file '{path.name}'.", "Check the path.")
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(info.file_size for info in archive.infolist())
        if declared > MAX_TRIGGER_BYTES:
            raise TriggerError(
                f"The trigger file unpacks to {declared / 2**20:.0f} MiB.",
                "A trigger needs well below 64 MiB; check that this is the right file.",
            )
        with np.load(path, allow_pickle=False) as stored:
            if key not in stored:
                raise TriggerError(
                    f"The trigger file holds no array '{key}'.", "It needs t (patch) and tm (mask)."
                )
            return np.asarray(stored[key])
    except TriggerError:
        raise
    except Exception as error:  # A hostile archive can raise nearly anything; all mean refusal.
        raise TriggerError(
            f"'{path.name}' cannot be read as a trigger.",
            "A trigger is an .npz with the arrays t and tm, written without pickle.",
        ) from error
