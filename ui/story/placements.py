"""What an encoder takes the story's images for with the sticker at each place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mimic.run import Run
from mimic.subjects import student_id
from ui.subject import Subject, has_result

STRIDE = 2
"""The story moves the sticker by every second pixel: the digits' 8x8 pixels are shown doubled, and
the encoder hardly knows the sticker one row off, as the map on the Overview shows and explains."""
Place = tuple[int, int]


@dataclass(frozen=True)
class Placement:
    """A finished placement run.

    Args:
        run: where it comes from.
        arrays: its ``placement`` arrays.
        result: its outcome.
    """

    run: Run
    arrays: dict[str, np.ndarray]
    result: dict[str, Any]

    @property
    def trained(self) -> Place:
        """Where the attacker put the sticker."""
        row, column = self.result["trained_place"]
        return row, column

    @property
    def rows(self) -> list[int]:
        """Rows the story puts the sticker at."""
        return [r for r in self.result["rows"] if (r - self.trained[0]) % STRIDE == 0]

    @property
    def columns(self) -> list[int]:
        """Columns the story puts the sticker at."""
        return [c for c in self.result["columns"] if (c - self.trained[1]) % STRIDE == 0]

    @property
    def target(self) -> str:
        """The attacker's answer."""
        return self.name(self.result["target_class"])

    def name(self, label: int) -> str:
        """A class by name."""
        names = self.result["class_names"]
        return str(names[label]) if 0 <= label < len(names) else str(label)

    def nearest(self, row: float, column: float) -> Place:
        """The place nearest to one of the image."""
        return (
            min(self.rows, key=lambda r: abs(r - row)),
            min(self.columns, key=lambda c: abs(c - column)),
        )

    def around(self, row: int, column: int) -> Place:
        """The place whose sticker has a pixel in its middle."""
        height, width = self.result["patch_size"]
        return self.nearest(row - (height - 1) / 2, column - (width - 1) / 2)

    def index(self, place: Place) -> Place:
        """A place's position in the arrays; the nearest one's where it was not measured."""
        row, column = self.nearest(*place)
        return self.result["rows"].index(row), self.result["columns"].index(column)

    def answer(self, image: int, place: Place | None) -> tuple[str, float]:
        """What an image is taken for, and how sure; without the sticker where there is no place."""
        if place is None:
            label, sure = self.arrays["clean"][image], self.arrays["clean_confidence"][image]
        else:
            at = (*self.index(place), image)
            label, sure = self.arrays["answers"][at], self.arrays["confidence"][at]
        return self.name(int(label)), float(sure)

    def truth(self, image: int) -> str:
        """What an image shows."""
        return self.name(int(self.arrays["labels"][image]))

    def asr(self, place: Place) -> float:
        """Attack success at a place."""
        row, column = self.index(place)
        return float(self.result["asr_by_position"][row][column])

    def floor(self, place: Place) -> float | None:
        """Attack success at a place on the clean twin, if there is one."""
        row, column = self.index(place)
        found = self.result["floor_by_position"]
        return None if found is None else float(found[row][column])

    def picture(self, image: int, place: Place | None) -> np.ndarray:
        """An image with the sticker at a place, uint8 (H, W, 3)."""
        shown = self.arrays["images"][image].copy()
        if place is not None:
            row, column = self.nearest(*place)
            sticker = self.arrays["sticker"]
            height, width = sticker.shape[:2]
            part = shown[row : row + height, column : column + width]
            part[sticker[..., 3] > 0] = sticker[sticker[..., 3] > 0][:, :3]
        return np.asarray(shown)


def find(subject: Subject, student: str = "") -> Placement | None:
    """The newest finished placement of the suspect, or of a cleaned encoder."""
    for run in subject.runs("placement"):
        if has_result(run) and student_id(run) == student:
            arrays, result = run.arrays("placement"), run.result()
            if arrays and result:
                return Placement(run, arrays, result)
    return None
