"""A list of image paths and labels: CSV, TSV, or ``path<space>label`` per line.

The first line may name the columns (``path,label``, with a third one ``split`` if wished). Labels
are class numbers or class names, or missing altogether. Relative paths start at the list's own
folder; no path may leave it, or the folders of ``MIMIC_ROOTS``. The form ``path<space>label`` is
that of UMBCvision/SSL-Backdoor's file lists.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from mimic.datasets import limits
from mimic.datasets.folder import read_below
from mimic.datasets.image_file import SUFFIXES
from mimic.datasets.image_set import Split
from mimic.datasets.listing import Listing, Picture, numbered
from mimic.datasets.tree import HALVES
from mimic.errors import DataError
from mimic.paths import ROOTS, is_below, lent_folders, open_regular
from mimic.printable import shown

PATHS = ("path", "file", "filename", "file_name", "image", "image_path", "filepath")
LABELS = ("label", "class", "target", "y", "label_name", "class_name", "category")
SPLITS = ("split", "subset", "partition")
REMEDY = "Write one image per line: path,label."
Row = tuple[int, str, str, str]
"""Line number, path, label and half; the last two may be empty."""


def list_table(path: Path, split: Split) -> Listing:
    """The images that a list names.

    Raises:
        DataError: if the list is no text, names nothing, or leads outside its folder.
    """
    name = shown(path.name)
    rows = read_rows(path)
    if not rows:
        raise DataError(f"'{name}' names no image.", REMEDY)
    halves = {HALVES.get(row[3].strip().lower()) for row in rows}
    if any(row[3] for row in rows) and (None in halves or len(halves) < 2):
        raise DataError(
            f"The column of halves in '{name}' holds something else than train and test.",
            "Write train or test (or val) in every line, or leave the column out.",
        )
    is_half = halves == {"train", "test"}
    labels, class_names = number_labels(rows, name)
    folder = path.parent
    allowed = (folder.resolve(), *lent_folders())
    pictures = []
    for (line, text, _, half), label in zip(rows, labels, strict=True):
        place = place_of(text, folder, allowed, f"Line {line} of '{name}'")
        if not is_half or HALVES[half.strip().lower()] == split:
            read = partial(read_below, place, folder)
            pictures.append(Picture(place.name, label, read))
    return Listing(
        shown(path.stem),
        tuple(pictures),
        class_names,
        labelled=min(labels) >= 0,
        is_half=is_half,
    )


def place_of(text: str, folder: Path, allowed: tuple[Path, ...], where: str) -> Path:
    """The file a line names.

    Raises:
        DataError: if it names no image, or leads outside the allowed folders.
    """
    if PurePosixPath(text).suffix.lower() not in SUFFIXES:  # The list may be any secret's text:
        raise DataError(f"{where} names no image file.", REMEDY)  # none of it is repeated.
    try:
        place = folder / text
        inside = "\0" not in text and is_below(place, allowed)
    except (ValueError, OSError, RuntimeError) as error:
        raise DataError(f"{where} is no path.", REMEDY) from error
    if not inside:
        raise DataError(
            f"{where} leads outside the list's folder.",
            f"Put the list beside its images, or name their folder in {ROOTS}.",
        )
    return place


def number_labels(rows: list[Row], name: str) -> tuple[list[int], tuple[str, ...]]:
    """A class number per row, -1 for all where there are none, and names if labels are names."""
    texts = [row[2].strip() for row in rows]
    if not any(texts):
        return [-1] * len(rows), ()
    for row, text in zip(rows, texts, strict=True):
        if not text:
            raise DataError(f"Line {row[0]} of '{name}' has no label.", "Label all images or none.")
    if all(text.removeprefix("-").isdecimal() and len(text) < 10 for text in texts):
        numbers = [int(text) for text in texts]
        if min(numbers) < 0 and set(numbers) != {-1}:
            raise DataError(f"'{name}' has negative labels.", "Number the classes from 0.")
        return numbers, ()
    class_names, number = numbered(texts)
    return [number[text] for text in texts], class_names


def read_rows(path: Path) -> list[Row]:
    """The rows of a list, whichever way its columns are separated.

    Raises:
        DataError: if it is no text, too long, or its lines do not have the same columns.
    """
    name = shown(path.name)
    with open_regular(path, DataError) as file:
        content = file.read(limits.MAX_TABLE_BYTES + 1)
    if len(content) > limits.MAX_TABLE_BYTES:
        raise DataError(f"'{name}' is larger than 128 MiB.", "Use a shorter list.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"'{name}' cannot be read as images or as a list.", REMEDY) from error
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if "\0" in text or len(lines) > limits.MAX_FILES:
        raise DataError(f"'{name}' cannot be read as a list of at most a million images.", REMEDY)
    if not lines:
        return []
    cells = split_lines(lines, name)
    columns = [cell.strip().lower() for cell in cells[0]]
    if any(column in PATHS for column in columns):
        found = [next((i for i, c in enumerate(columns) if c in k), None)
                 for k in (PATHS, LABELS, SPLITS)]  # fmt: skip
        return [
            (line, *(row[i].strip() if i is not None else "" for i in found))  # type: ignore[misc]
            for (line, _), row in zip(lines[1:], cells[1:], strict=True)
        ]
    if len(columns) > 2:
        raise DataError(
            f"'{name}' has {len(columns)} columns and no names above them.",
            "Write a first line such as path,label.",
        )
    return [
        (line, row[0].strip(), row[1] if len(row) > 1 else "", "")
        for (line, _), row in zip(lines, cells, strict=True)
    ]


def split_lines(lines: Sequence[tuple[int, str]], name: str) -> list[list[str]]:
    """The cells of each line; the first line decides what separates them."""
    first = lines[0][1]
    separator = next((s for s in ("\t", ",") if s in first), None)
    rows: list[list[str]] = []
    for number, line in lines:
        if separator is None:
            row = split_at_space(line)
        else:
            try:
                row = next(csv.reader(io.StringIO(line), delimiter=separator, strict=True))
            except (csv.Error, StopIteration) as error:
                raise DataError(f"Line {number} of '{name}' cannot be split.", REMEDY) from error
        if rows and len(row) != len(rows[0]):
            raise DataError(
                f"Line {number} of '{name}' has {len(row)} columns, the first line has "
                f"{len(rows[0])}.",
                "Give every line the same columns; put a name that holds the separator in quotes.",
            )
        rows.append(row)
    return rows


def split_at_space(line: str) -> list[str]:
    """``path label``, where the path may hold spaces, or a path alone."""
    path, _, label = line.strip().rpartition(" ")
    if not path or PurePosixPath(line.strip()).suffix.lower() in SUFFIXES:
        return [line.strip()]
    return [path.strip(), label]
