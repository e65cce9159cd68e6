"""Arrays in an ``.npz``: sizes checked against the file before anything is read.

Images are ``x`` or ``images``, labels ``y`` or ``labels`` (N,) or (N, 1), and may be missing. Both
halves may lie in one file (``x_train`` and ``x_test``, or ``train_images`` and ``test_images``).
"""

from __future__ import annotations

import math
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mimic.datasets import limits
from mimic.datasets.image_set import ImageSet, Split, half
from mimic.datasets.pixels import as_pictures
from mimic.datasets.zip_file import check_unpacked, open_zip
from mimic.errors import DataError
from mimic.paths import open_regular
from mimic.printable import shown

KEYS = (("x", "y"), ("images", "labels"))
HALVES = (("x_{}", "y_{}"), ("{}_images", "{}_labels"))
KINDS = "biufU"
"""Kinds of values that are read: truth values, numbers and text; never objects."""
REMEDY = "It must be an .npz with x (uint8 images) and y (labels), written without pickle."


def load_npz(path: Path, split: Split | None = None) -> ImageSet:
    """Images and labels of an ``.npz``, or one half of them.

    Args:
        path: the file.
        split: the half to take; None takes all of a file in one piece.

    Raises:
        DataError: if the file is damaged, too large, pickled, or holds no images.
    """
    name, title = shown(path.name), shown(path.stem)
    with open_regular(path, DataError) as file, members(file, name) as found:
        halves = [(x.format(split), y.format(split)) for x, y in HALVES]
        pair = next((p for p in (*halves, *KEYS) if p[0] in found), None)
        if pair is None:
            raise DataError(
                f"'{name}' holds no array x.", "Store the images as x and the labels as y."
            )
        pixels = found[pair[0]].read()
        labels = found[pair[1]].read() if pair[1] in found else None
    if labels is not None and len(labels.reshape(-1)) != (len(pixels) if pixels.ndim else 0):
        raise DataError(
            f"'{name}' has images of shape {pixels.shape} but labels of shape {labels.shape}.",
            "Store one label per image.",
        )
    pictures, notes = as_pictures(pixels, title)
    numbers, names, label_notes = whole_labels(labels, name)
    whole = ImageSet(title, pictures, numbers, names, (*notes, *label_notes))
    if split is None or pair not in KEYS:
        return whole
    return whole.take(half(len(whole), split))


def whole_labels(
    labels: np.ndarray | None, name: str
) -> tuple[np.ndarray | None, tuple[str, ...], tuple[str, ...]]:
    """Class numbers (N,), class names where labels are names, and what had to be changed."""
    if labels is None:
        return None, (), ()
    labels = labels.reshape(-1)
    if labels.dtype.kind == "U":
        if not are_text(labels):
            raise DataError(f"The labels of '{name}' are no text.", "Store y as integers from 0.")
        names, numbers = np.unique(labels, return_inverse=True)
        return numbers.astype(np.int64), tuple(shown(str(n)) for n in names), ()
    if labels.dtype.kind == "f" and are_whole(labels):
        return labels.astype(np.int64), (), (f"The labels of '{name}' are stored as floats.",)
    if labels.dtype.kind not in "iu":
        raise DataError(
            f"The labels of '{name}' are not whole numbers.", "Store y as integers from 0."
        )
    if len(labels) and (labels == -1).all():  # STL-10's unlabelled part is stored so.
        return None, (), (f"All labels of '{name}' are -1, so it counts as unlabelled.",)
    return labels.astype(np.int64), (), ()


def are_text(labels: np.ndarray) -> bool:
    """Whether every number of an array of texts stands for a character; Python breaks on others."""
    number = np.dtype(np.uint32).newbyteorder(labels.dtype.byteorder)
    codes = np.frombuffer(labels.tobytes(), number) if labels.nbytes else np.zeros(0)
    return not bool((codes > sys.maxunicode).any())


def are_whole(labels: np.ndarray) -> bool:
    """Whether floats are small whole numbers, which includes that they are finite."""
    return bool(((np.abs(labels) <= limits.MAX_LABEL) & (labels == np.round(labels))).all())


class Member:
    """One array of an archive, its size known from the headers before it is read."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
        self.archive, self.info = archive, info
        with archive.open(info) as stream:
            version = np.lib.format.read_magic(stream)
            read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
                version, np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(stream)
            header = stream.tell()
        if dtype.kind not in KINDS or dtype.hasobject:
            raise DataError(f"'{name}' holds an array of {dtype.kind} values.", REMEDY)
        if math.prod(shape) * dtype.itemsize + header != info.file_size:
            raise DataError(
                f"'{name}' declares more or fewer values than it holds.", "Store the arrays again."
            )

    def read(self) -> np.ndarray:
        """The array; the archive's checksum is verified on the way."""
        with self.archive.open(self.info) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)


@contextmanager
def members(file: BinaryIO, name: str) -> Iterator[dict[str, Member]]:
    """The arrays of an open ``.npz`` by name; failures while they are read are refusals too.

    Raises:
        DataError: as ``load_npz``.
    """
    try:
        with open_zip(file) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            check_unpacked(infos, name)
            if len(set(names)) < len(names) or len(names) > limits.MAX_MEMBERS:
                raise DataError(f"'{name}' names an array twice, or has too many.", REMEDY)
            wanted = {
                info.filename.removesuffix(".npy"): info
                for info in infos
                if info.filename.endswith(".npy") and is_wanted(info.filename)
            }
            yield {key: Member(archive, info, name) for key, info in wanted.items()}
    except DataError:
        raise
    except Exception as error:  # A hostile archive can raise nearly anything; all mean refusal.
        raise DataError(f"'{name}' cannot be read as images.", REMEDY) from error


def is_wanted(member: str) -> bool:
    """Whether a member is one of the arrays that are ever read: others are not even opened."""
    pairs = [*KEYS, *((x.format(s), y.format(s)) for x, y in HALVES for s in ("train", "test"))]
    return any(member.removesuffix(".npy") in pair for pair in pairs)
