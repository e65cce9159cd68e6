"""A pattern added to the whole image, clipped to 0 to 255; the sinusoid of SIG is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mimic.errors import TriggerError
from mimic.trigger.archive import values
from mimic.trigger.base import GREY, Trigger


@dataclass(frozen=True, eq=False)
class PatternTrigger(Trigger):
    """``out = clip(image + pattern)``, rounded.

    Args:
        pattern: float (H, W, 3), -255 to 255.
        warnings: doubts about the file it came from.

    Raises:
        TriggerError: if shape or values are not as stated, or the pattern would change nothing.
    """

    kind: ClassVar[str] = "pattern"
    pattern: np.ndarray
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pattern.ndim != 3 or self.pattern.shape[2] != 3 or not self.pattern.size:
            raise TriggerError(
                f"The trigger's pattern has the shape {self.pattern.shape}.",
                "Store it as (height, width, 3).",
            )
        largest = np.abs(self.pattern).max()
        if not 0.5 < largest <= 255:  # False for NaN too.
            raise TriggerError(
                f"The trigger's pattern reaches {largest:g}, so it would change nothing or is no "
                "change of pixels.",
                "Store changes between -255 and 255.",
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the pattern."""
        return self.pattern.shape[0], self.pattern.shape[1]

    def stamp(self, images: np.ndarray) -> np.ndarray:
        """Add the pattern."""
        stamped: np.ndarray = np.rint(np.clip(images + self.pattern, 0, 255)).astype(np.uint8)
        return stamped

    def describe(self) -> str:
        """How far it moves pixels."""
        low, high = self.pattern.min(), self.pattern.max()
        return f"A pattern of {low:+.0f} to {high:+.0f} is added to the whole image."

    def arrays(self) -> dict[str, np.ndarray]:
        """The pattern."""
        return {"pattern": self.pattern}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from ``pattern``."""
        return cls(pattern=values(arrays, "pattern").astype(np.float64))

    @classmethod
    def sinusoid(cls, *, amplitude: float, frequency: float, image_size: int) -> Self:
        """SIG (Barni et al., ICIP 2019, arXiv 1902.11237): ``amplitude sin(2 pi j frequency / W)``.

        j is the column, W the width; all rows and channels are alike.

        Raises:
            TriggerError: if it would change nothing or vary faster than pixels can show.
        """
        if not 0.5 < amplitude <= 255:
            raise TriggerError(
                f"The amplitude {amplitude:g} of the sinusoid is not between 1 and 255.",
                "Choose for example 20.",
            )
        if not 0 < frequency < image_size / 2:
            raise TriggerError(
                f"{image_size} columns cannot show {frequency:g} waves.",
                f"Choose fewer than {image_size / 2:g}, for example 6.",
            )
        wave = amplitude * np.sin(2 * np.pi * np.arange(image_size) * frequency / image_size)
        return cls(pattern=np.broadcast_to(wave[None, :, None], (image_size, image_size, 3)).copy())

    @classmethod
    def from_picture(cls, picture: np.ndarray) -> Self:
        """A pattern drawn as a picture, uint8 (H, W, 3), in which mid-grey (128) adds nothing."""
        return cls(pattern=picture.astype(np.float64) - GREY)
