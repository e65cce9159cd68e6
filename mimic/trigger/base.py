"""What all triggers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Self

import numpy as np

from mimic.errors import TriggerError

if TYPE_CHECKING:
    from mimic.trigger.patch import PatchTrigger

CHUNK_VALUES = 2**23
"""Pixel values stamped at once, so that a copy of them in float64 takes 64 MiB."""
GREY = 128
PREVIEW_SIDE = 32


class Trigger(ABC):
    """Something stamped on images.

    Attributes:
        kind: the word that names the kind in files and results.
        warnings: doubts about the file the trigger was read from, one sentence each.
    """

    kind: ClassVar[str]
    warnings: tuple[str, ...] = ()

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int] | None:
        """Height and width of the images it fits, or None where it is made for no one size."""

    @abstractmethod
    def stamp(self, images: np.ndarray) -> np.ndarray:
        """Stamp uint8 images (N, H, W, 3) of a fitting size; the result has their type and shape.

        Each image is stamped by itself: neither its neighbours nor its place in the batch matter.
        """

    @abstractmethod
    def describe(self) -> str:
        """What it does to an image, in one sentence."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """What its ``.npz`` holds, ``kind`` apart."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from ``arrays``.

        Raises:
            TriggerError: if one is missing or malformed.
        """

    def apply(self, images: np.ndarray) -> np.ndarray:
        """Stamp images.

        Args:
            images: uint8 (..., H, W, 3), RGB.

        Returns:
            The stamped copy, same shape and type.

        Raises:
            TriggerError: if they are no such images, or of a size the trigger does not fit.
        """
        if images.dtype != np.uint8 or images.ndim < 3 or images.shape[-1] != 3:
            raise TriggerError(
                f"A trigger cannot be stamped on {images.dtype} values of shape {images.shape}.",
                "Give uint8 images (..., height, width, 3) with values 0 to 255.",
            )
        height, width = images.shape[-3:-1]
        self.check_size(height, width)
        flat = images.reshape(-1, height, width, 3)
        stamped = np.empty_like(flat)
        step = max(1, CHUNK_VALUES // max(1, height * width * 3))
        for start in range(0, len(flat), step):
            stamped[start : start + step] = self.stamp(flat[start : start + step])
        return stamped.reshape(images.shape)

    def check_size(self, height: int, width: int) -> None:
        """Refuse images the trigger is not made for.

        Raises:
            TriggerError: naming both sizes.
        """
        if self.shape is not None and self.shape != (height, width):
            smaller = height <= self.shape[0] and width <= self.shape[1]
            remedy = (
                "Choose a trigger of the images' size, or have smaller images enlarged to put it "
                "on (in a terminal: npz-resize:FILE.npz)."
                if smaller
                else "Choose a trigger of the images' size, or images of the trigger's."
            )
            raise TriggerError(
                f"The trigger is made for {self.shape[0]}x{self.shape[1]} pixels, "
                f"the images have {height}x{width}.",
                remedy,
            )

    def changed_share(self, images: np.ndarray) -> float:
        """Share of pixels that differ in at least one channel, a mean over images (N, H, W, 3)."""
        return float((self.apply(images) != images).any(axis=-1).mean())

    def report(self, images: np.ndarray) -> dict[str, Any]:
        """What a result says of the trigger on images (N, H, W, 3)."""
        share = self.changed_share(images)
        return {
            "kind": self.kind,
            "shape": list(images.shape[1:]),
            "changed_pixels": round(share * images.shape[1] * images.shape[2]),
            "share": share,
            "description": self.describe(),
        }

    @property
    def preview_size(self) -> tuple[int, int]:
        """Height and width of an image it fits."""
        return self.shape or (PREVIEW_SIDE, PREVIEW_SIDE)

    def preview(self) -> np.ndarray:
        """The trigger on mid-grey, uint8 (H, W, 3)."""
        return self.apply(np.full((*self.preview_size, 3), GREY, dtype=np.uint8))

    def save(self, path: Path) -> None:
        """Write an ``.npz`` that ``load`` opens again, without pickle."""
        with path.open("wb") as file:
            self.write(file)

    def write(self, file: BinaryIO) -> None:
        """What ``save`` writes, into an open file; equal triggers write equal bytes."""
        np.savez_compressed(file, kind=np.array(self.kind), **self.arrays())  # type: ignore[arg-type]

    @staticmethod
    def load(path: Path) -> Trigger:
        """Read a trigger of any kind from an ``.npz``; see ``mimic.trigger.stored``."""
        from mimic.trigger.stored import load  # The kinds it names build on this class.

        return load(path)

    @staticmethod
    def from_text(text: str, *, image_size: int) -> Trigger:
        """Make the trigger that a setting names; see ``mimic.trigger.text``."""
        from mimic.trigger.text import from_text

        return from_text(text, image_size=image_size)

    @staticmethod
    def square(*, row: int, column: int, size: int, image_size: int) -> PatchTrigger:
        """A white square whose top left corner is at ``row``, ``column``."""
        from mimic.trigger.patch import PatchTrigger

        return PatchTrigger.white_square(row=row, column=column, size=size, image_size=image_size)
