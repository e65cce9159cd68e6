"""What a tree of image files means, in a folder or in a zip of one.

Sub-folders are classes; without sub-folders the images are unlabelled. Folders called ``train``
and ``test`` (or ``val``) at the top are the two halves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from mimic.datasets.image_file import SUFFIXES
from mimic.datasets.image_set import Split
from mimic.datasets.listing import Listing, Picture, numbered
from mimic.errors import DataError

HALVES: dict[str, Split] = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test", "val": "test", "valid": "test", "validation": "test",
}  # fmt: skip
PREFERENCE = ("train", "training", "test", "testing", "val", "valid", "validation")


class Leaf(NamedTuple):
    """A file in a tree: folders and name, and how to get its bytes."""

    parts: tuple[str, ...]
    read: Callable[[], bytes]


def arrange(name: str, leaves: Sequence[Leaf], split: Split) -> Listing:
    """The set that a tree of files holds.

    Args:
        name: what to call it.
        leaves: all files of the tree; what is no image or hidden is passed over.
        split: the half asked for, where the tree has halves.

    Raises:
        DataError: if there is no image.
    """
    images = [leaf for leaf in leaves if is_image(leaf)]
    if not images:
        raise DataError(
            f"'{name}' holds no image.",
            f"Put {', '.join(sorted(SUFFIXES))} files in it, one sub-folder per class.",
        )
    images.sort(key=lambda leaf: leaf.parts)
    folders = {leaf.parts[0] for leaf in images if len(leaf.parts) > 1}
    tops = [top for top in PREFERENCE if top in folders]
    if {HALVES[top] for top in tops} == {"train", "test"}:
        return of_halves(name, images, split, tops)
    if len(tops) == 1 == len(folders):  # One half alone is no class called "train".
        images = [Leaf(leaf.parts[1:] or leaf.parts, leaf.read) for leaf in images]
    return labelled(name, images, images, is_half=False)


def of_halves(name: str, images: list[Leaf], split: Split, tops: list[str]) -> Listing:
    """The half asked for; classes are numbered over both, so that numbers agree."""
    chosen = {half: next(top for top in tops if HALVES[top] == half) for half in ("train", "test")}
    inside = {
        half: [Leaf(leaf.parts[1:], leaf.read) for leaf in images if leaf.parts[0] == top]
        for half, top in chosen.items()
    }
    both = inside["train"] + inside["test"]
    return labelled(name, inside[split], both, is_half=True)


def labelled(name: str, images: list[Leaf], both: list[Leaf], *, is_half: bool) -> Listing:
    """Classes from sub-folders, if there are any; ``both`` are all images that name a class."""
    class_names, number = numbered([leaf.parts[0] for leaf in both if len(leaf.parts) > 1])
    in_classes = [leaf for leaf in images if len(leaf.parts) > 1]
    if not in_classes:
        flat = tuple(Picture(leaf.parts[-1], -1, leaf.read) for leaf in images)
        return Listing(name, flat, labelled=False, is_half=is_half)
    beside = len(images) - len(in_classes)
    # Class by class, then by name.
    in_classes.sort(key=lambda leaf: (number[leaf.parts[0]], leaf.parts[1:]))
    return Listing(
        name,
        tuple(Picture(leaf.parts[-1], number[leaf.parts[0]], leaf.read) for leaf in in_classes),
        class_names,
        is_half=is_half,
        warnings=(f"{beside} images of {name} lie beside its class folders and were left out.",)
        if beside
        else (),
    )


def is_image(leaf: Leaf) -> bool:
    """Whether a file is taken for an image: by its suffix, and not hidden."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in leaf.parts)
    return not hidden and PurePosixPath(leaf.parts[-1]).suffix.lower() in SUFFIXES
