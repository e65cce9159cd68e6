"""The one grammar in which settings name a trigger: a word and its values, or a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from mimic.config import TRIGGER_FORMS, resolve_path
from mimic.errors import TriggerError
from mimic.printable import shown
from mimic.trigger.base import Trigger
from mimic.trigger.blend import BlendTrigger
from mimic.trigger.frequency import MAGNITUDE, WINDOW, FrequencyTrigger
from mimic.trigger.patch import PatchTrigger
from mimic.trigger.pattern import PatternTrigger
from mimic.trigger.picture import read_picture
from mimic.trigger.random_patch import HIGH, LOW, RandomPatchTrigger
from mimic.trigger.resized import ResizedTrigger
from mimic.trigger.stored import load, load_first_row, load_patch

WHOLE = r"(\d{1,6})"
REAL = r"(\d{1,6}(?:\.\d{1,9})?)"
FILE = r"(?P<file>.+?)"
FORMS = {
    "square": rf"{WHOLE}:{WHOLE}:{WHOLE}",
    "patch": rf"{FILE}:{WHOLE}:{WHOLE}:{WHOLE}",
    "random-patch": rf"{FILE}:{WHOLE}(?::{REAL}:{REAL})?",
    "blend": rf"{FILE}:{REAL}",
    "pattern": FILE,
    "sig": rf"{REAL}:{REAL}",
    "ctrl": rf"(?:{REAL}(?::{WHOLE})?)?",
    "npz-resize": FILE,
    "npz-row": FILE,
}


def parse(text: str) -> tuple[str, re.Match[str] | None]:
    """The word a text begins with and its values; no word for a plain file.

    Raises:
        TriggerError: if the values are not the word's.
    """
    word, colon, rest = text.partition(":")
    if word not in FORMS or (not colon and word != "ctrl"):
        return "", None
    match = re.fullmatch(FORMS[word], rest)
    if match is None:
        raise TriggerError(
            f"The trigger beginning with '{word}' is not written as such a trigger is.",
            f"Write {TRIGGER_FORMS}.",
        )
    return word, match


def trigger_file(text: str) -> str:
    """The file a trigger's text names, or nothing where it names none."""
    _, match = parse(text)
    if match is None:
        return text
    return match["file"] if "file" in match.groupdict() else ""


def from_text(text: str, *, image_size: int) -> Trigger:
    """Make the trigger a setting names.

    Args:
        text: one of ``TRIGGER_FORMS``.
        image_size: side of the images it will be stamped on.

    Raises:
        TriggerError: if the text or the file it names is none of a trigger, or does not fit.
    """
    word, match = parse(text)
    file = trigger_file(text)
    path = resolve_path(file) if file else Path()  # No path, where none is named.
    if match is None:
        if not path.is_file():
            raise TriggerError(
                f"There is no trigger file '{shown(path.name)}'.",
                f"Check the path, or write {TRIGGER_FORMS}.",
            )
        return load(path)
    given = [value for value in match.groups() if value is not None]
    values = given[1:] if "file" in match.groupdict() else given
    return MAKERS[word](path, values, image_size)


def fitting_trigger(text: str, *, height: int, width: int) -> Trigger:
    """The trigger a setting names, for images of one size.

    Jobs make it before any long work, pages before any job.

    Raises:
        TriggerError: if there is no such trigger, or it does not fit these images.
    """
    trigger = from_text(text, image_size=height)
    trigger.check_size(height, width)
    return trigger


def square(_path: Path, values: list[str], image_size: int) -> Trigger:
    """A white square."""
    row, column, size = map(int, values)
    return PatchTrigger.white_square(row=row, column=column, size=size, image_size=image_size)


def patch(path: Path, values: list[str], image_size: int) -> Trigger:
    """A picture at one place."""
    row, column, size = map(int, values)
    picture = read_picture(path, width=size)
    return PatchTrigger.placed(picture, row=row, column=column, image_size=image_size)


def random_patch(path: Path, values: list[str], image_size: int) -> Trigger:
    """A picture at a place that differs from image to image."""
    low, high = map(float, values[1:]) if values[1:] else (LOW, HIGH)
    trigger = RandomPatchTrigger(read_picture(path, width=int(values[0])), low=low, high=high)
    trigger.check_size(image_size, image_size)
    return trigger


def blend(path: Path, values: list[str], image_size: int) -> Trigger:
    """A picture mixed into the whole image."""
    picture = read_picture(path, width=image_size, height=image_size)
    return BlendTrigger(picture[..., :3], alpha=float(values[0]))


def pattern(path: Path, _values: list[str], image_size: int) -> Trigger:
    """A pattern added to the whole image."""
    picture = read_picture(path, width=image_size, height=image_size)
    return PatternTrigger.from_picture(picture[..., :3])


def sinusoid(_path: Path, values: list[str], image_size: int) -> Trigger:
    """SIG's waves."""
    amplitude, frequency = map(float, values)
    return PatternTrigger.sinusoid(amplitude=amplitude, frequency=frequency, image_size=image_size)


def frequency(_path: Path, values: list[str], image_size: int) -> Trigger:
    """CTRL's raised coefficients."""
    magnitude = float(values[0]) if values else MAGNITUDE
    window = int(values[1]) if len(values) > 1 else WINDOW
    trigger = FrequencyTrigger(magnitude=magnitude, window=window)
    trigger.check_size(image_size, image_size)
    return trigger


def resized(path: Path, _values: list[str], image_size: int) -> Trigger:
    """A file whose trigger is larger than the images."""
    inner = load_patch(path)
    if inner.shape == (image_size, image_size):
        return inner
    trigger = ResizedTrigger.around(inner)
    trigger.check_size(image_size, image_size)
    return trigger


def first_row(path: Path, _values: list[str], _image_size: int) -> Trigger:
    """A file of which only the first row counts."""
    return load_first_row(path)


MAKERS: dict[str, Callable[[Path, list[str], int], Trigger]] = {
    "square": square,
    "patch": patch,
    "random-patch": random_patch,
    "blend": blend,
    "pattern": pattern,
    "sig": sinusoid,
    "ctrl": frequency,
    "npz-resize": resized,
    "npz-row": first_row,
}
