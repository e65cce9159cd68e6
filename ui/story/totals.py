"""The figures of step 5: attack success and right answers on all test pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui import numbers, right_again, text
from ui.story import words

Scores = Mapping[str, Mapping[str, Any] | None]


def whole(scores: Scores, target: str) -> None:
    """Accuracy and attack success over all test images, before and after, and the floor."""
    before, after, twin = (scores.get(k) or {} for k in ("teacher", "student", "clean_twin"))
    st.markdown(
        f"**Attack success** is counted on all {after.get('stamped_images')} test pictures that do "
        f"not show a {text.plain(target)}, with the sticker where the attacker put it. **Right "
        f"answers** are counted on all {after.get('test_images')} test pictures without the "
        f"sticker, and on the same {after.get('stamped_images')} with it."
    )
    with st.container(horizontal=True):
        change(before, after, "asr", "Attack success after cleaning", "attack success")
        if twin.get("asr") is not None:
            st.metric(
                "Attack success, encoder never attacked", numbers.percent(twin["asr"]),
                help=words.help_for("floor"),
            )  # fmt: skip
        change(before, after, "accuracy", "Right answers after cleaning", "right answers")
        if None not in (before.get("stamped_accuracy"), after.get("stamped_accuracy")):
            change(
                before,
                after,
                "stamped_accuracy",
                "Right answers with the sticker on",
                "right with the sticker on",
            )
            if twin.get("stamped_accuracy") is not None:
                st.metric(
                    "Right with the sticker on, never attacked",
                    numbers.percent(twin["stamped_accuracy"]),
                    help=words.help_for("right with the sticker on"),
                )
    told = right_again.worth(before, after, twin, scores.get("untrained") or {})
    if told:
        st.markdown(words.said(told))


def change(
    before: Mapping[str, Any], after: Mapping[str, Any], field: str, title: str, term: str
) -> None:
    """A measure after cleaning, and how far it has moved."""
    st.metric(
        title,
        numbers.percent(after.get(field)),
        numbers.change(before[field], after[field]),
        delta_color=right_again.COLOUR.get(field, "normal"),
        delta_description=f"from {numbers.percent(before[field])}",
        help=words.help_for(term),
    )
