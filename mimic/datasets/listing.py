"""A list of image files with their classes, and reading it; unreadable ones are named first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from mimic.datasets import limits
from mimic.datasets.image_file import decode
from mimic.datasets.image_set import ImageSet, Split, half
from mimic.errors import DataError
from mimic.printable import shown

NAMED = 5


class Picture(NamedTuple):
    """An image file somewhere: its name, its class (-1 if unknown) and how to get its bytes."""

    name: str
    label: int
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Listing:
    """Image files that form a set.

    Args:
        name: what to call the set.
        pictures: the files.
        class_names: one name per class, or empty.
        labelled: whether classes are known.
        is_half: whether this already is the half asked for.
        warnings: doubts, one sentence each.
    """

    name: str
    pictures: tuple[Picture, ...]
    class_names: tuple[str, ...] = ()
    labelled: bool = True
    is_half: bool = False
    warnings: tuple[str, ...] = ()

    def take(self, split: Split) -> Listing:
        """One half of the list."""
        if self.is_half:
            return self
        chosen = tuple(self.pictures[i] for i in half(len(self.pictures), split))
        return replace(self, pictures=chosen, is_half=True)

    def load(self, image_size: int) -> ImageSet:
        """Decode all images.

        Raises:
            DataError: if too many are unreadable, or they are too many to hold.
        """
        if len(self.pictures) * image_size**2 * 3 > limits.MAX_ARRAY_BYTES:
            raise DataError(
                f"{len(self.pictures)} images of {image_size}x{image_size} pixels exceed 2 GiB.",
                "Use fewer images or a smaller image size.",
            )
        images = np.empty((len(self.pictures), image_size, image_size, 3), np.uint8)
        good, bad, transparent = [], [], 0
        for position, picture in enumerate(self.pictures):
            try:
                decoded = decode(picture.read(), picture.name, image_size)
            except DataError as error:
                bad.append(error)
                if len(bad) > limits.BAD_SHARE * len(self.pictures):
                    raise self.refusal(bad) from error
                continue
            images[position] = decoded.pixels
            transparent += decoded.was_transparent
            good.append(position)
        notes = list(self.warnings)
        if bad:
            notes.insert(
                0,
                f"{len(bad)} of {len(self.pictures)} images of {self.name} were left out: "
                f"{causes(bad)}",
            )
        if transparent:
            notes.append(f"{transparent} images of {self.name} had transparency; it was dropped.")
        labels = np.array([self.pictures[i].label for i in good], dtype=np.int64)
        return ImageSet(
            self.name,
            images[good] if bad else images,
            labels if self.labelled else None,
            self.class_names,
            tuple(notes),
        )

    def refusal(self, bad: list[DataError]) -> DataError:
        """Why a set with this many unreadable images is refused."""
        return DataError(
            f"More than {limits.BAD_SHARE:.0%} of the {len(self.pictures)} images of {self.name} "
            f"cannot be used: {causes(bad)}",
            bad[0].remedy,
        )


def causes(bad: list[DataError]) -> str:
    """The first few causes as one sentence's end."""
    named = "; ".join(error.cause.rstrip(".") for error in bad[:NAMED])
    return f"{named}{'; and others' if len(bad) > NAMED else ''}."


def numbered(names: list[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Class names in order, and the number of each: by value if all are numbers, else by letter."""
    unique = sorted(set(names))
    if all(name.isdecimal() and len(name) < 10 for name in unique):
        unique.sort(key=lambda name: (int(name), name))
    return tuple(shown(name) for name in unique), {name: k for k, name in enumerate(unique)}
