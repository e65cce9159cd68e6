"""Triggers: what an attacker stamps on an image, one kind a file.

Every kind is a ``Trigger``: it maps uint8 images (..., H, W, 3) to stamped ones. A setting names
one as text (``mimic.trigger.text``); ``.npz`` files hold one (``mimic.trigger.stored``).
"""

from __future__ import annotations

from mimic.trigger.base import Trigger
from mimic.trigger.blend import BlendTrigger
from mimic.trigger.color_shift import ColorShiftTrigger
from mimic.trigger.frequency import FrequencyTrigger
from mimic.trigger.patch import PatchTrigger
from mimic.trigger.pattern import PatternTrigger
from mimic.trigger.random_patch import RandomPatchTrigger
from mimic.trigger.resized import ResizedTrigger
from mimic.trigger.text import fitting_trigger, trigger_file

__all__ = [
    "BlendTrigger",
    "ColorShiftTrigger",
    "FrequencyTrigger",
    "PatchTrigger",
    "PatternTrigger",
    "RandomPatchTrigger",
    "ResizedTrigger",
    "Trigger",
    "fitting_trigger",
    "trigger_file",
]
