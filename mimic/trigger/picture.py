"""Pictures that patches and patterns are made from, read within bounds."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np

from mimic.datasets.image_file import FORMATS, read_bounded
from mimic.datasets.limits import MAX_PIXELS
from mimic.errors import DataError, TriggerError
from mimic.printable import shown


def read_picture(path: Path, *, width: int, height: int | None = None) -> np.ndarray:
    """A picture file at a wanted size.

    Args:
        path: the file, of a format that image folders take too.
        width: columns to resize to (bicubic, with transparency taken into account).
        height: rows to resize to; None keeps the picture's proportions.

    Returns:
        uint8 (height, width, 4): RGB and alpha.

    Raises:
        TriggerError: if the file is missing, too large or unreadable, or the size is nothing.
    """
    from PIL import Image

    name = shown(path.name)
    if not path.is_file():
        raise TriggerError(f"There is no picture '{name}'.", "Check the path.")
    content = read_small(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of bombs and of damaged metadata.
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                check_pixels(name, opened.width * opened.height)
                rows = height or int(opened.height * width / opened.width)
                if min(width, rows) < 1 or max(width, rows) > 4096:
                    raise TriggerError(
                        f"'{name}' cannot be shown {width} pixels wide and {rows} high.",
                        "Choose a size between 1 and 4096 pixels.",
                    )
                colours = opened.convert("RGBA")
                if colours.size != (width, rows):
                    colours = colours.resize((width, rows))
                return np.array(colours)
    except TriggerError:
        raise
    except Exception as error:  # Decoders raise many kinds; all mean refusal.
        raise TriggerError(
            f"'{name}' is not a readable picture.", "Store it again as PNG."
        ) from error


def read_small(path: Path) -> bytes:
    """A picture file's bytes.

    Raises:
        TriggerError: if they are more than a picture needs, or cannot be read.
    """
    try:
        return read_bounded(path)
    except DataError as error:
        raise TriggerError(error.cause, error.remedy) from error


def check_pixels(name: str, pixels: int) -> None:
    """Refuse pictures that would take much memory, before they are decoded."""
    if pixels > MAX_PIXELS:
        raise TriggerError(
            f"'{name}' has {pixels / 1e6:.0f} million pixels.",
            f"Use a picture of at most {MAX_PIXELS / 1e6:.0f} million pixels.",
        )
