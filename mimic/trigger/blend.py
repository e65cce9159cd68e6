"""A picture mixed into the whole image (Chen et al., 2017, arXiv 1712.05526)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mimic.errors import TriggerError
from mimic.trigger.archive import number, picture
from mimic.trigger.base import Trigger


@dataclass(frozen=True, eq=False)
class BlendTrigger(Trigger):
    """``out = (1 - alpha) image + alpha picture``, rounded.

    Args:
        picture: uint8 (H, W, 3).
        alpha: strength, above 0 and at most 1.
        warnings: doubts about the file it came from.

    Raises:
        TriggerError: if the strength is outside that range.
    """

    kind: ClassVar[str] = "blend"
    picture: np.ndarray
    alpha: float
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 1:
            raise TriggerError(
                f"The strength {self.alpha:g} of the blended picture is not between 0 and 1.",
                "Choose for example 0.2.",
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.picture.shape[0], self.picture.shape[1]

    def stamp(self, images: np.ndarray) -> np.ndarray:
        """Mix the picture in."""
        mixed = (1 - self.alpha) * images + self.alpha * self.picture
        return np.rint(mixed).astype(np.uint8)

    def describe(self) -> str:
        """How strong the picture is."""
        return f"A picture is mixed into the whole image with a strength of {self.alpha:.0%}."

    def arrays(self) -> dict[str, np.ndarray]:
        """The picture and its strength."""
        return {"picture": self.picture, "alpha": np.array(self.alpha)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from ``picture`` and ``alpha``."""
        return cls(picture=picture(arrays, "picture", 3), alpha=number(arrays, "alpha"))
