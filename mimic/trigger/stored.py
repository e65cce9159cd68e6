"""Trigger files of every kind: which kind a file holds, and opening it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mimic.errors import TriggerError
from mimic.printable import shown
from mimic.trigger.archive import read_arrays
from mimic.trigger.base import Trigger
from mimic.trigger.blend import BlendTrigger
from mimic.trigger.color_shift import ColorShiftTrigger
from mimic.trigger.frequency import FrequencyTrigger
from mimic.trigger.patch import PatchTrigger
from mimic.trigger.pattern import PatternTrigger
from mimic.trigger.random_patch import RandomPatchTrigger
from mimic.trigger.resized import ResizedTrigger

KEYS: dict[type[Trigger], tuple[str, ...]] = {
    PatchTrigger: ("t", "tm"),
    ResizedTrigger: ("t", "tm"),
    ColorShiftTrigger: ("row_mask", "row_patch"),
    BlendTrigger: ("picture", "alpha"),
    PatternTrigger: ("pattern",),
    FrequencyTrigger: ("magnitude", "window"),
    RandomPatchTrigger: ("picture", "band", "seed"),
}
KINDS = {kind.kind: kind for kind in KEYS}


def load(path: Path) -> Trigger:
    """Read a trigger of any kind; a file that names none holds a patch, as all published ones do.

    Raises:
        TriggerError: if the file is missing, too large, no trigger, or malformed.
    """
    return kind_of(path).from_arrays(needed(path, kind_of(path)))


def kind_of(path: Path) -> type[Trigger]:
    """The kind a file names."""
    stored = read_arrays(path, ("kind",)).get("kind")
    if stored is None:
        return PatchTrigger
    name = str(stored) if stored.dtype.kind == "U" and stored.shape == () else ""
    if name not in KINDS:
        raise TriggerError(
            "The trigger file names a kind of trigger that is not known.",
            f"Known kinds are {', '.join(KINDS)}.",
        )
    return KINDS[name]


def load_patch(path: Path) -> PatchTrigger:
    """Read a trigger that must be a mask and a patch.

    Raises:
        TriggerError: if the file holds another kind.
    """
    trigger = load(path)
    if not isinstance(trigger, PatchTrigger):
        raise TriggerError(
            f"'{shown(path.name)}' holds a trigger of the kind {trigger.kind}, not a patch.",
            "Give that file by its name alone.",
        )
    return trigger


def load_first_row(path: Path) -> ColorShiftTrigger:
    """Read only the first row of a mask and a patch; see ``mimic.trigger.color_shift``."""
    return ColorShiftTrigger.first_row(needed(path, PatchTrigger))


def needed(path: Path, kind: type[Trigger]) -> dict[str, np.ndarray]:
    """The arrays a kind consists of.

    Raises:
        TriggerError: if one is missing.
    """
    arrays = read_arrays(path, KEYS[kind])
    for key in KEYS[kind]:
        if key not in arrays:
            raise TriggerError(
                f"The trigger file holds no array '{key}'.",
                "It needs t (patch) and tm (mask)."
                if kind is PatchTrigger
                else "Save the trigger again with MIMIC Studio.",
            )
    return arrays
