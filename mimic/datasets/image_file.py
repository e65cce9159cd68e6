"""One image file: read within bounds, decoded by an allow-list of formats, cropped and resized."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mimic.datasets import limits
from mimic.errors import DataError
from mimic.paths import open_regular
from mimic.printable import shown

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm"}
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM")
DEEP = 65_535
"""White of an image with 16 bits a channel."""


class Decoded(NamedTuple):
    """A decoded image: uint8 (size, size, 3), and whether it lost transparency."""

    pixels: np.ndarray
    was_transparent: bool


def read_bounded(path: Path) -> bytes:
    """All bytes of an image file.

    Raises:
        DataError: if it is no regular file, cannot be read, or is too large.
    """
    with open_regular(path, DataError) as file:
        try:
            content = file.read(limits.MAX_FILE_BYTES + 1)
        except OSError as error:
            raise DataError(f"'{shown(path.name)}' cannot be read.", "Check the disk.") from error
    if len(content) > limits.MAX_FILE_BYTES:
        raise DataError(
            f"'{shown(path.name)}' is larger than 128 MiB.", "Store it as a smaller image."
        )
    return content


def decode(content: bytes, name: str, size: int) -> Decoded:
    """An image as RGB, cropped square at its centre and resized.

    Args:
        content: the file's bytes.
        name: what to call it.
        size: side of the result in pixels.

    Raises:
        DataError: if it is of no allowed format, damaged, or has too many pixels.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                if opened.width * opened.height > limits.MAX_PIXELS:
                    raise DataError(
                        f"'{shown(name)}' has {opened.width * opened.height / 1e6:.0f} million "
                        "pixels.",
                        "Use images of at most 25 million pixels.",
                    )
                transparent = opened.has_transparency_data
                fitted = ImageOps.fit(as_rgb(opened), (size, size), Image.Resampling.BILINEAR)
                return Decoded(np.asarray(fitted), transparent)
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            f"'{shown(name)}' has too many pixels.", "Use images of at most 25 million pixels."
        ) from error
    except Exception as error:  # A decoder can raise nearly anything; all mean refusal.
        raise DataError(
            f"'{shown(name)}' is not a readable image.", "Remove it or store it again as PNG."
        ) from error


def as_rgb(opened: Image.Image) -> Image.Image:
    """RGB of any mode; Pillow's own conversion clips 16-bit grey to white."""
    from PIL import Image

    if not opened.mode.startswith("I"):
        return opened.convert("RGB")
    values = np.asarray(opened).astype(np.int64)
    if values.min() < 0 or values.max() > DEEP:
        raise ValueError(opened.mode)
    return Image.fromarray(np.round(values * (255 / DEEP)).astype(np.uint8)).convert("RGB")
