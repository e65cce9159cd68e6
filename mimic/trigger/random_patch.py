"""A patch at a place of its own on every image (Saha et al., CVPR 2022; UMBCvision/SSL-Backdoor).

The corner is drawn so that the patch lies within a band of the image: 25 to 75 % of each side for
the images an encoder is poisoned with, 10 to 90 % for those that measure.

The draw is a function of the seed and of the image's own bytes. So an image gets the same place in
every batch, order and process, and before and after cleaning; two equal images get equal places.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mimic.errors import TriggerError
from mimic.trigger.archive import number, picture
from mimic.trigger.base import Trigger

LOW, HIGH = 0.10, 0.90


@dataclass(frozen=True, eq=False)
class RandomPatchTrigger(Trigger):
    """A picture pasted at a random place.

    Args:
        picture: uint8 (h, w, 4); where its alpha is below 128 the image stays.
        low: where the band begins, as a share of the image's side.
        high: where it ends.
        seed: of the places.
        warnings: doubts about the file it came from.

    Raises:
        TriggerError: if the band is none, or the picture all transparent.
    """

    kind: ClassVar[str] = "random-patch"
    picture: np.ndarray
    low: float = LOW
    high: float = HIGH
    seed: int = 0
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise TriggerError(
                f"{self.low:g} to {self.high:g} is no band of the image's side.",
                "Choose two shares of it, such as 0.25 and 0.75.",
            )
        if not 0 <= self.seed < 2**31:
            raise TriggerError(
                f"The trigger's seed {self.seed} is outside 0 to 2147483647.",
                "Choose a seed in that range.",
            )
        if not self.opaque.any():
            raise TriggerError(
                "The trigger's picture is transparent everywhere.", "Choose one with opaque pixels."
            )

    @property
    def opaque(self) -> np.ndarray:
        """Which pixels of the picture cover the image, bool (h, w)."""
        return np.asarray(self.picture[..., 3] >= 128)

    @property
    def shape(self) -> None:
        """It fits every size that has room for the patch."""
        return

    @property
    def preview_size(self) -> tuple[int, int]:
        """A square with some room beside the patch."""
        side = min(4096, 4 * max(self.picture.shape[:2]))
        return side, side

    def check_size(self, height: int, width: int) -> None:
        """Refuse images in which the patch could stick out."""
        self.corners(height, 0)
        self.corners(width, 1)

    def corners(self, side: int, axis: int) -> range:
        """The first rows (axis 0) or columns (axis 1) that a patch may have in such an image.

        A band narrower than the patch leaves its first place, as in UMBC's code.

        Raises:
            TriggerError: if even that place sticks out of the image.
        """
        size = self.picture.shape[axis]
        first = int(side * self.low)
        last = max(first, int(side * self.high - size))
        if last + size > side:
            raise TriggerError(
                f"A patch of {self.picture.shape[0]}x{self.picture.shape[1]} pixels from "
                f"{self.low:.0%} of the side on does not lie within {side} pixels.",
                "Choose a smaller patch or a band that begins earlier.",
            )
        return range(first, last + 1)

    def place(self, image: np.ndarray) -> tuple[int, int]:
        """The patch's top left corner, row and column, on one image, uint8 (H, W, 3)."""
        key = self.seed.to_bytes(8, "little")
        drawn = hashlib.blake2b(image.tobytes(), digest_size=16, key=key).digest()
        choices = (self.corners(image.shape[0], 0), self.corners(image.shape[1], 1))
        numbers = (int.from_bytes(drawn[:8], "little"), int.from_bytes(drawn[8:], "little"))
        row, column = (c[n % len(c)] for c, n in zip(choices, numbers, strict=True))
        return row, column

    def stamp(self, images: np.ndarray) -> np.ndarray:
        """Paste the picture, on each image at its own place."""
        stamped = images.copy()
        height, width = self.picture.shape[:2]
        covers = self.opaque
        for image, copy in zip(images, stamped, strict=True):
            row, column = self.place(image)
            copy[row : row + height, column : column + width][covers] = self.picture[covers, :3]
        return stamped

    def describe(self) -> str:
        """The patch's size and band."""
        height, width = self.picture.shape[:2]
        return (
            f"A patch of {height}x{width} pixels is pasted at a place that differs from image to "
            f"image, within {self.low:.0%} to {self.high:.0%} of the sides."
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The picture, the band and the seed."""
        band = np.array([self.low, self.high])
        return {"picture": self.picture, "band": band, "seed": np.array(self.seed)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from ``picture``, ``band`` and ``seed``."""
        band = arrays["band"].reshape(-1)
        if band.size != 2 or band.dtype.kind not in "fiu":
            raise TriggerError(
                "The trigger's band is not two numbers.", "Store where it begins and where it ends."
            )
        return cls(
            picture=picture(arrays, "picture", 4),
            low=float(band[0]),
            high=float(band[1]),
            seed=int(number(arrays, "seed")),
        )
