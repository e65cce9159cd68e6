"""Settings of a run in words a person understands; Expert adds how each one is stored."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from mimic.config import ASSET_PREFIX, VERB_CONFIGS, without_home
from mimic.datasets import TORCHVISION
from mimic.errors import MimicError
from mimic.trigger.text import parse
from ui import mode, numbers, text, uploads

SIGNS = 160
NAMES = {
    "data": "images",
    "downstream": "labelled images for scores",
    "clean_fraction": "clean images",
    "normalization": "normalisation",
    "data_root": "folder of data sets",
    "base": "base weight per layer",
    "budget": "weight shared by information",
    "information": "layer weights from",
    "views": "augmentation",
}
"""What settings are called where their own name says too little."""
ASSET_PARTS = {
    "teacher": "encoder", "clean_twin": "clean twin", "trigger": "trigger",
    "reference": "reference",
}  # fmt: skip
DATA_SETS = {"digits": "handwritten digits", **TORCHVISION}
FILES = ("encoder", "clean_twin", "student", "reference", "data", "downstream", "reference_data")
SOURCES = {"measure": "measured first", "uniform": "all layers alike"}
PLACED = ", row {}, column {}"


def name(setting: str) -> str:
    """What a setting is called; in Expert also the command line's name, where that is another."""
    said = NAMES.get(setting, setting.replace("_", " "))
    return text.cell(f"{said} ({setting})" if setting in NAMES and mode.is_expert() else said)


def shown(kind: str, setting: str, stored: object) -> str:
    """A setting's value in a table: in words, and in Expert as it is stored, too.

    Args:
        kind: of the run, which decides what a sign such as -1 stands for.
        setting: its name.
        stored: its value in run.json, None where runs of this kind have no such setting.
    """
    if stored is None:
        return numbers.NOTHING
    said, raw = in_words(kind, setting, stored), written(stored)
    if not raw or said == raw or not mode.is_expert():
        return cell(said, stored)
    return cell(f"{said} ({raw})", stored)


def cell(said: str, stored: object) -> str:
    """Words in a table; a number needs no guard against spreadsheets."""
    is_number = isinstance(stored, int | float) and said == written(stored)
    return text.bare(said, SIGNS) if is_number else text.cell(said, SIGNS)


def written(stored: object) -> str:
    """A value as it is stored; nothing where that tells no more than the words."""
    return "" if isinstance(stored, bool | list | tuple) else without_home(str(stored))


def in_words(kind: str, setting: str, stored: object) -> str:
    """A value in words."""
    unset = sign_of(kind, setting)
    if unset and stored == unset[0] and not isinstance(stored, bool):
        return unset[1]
    if isinstance(stored, bool):
        return "yes" if stored else "no"
    if isinstance(stored, list | tuple):
        return ", ".join(str(value) for value in stored) or "none"
    if stored == "":
        return "the same images" if setting in ("downstream", "reference_data") else "not set"
    if setting == "clean_fraction" and isinstance(stored, float):
        return f"{numbers.percent(stored)} of the images"
    if setting == "information":
        return SOURCES.get(str(stored), str(stored))
    if setting == "trigger":
        return trigger(str(stored))
    return file(str(stored)) if setting in FILES else str(stored)


def sign_of(kind: str, setting: str) -> tuple[Any, str] | None:
    """The value that stands for "not given", and what is done then."""
    fields = dataclasses.fields(VERB_CONFIGS[kind]) if kind in VERB_CONFIGS else ()
    found = next((f for f in fields if f.name == setting), None)
    return (found.default, found.metadata["unset"]) if found and found.metadata["unset"] else None


def file(stored: str) -> str:
    """A file, folder or data set by the name its owner knows it by."""
    if stored in DATA_SETS:
        return DATA_SETS[stored]
    if stored.startswith(ASSET_PREFIX):
        subject, _, rest = stored.removeprefix(ASSET_PREFIX).partition("/")
        part = rest.rsplit(".", 1)[0]
        return f"{subject} {ASSET_PARTS.get(part, part)}".strip()
    return uploads.as_given(stored.rstrip("/").rsplit("/", 1)[-1])


def trigger(stored: str) -> str:
    """What a trigger's text names, see ``mimic.trigger.text``."""
    word, found = "", None
    with contextlib.suppress(MimicError):
        word, found = parse(stored)
    if found is None or word not in TRIGGERS:
        return file(stored)
    held = found.groupdict().get("file")
    values = [value for value in found.groups() if value is not None]
    return TRIGGERS[word](file(held) if held else "", values[1:] if held else values)


TRIGGERS: Mapping[str, Callable[[str, list[str]], str]] = {
    "square": lambda _, v: f"white square of {v[2]} px" + PLACED.format(*v),
    "patch": lambda file, v: f"picture {file} of {v[2]} px" + PLACED.format(*v),
    "random-patch": lambda file, v: f"picture {file} of {v[0]} px at changing places",
    "blend": lambda file, v: f"picture {file} blended in at {float(v[0]):.0%}",
    "pattern": lambda file, _: f"pattern {file}",
    "sig": lambda _, v: f"waves of strength {v[0]}, {v[1]} across the image",
    "ctrl": lambda _, v: "colours shifted" + (f" by {v[0]}" if v else ""),
    "npz-resize": lambda file, _: f"{file}, images enlarged for it",
    "npz-row": lambda file, _: f"first row of {file}",
}
"""By the first word of a trigger's text: the file it names and its values, in words."""
