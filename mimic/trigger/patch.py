"""A patch at one place: a mask and a patch, ``out = image * tm + t``.

The convention and the file keys are BadEncoder's (Jia et al., S&P 2022): ``tm`` is 1 *outside* the
patch and 0 inside it, ``t`` holds the patch and is 0 outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, ClassVar, Self

import numpy as np

from mimic.errors import TriggerError
from mimic.trigger.base import Trigger


@dataclass(frozen=True, eq=False)
class PatchTrigger(Trigger):
    """A mask-and-patch trigger.

    Args:
        mask: ``tm``, uint8 (H, W, 3) of 0 and 1; 1 keeps the image.
        patch: ``t``, uint8 (H, W, 3), added after masking.
        warnings: doubts about the file it came from.

    Raises:
        TriggerError: if shapes or values are not as stated, or no pixel is replaced.
    """

    kind: ClassVar[str] = "patch"
    mask: np.ndarray
    patch: np.ndarray
    warnings: tuple[str, ...] = ()

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
        if self.patch[self.mask == 1].any():
            raise TriggerError(
                "The trigger's patch t is not 0 where its mask tm keeps the image.",
                "Set t to 0 outside the patch; if the mask is inverted, store 1 - tm.",
            )
        if self.mask.all():
            raise TriggerError(
                "The trigger's mask tm is 1 everywhere, so it would change no pixel.",
                "Write 0 where the patch goes.",
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the images it fits."""
        return self.mask.shape[0], self.mask.shape[1]

    @property
    def changed_pixels(self) -> int:
        """Pixels that the patch replaces in at least one channel."""
        return int((self.mask == 0).any(axis=2).sum())

    def changed_share(self, images: np.ndarray) -> float:
        """Share of pixels the patch replaces, whatever the images held there."""
        self.check_size(*images.shape[-3:-1])
        return self.changed_pixels / (self.shape[0] * self.shape[1])

    def stamp(self, images: np.ndarray) -> np.ndarray:
        """Keep the image where the mask is 1, put the patch where it is 0."""
        stamped: np.ndarray = images * self.mask.astype(np.uint8) + self.patch.astype(np.uint8)
        return stamped

    def describe(self) -> str:
        """Where the patch lies."""
        rows, columns = np.nonzero((self.mask == 0).any(axis=2))
        return (
            f"A patch replaces {self.changed_pixels} pixels in rows {rows.min()} to {rows.max()} "
            f"and columns {columns.min()} to {columns.max()}."
        )

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Row and column of the patch's top left corner, its height and its width, in pixels."""
        rows, columns = np.nonzero((self.mask == 0).any(axis=2))
        row, column = int(rows.min()), int(columns.min())
        return row, column, int(rows.max()) + 1 - row, int(columns.max()) + 1 - column

    def moved(self, row: int, column: int) -> PatchTrigger:
        """The same patch with its top left corner at ``row``, ``column``.

        Raises:
            TriggerError: if it does not lie within the image.
        """
        old_row, old_column, height, width = self.box
        if not (0 <= row <= self.shape[0] - height and 0 <= column <= self.shape[1] - width):
            raise TriggerError(
                f"A patch of {height}x{width} pixels at row {row}, column {column} does not lie "
                f"within {self.shape[0]}x{self.shape[1]} pixels.",
                "Choose another corner.",
            )
        old = np.s_[old_row : old_row + height, old_column : old_column + width]
        new = np.s_[row : row + height, column : column + width]
        mask, patch = np.ones_like(self.mask), np.zeros_like(self.patch)
        mask[new], patch[new] = self.mask[old], self.patch[old]
        return PatchTrigger(mask=mask, patch=patch)

    def cutout(self) -> np.ndarray:
        """The patch alone, uint8 (h, w, 4); its alpha is 0 where the image stays."""
        row, column, height, width = self.box
        inside = np.s_[row : row + height, column : column + width]
        alpha = 255 * (self.mask[inside] == 0).any(axis=2, keepdims=True)
        return np.concatenate([self.patch[inside], alpha], axis=2).astype(np.uint8)

    def arrays(self) -> dict[str, np.ndarray]:
        """``t`` and ``tm`` with a leading axis, as BadEncoder's files have them."""
        return {"t": self.patch[None], "tm": self.mask[None]}

    def write(self, file: BinaryIO) -> None:
        """Write BadEncoder's file, which other programs read too: ``t`` and ``tm`` alone."""
        np.savez_compressed(file, **self.arrays())  # type: ignore[arg-type]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from ``t`` and ``tm``, forgiving what published files vary in."""
        from mimic.trigger.published import interpret  # It corrects what this class then checks.

        mask, patch, warnings = interpret(arrays)
        return cls(mask=mask, patch=patch, warnings=warnings)

    @classmethod
    def white_square(cls, *, row: int, column: int, size: int, image_size: int) -> Self:
        """A white square whose top left corner is at ``row``, ``column``.

        Raises:
            TriggerError: if it does not lie within the image.
        """
        check_inside("square", row, column, (size, size), image_size)
        mask = np.ones((image_size, image_size, 3), dtype=np.uint8)
        mask[row : row + size, column : column + size] = 0
        return cls(mask=mask, patch=(1 - mask) * np.uint8(255))

    @classmethod
    def placed(cls, picture: np.ndarray, *, row: int, column: int, image_size: int) -> Self:
        """A picture whose top left corner is at ``row``, ``column``.

        Args:
            picture: uint8 (h, w, 4); where its alpha is below 128 the image stays.
            row: first row.
            column: first column.
            image_size: side of the images.

        Raises:
            TriggerError: if it does not lie within the image, or all of it is transparent.
        """
        height, width = picture.shape[:2]
        check_inside("patch", row, column, (height, width), image_size)
        mask = np.ones((image_size, image_size, 3), dtype=np.uint8)
        opaque = picture[..., 3:] >= 128
        mask[row : row + height, column : column + width] = ~opaque
        patch = np.zeros_like(mask)
        patch[row : row + height, column : column + width] = picture[..., :3] * opaque
        return cls(mask=mask, patch=patch)


def check_inside(what: str, row: int, column: int, size: tuple[int, int], image_size: int) -> None:
    """Refuse a patch that leaves the image.

    Raises:
        TriggerError: naming patch, place and image.
    """
    height, width = size
    fits = row + height <= image_size and column + width <= image_size
    if min(height, width) < 1 or row < 0 or column < 0 or not fits:
        pixels = f"{height}" if height == width else f"{height}x{width}"
        raise TriggerError(
            f"A {what} of {pixels} pixels at row {row}, column {column} does not lie within "
            f"{image_size}x{image_size} pixels.",
            f"Choose a smaller {what} or another corner.",
        )
