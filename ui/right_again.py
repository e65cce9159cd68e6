"""What it is worth that answers are right again with the trigger on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mimic import verdict_words
from ui import numbers

Scores = Mapping[str, Any]
COLOUR: dict[str, Literal["normal", "inverse", "off"]] = {
    "asr": "inverse",
    "stamped_accuracy": "off",
}
"""Of a change of a measure. Right answers with the trigger on stay grey: from none, they rise far
even in an encoder that has learned little."""


def worth(before: Scores, after: Scores, twin: Scores, untrained: Scores) -> str:
    """What the share of right answers with the trigger on is worth; empty where it is not known.

    From nothing, it climbs far even in an encoder that learned little, and a reader should know.
    """
    now, clean = after.get("stamped_accuracy"), twin.get("stamped_accuracy")
    if None in (before.get("stamped_accuracy"), now):
        return ""
    told = ""
    if untrained.get("stamped_accuracy") is not None:
        told = (
            "Even the same network without any training is right on "
            f"{numbers.percent(untrained['stamped_accuracy'])} of these images with the trigger "
            "on. "
        )
    if clean is not None and verdict_words.stamped_loss(twin, after)[0] > 0:
        told += (
            f"So {numbers.percent(now)} means that the attacker's answer is gone, not that all "
            "right answers are back."
        )
    return told
