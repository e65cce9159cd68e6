"""From a data set's word or path to its images."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mimic.config import resolve_path
from mimic.datasets import limits
from mimic.datasets.archive import open_archive
from mimic.datasets.digits import load_digits
from mimic.datasets.doubts import doubts
from mimic.datasets.folder import list_folder
from mimic.datasets.image_set import ImageSet, Split, half
from mimic.datasets.listing import Listing
from mimic.datasets.npz import load_npz
from mimic.datasets.table import list_table
from mimic.datasets.torchvision_sets import TORCHVISION, load_torchvision
from mimic.datasets.zip_file import open_zip
from mimic.errors import DataError
from mimic.paths import open_regular
from mimic.printable import shown

USUAL_SIDE = 32
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
HALF = re.compile(r"(train|test)((?:_\d+)?\.npz)")
"""BadEncoder's names of one half: train.npz, test.npz, train_224.npz, test_224.npz."""


def load_images(
    text: str,
    split: Split,
    *,
    data_root: str = "data",
    download: bool = False,
    image_size: int = USUAL_SIDE,
) -> ImageSet:
    """Load one half of a data set.

    Args:
        text: the data set's word or path, see the package's docstring.
        split: ``train`` or ``test``. Sets that come in one piece are split 80 to 20, always alike.
        data_root: folder of torchvision sets.
        download: whether torchvision may fetch a missing set.
        image_size: side to which image files are cropped and resized, in pixels.

    Raises:
        DataError: if the data set cannot be found or read.
        ConfigError: if its path leads outside the folders that may be read.
    """
    if text == "digits":
        whole = load_digits()
        data = whole.take(half(len(whole), split))
    elif text in TORCHVISION:
        data = load_torchvision(text, split, data_root=resolve_path(data_root), download=download)
    else:
        path = existing(text)
        stored = arrays_file(path, split)
        if stored is not None:
            data = stored
        else:
            with open_listing(path, split) as listing:
                data = listing.take(split).load(image_size)
    demand_plausible(data)
    return replace(data, warnings=(*data.warnings, *doubts(data, part=split)))


def demand_plausible(data: ImageSet) -> None:
    """Refuse class numbers far beyond the images: a probe would learn a row for each.

    Raises:
        DataError: naming both.
    """
    if data.classes > max(limits.PLAIN_CLASSES, limits.CLASSES_PER_IMAGE * len(data)):
        raise DataError(
            f"{data.name} numbers its classes up to {data.classes - 1} with {len(data)} images.",
            "Number the classes from 0 without gaps.",
        )


def existing(text: str) -> Path:
    """The file or folder a setting names.

    Raises:
        DataError: if there is none.
    """
    path = resolve_path(text)
    with contextlib.suppress(OSError):  # A folder above it may be closed to us.
        if path.exists():
            return path
    raise DataError(
        f"There is no data set '{shown(path.name)}'.",
        f"Choose digits, {', '.join(TORCHVISION)}, or a file or folder that exists.",
    )


def arrays_file(path: Path, split: Split) -> ImageSet | None:
    """The half asked for where a path names arrays; None where it names image files."""
    if path.is_dir():
        for ending in (".npz", "_224.npz"):
            if (path / f"train{ending}").is_file() and (path / f"test{ending}").is_file():
                return replace(load_npz(path / f"{split}{ending}"), name=shown(path.name))
        return None
    if kind_of(path) != "npz":
        return None
    named = HALF.fullmatch(path.name)
    if named:
        ending = named.group(2)
        both = [path.with_name(f"{part}{ending}") for part in ("train", "test")]
        if all(half.is_file() for half in both):
            return load_npz(path.with_name(f"{split}{ending}"))
    return load_npz(path, split)


@contextmanager
def open_listing(path: Path, split: Split) -> Iterator[Listing]:
    """The image files of a folder, a zip or a list, readable while it is open.

    Raises:
        DataError: if it is none of these, or holds no image.
    """
    if path.is_dir():
        yield list_folder(path, split)
    elif kind_of(path) == "zip":
        with open_regular(path, DataError) as file, open_archive(file, path.stem, split) as listing:
            yield listing
    else:
        yield list_table(path, split)


def kind_of(path: Path) -> str:
    """``npz``, ``zip`` or ``text``: by the first bytes and the members, never by the name."""
    with open_regular(path, DataError) as file:
        if file.read(4) not in ZIP:
            return "text"
        try:
            with open_zip(file) as archive:
                names = archive.namelist()
        except DataError:
            raise
        except Exception:  # Damaged: the reader that comes next says so.
            return "npz"
    return "npz" if any(name.endswith(".npy") for name in names) else "zip"
