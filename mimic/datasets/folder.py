"""A folder of images on this machine."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from mimic.datasets import limits
from mimic.datasets.image_file import read_bounded
from mimic.datasets.image_set import Split
from mimic.datasets.listing import Listing
from mimic.datasets.tree import Leaf, arrange
from mimic.errors import DataError
from mimic.paths import ROOTS, is_below, lent_folders
from mimic.printable import shown


def read_below(path: Path, folder: Path) -> bytes:
    """An image file's bytes, unless a link leads out of its data set.

    Raises:
        DataError: if it leads outside, or cannot be read.
    """
    if not is_below(path, (folder.resolve(), *lent_folders())):
        raise DataError(
            f"'{shown(path.name)}' lies outside the data set's folder.",
            f"Move the images into it, or name their folder in {ROOTS}.",
        )
    return read_bounded(path)


def list_folder(folder: Path, split: Split) -> Listing:
    """The images below a folder; see ``mimic.datasets.tree``.

    Raises:
        DataError: if there is no image, or far too many files.
    """
    leaves: list[Leaf] = []
    linked = 0
    closed: list[OSError] = []
    for place, inner, files in os.walk(folder, onerror=closed.append):
        base = Path(place)
        linked += sum((base / name).is_symlink() for name in inner)
        parts = base.relative_to(folder).parts
        leaves += [Leaf((*parts, f), partial(read_below, base / f, folder)) for f in files]
        if len(leaves) > limits.MAX_FILES:
            raise DataError(
                f"'{shown(folder.name)}' holds more than a million files.", "Use fewer images."
            )
    listing = arrange(shown(folder.name), leaves, split)
    passed_over = {"linked": linked, "unreadable": len(closed)}
    told = [
        f"{count} {kind} folders in {listing.name} were left out."
        for kind, count in passed_over.items()
        if count
    ]
    return replace(listing, warnings=(*listing.warnings, *told))
