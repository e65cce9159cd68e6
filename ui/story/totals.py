"""The figures of step 5: attack success and right answers on all test pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st

from mimic import verdict_words
from ui import glossary, numbers, text

Pairs = Mapping[str, Any]
Scores = Mapping[str, Pairs | None]
COLOUR: dict[str, Literal["normal", "inverse", "off"]] = {
    "asr": "inverse",
    "stamped_accuracy": "off",
}
"""Right answers with the sticker on stay grey: what their rise is worth is told below."""


def whole(scores: Scores, target: str) -> None:
    """Accuracy and attack success over all test images, before and after, and the floor."""
    before, after, twin = (scores.get(k) or {} for k in ("teacher", "student", "clean_twin"))
    st.markdown(
        f"**Attack success** is counted on all {after.get('stamped_images')} test pictures that do "
        f"not show a {text.plain(target)}, with the sticker where the attacker put it. **Right "
        f"answers** are counted on all {after.get('test_images')} test pictures, without the "
        "sticker."
    )
    with st.container(horizontal=True):
        change(before, after, "asr", "Attack success after cleaning", "attack success")
        if twin.get("asr") is not None:
            st.metric(
                "Attack success, encoder never attacked", numbers.percent(twin["asr"]),
                help=glossary.help_for("floor"),
            )  # fmt: skip
        change(before, after, "accuracy", "Right answers after cleaning", "accuracy")
        if None not in (before.get("stamped_accuracy"), after.get("stamped_accuracy")):
            change(
                before, after, "stamped_accuracy", "Right answers with the sticker on", "trigger"
            )
            if twin.get("stamped_accuracy") is not None:
                st.metric(
                    "Right with the sticker on, never attacked",
                    numbers.percent(twin["stamped_accuracy"]),
                    help=glossary.help_for("clean twin"),
                )
    told = not_all_back(before, after, twin, scores.get("untrained") or {})
    if told:
        st.markdown(told)


def not_all_back(before: Pairs, after: Pairs, twin: Pairs, untrained: Pairs) -> str:
    """What the share of right answers with the sticker on is worth; empty where it is not known.

    From nothing, it climbs far even in an encoder that learned little, and a reader should know.
    """
    now, clean = after.get("stamped_accuracy"), twin.get("stamped_accuracy")
    if None in (before.get("stamped_accuracy"), now):
        return ""
    told = ""
    if untrained.get("stamped_accuracy") is not None:
        told = (
            "Even the same network without any training is right on "
            f"{numbers.percent(untrained['stamped_accuracy'])} of these pictures with the sticker "
            "on. "
        )
    if clean is not None and verdict_words.stamped_loss(twin, after)[0] > 0:
        told += (
            f"So {numbers.percent(now)} means that the attacker's answer is gone, not that all "
            "right answers are back."
        )
    return told


def change(
    before: Mapping[str, Any], after: Mapping[str, Any], field: str, title: str, term: str
) -> None:
    """A measure after cleaning, and how far it has moved."""
    st.metric(
        title,
        numbers.percent(after.get(field)),
        numbers.change(before[field], after[field]),
        delta_color=COLOUR.get(field, "normal"),
        delta_description=f"from {numbers.percent(before[field])}",
        help=glossary.help_for(term),
    )
