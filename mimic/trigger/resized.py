"""DRUPE's way with images smaller than the trigger: enlarge, stamp, resize back.

DRUPE (Tao et al., NDSS 2024) stamps its 224x224 triggers on 32x32 images so. The whole image is
smoothed on the way, and the stamp is a blurred, shrunken patch; both are part of what the encoder
saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mimic.errors import TriggerError
from mimic.trigger.base import Trigger
from mimic.trigger.patch import PatchTrigger


@dataclass(frozen=True, eq=False)
class ResizedTrigger(Trigger):
    """A patch trigger stamped on the enlarged image.

    Args:
        inner: the trigger, in its own size.
        warnings: doubts about the file it came from.
    """

    kind: ClassVar[str] = "resized"
    inner: PatchTrigger
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> None:
        """It fits every size up to the trigger's own."""
        return

    @property
    def preview_size(self) -> tuple[int, int]:
        """The trigger's own size."""
        return self.inner.shape

    def check_size(self, height: int, width: int) -> None:
        """Refuse images larger than the trigger: shrinking them would lose what they show."""
        if height > self.inner.shape[0] or width > self.inner.shape[1]:
            raise TriggerError(
                f"Images of {height}x{width} pixels are larger than the trigger, which has "
                f"{self.inner.shape[0]}x{self.inner.shape[1]}.",
                "Choose a trigger of the images' size.",
            )

    def stamp(self, images: np.ndarray) -> np.ndarray:
        """Enlarge, stamp and shrink, both by Pillow's antialiased bilinear resizing."""
        if images.shape[1:3] == self.inner.shape:
            return self.inner.stamp(images)
        large = np.stack([resize(image, self.inner.shape) for image in images])
        return np.stack([resize(image, images.shape[1:3]) for image in self.inner.stamp(large)])

    def describe(self) -> str:
        """What is stamped, and how."""
        height, width = self.inner.shape
        inner = self.inner.describe().removesuffix(".")
        done = f"Each image is enlarged to {height}x{width}, gets the trigger and is resized back"
        return f"{done}: {inner}."

    def arrays(self) -> dict[str, np.ndarray]:
        """``t`` and ``tm`` in the trigger's own size."""
        return self.inner.arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from ``t`` and ``tm``."""
        return cls.around(PatchTrigger.from_arrays(arrays))

    @classmethod
    def around(cls, inner: PatchTrigger) -> Self:
        """Wrap a trigger, with a warning that says what happens to the images."""
        height, width = inner.shape
        doubt = (
            f"The trigger has {height}x{width} pixels: smaller images are enlarged to that size, "
            "get the trigger and are resized back, which also smooths the rest of the image."
        )
        return cls(inner=inner, warnings=(*inner.warnings, doubt))


def resize(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """One image, uint8 (h, w, 3), at another height and width."""
    from PIL import Image

    height, width = shape
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
