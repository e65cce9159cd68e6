"""What some published code makes of a trigger file without a leading axis: a colour shift.

DECREE's text-on-pair attack and part of DRUPE take index 0 of ``t`` and ``tm``. Where the file has
no leading axis, that is one row of the image, which holds no patch. They normalise this row like a
picture and add it to the normalised image: ``(x - m) / s * tm + (t - m) / s`` for mean m and
deviation s. In pixels that is ``(x - 255 m) * tm + t``: with tm = 1 and t = 0, the mean colour is
taken off everywhere. This is inferred from the code; values below 0, which a normalised image may
have, are clipped here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mimic.errors import TriggerError
from mimic.trigger.archive import values
from mimic.trigger.base import Trigger

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
"""CLIP's normalisation, which the encoders attacked in this way are given."""
CLIPPED = (
    "Only the first row of the trigger file is stamped, on all rows, as some code of DECREE and "
    "DRUPE does: a shift of the colours by CLIP's mean, clipped at black."
)


@dataclass(frozen=True, eq=False)
class ColorShiftTrigger(Trigger):
    """One row of a mask-and-patch file, spread over the image after normalisation.

    Args:
        row_mask: ``tm[0]``, 0 and 1, (W, 3).
        row_patch: ``t[0]``, 0 to 255, (W, 3).
        warnings: doubts about the file it came from.

    Raises:
        TriggerError: if shapes or values are not as stated.
    """

    kind: ClassVar[str] = "color-shift"
    row_mask: np.ndarray
    row_patch: np.ndarray
    warnings: tuple[str, ...] = (CLIPPED,)

    def __post_init__(self) -> None:
        good = self.row_mask.shape == self.row_patch.shape and self.row_mask.ndim == 2
        if not good or self.row_mask.shape[1] != 3 or not len(self.row_mask):
            raise TriggerError(
                "The trigger's first row is not (width, 3).",
                "This form takes an .npz whose t and tm are (H, W, 3), without a leading axis.",
            )
        in_range = np.isin(self.row_mask, (0, 1)).all() and self.row_patch.min() >= 0
        if not in_range or self.row_patch.max() > 255:
            raise TriggerError(
                "The trigger's first row holds values that are no mask or no pixels.",
                "Store t as values 0 to 255 and tm as 0 and 1.",
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Square images of the row's width."""
        return len(self.row_mask), len(self.row_mask)

    def stamp(self, images: np.ndarray) -> np.ndarray:
        """Shift the colours."""
        mean = 255 * np.array(CLIP_MEAN)
        shifted = (images - mean) * self.row_mask + self.row_patch
        stamped: np.ndarray = np.rint(np.clip(shifted, 0, 255)).astype(np.uint8)
        return stamped

    def describe(self) -> str:
        """What happens to the colours."""
        return "The colours of the whole image are shifted by CLIP's mean colour towards black."

    def arrays(self) -> dict[str, np.ndarray]:
        """The two rows."""
        return {"row_mask": self.row_mask, "row_patch": self.row_patch}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from ``row_mask`` and ``row_patch``."""
        return cls(row_mask=values(arrays, "row_mask"), row_patch=values(arrays, "row_patch"))

    @classmethod
    def first_row(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Take index 0 of ``t`` and ``tm``, (H, W, 3).

        Raises:
            TriggerError: if the arrays have a leading axis, so that index 0 is a whole trigger.
        """
        mask, patch = values(arrays, "tm"), values(arrays, "t")
        if mask.ndim != 3 or patch.ndim != 3 or not len(mask) or not len(patch):
            raise TriggerError(
                "The first entry of this trigger file is a whole trigger, not one row.",
                "Give the file itself, without npz-row, to stamp its patch.",
            )
        return cls(row_mask=mask[0], row_patch=patch[0])
