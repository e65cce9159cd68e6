"""Scores as tables and as one honest sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from mimic.intervals import interval_of
from ui import glossary, mode, numbers, right_again

Scores = Mapping[str, Any]
NAMES = {
    "teacher": "Suspect (before)",
    "student": "Cleaned (after)",
    "clean_twin": "Clean twin",
    "untrained": "The same, untrained",
}
RESTORED = "right, trigger on"
"""A column that runs older than the figure lack."""
HEADLINE = {
    "accuracy": ("Accuracy", "Accuracy after cleaning", glossary.TERMS["accuracy"]),
    "asr": (
        "Attack success",
        "Attack success after cleaning",
        glossary.TERMS["attack success"],
    ),
    "stamped_accuracy": (
        "Right with the trigger on",
        "Right with the trigger on, after cleaning",
        "How often an image with the trigger gets its own, right answer, counted on the images of "
        "attack success.",
    ),
}
"""What stands large: its title before and after a cleaning, and what it means."""


def rows(scores: Mapping[str, Scores | None]) -> list[dict[str, str]]:
    """One table row per encoder."""
    table = []
    told = any((row or {}).get("stamped_accuracy") is not None for row in scores.values())
    for key, name in NAMES.items():
        row = scores.get(key)
        if row:
            table.append(
                {
                    "encoder": name,
                    "accuracy": numbers.percent(row["accuracy"]),
                    "95% interval": numbers.interval(row["accuracy_interval"]),
                    "ASR": numbers.percent(row.get("asr")),
                    "ASR 95% interval": numbers.interval(row.get("asr_interval")),
                    "ASR, all classes": numbers.percent(row.get("asr_all")),
                    "95% interval, all classes": numbers.interval(interval_of(row, "asr_all")),
                    "test images": numbers.count(row["test_images"]),
                    **({RESTORED: restored(row)} if told else {}),
                }
            )
    return table


def restored(row: Scores) -> str:
    """Right answers with the trigger on, with their interval."""
    share = numbers.percent(row.get("stamped_accuracy"))
    return f"{share} ({numbers.interval(row.get('stamped_accuracy_interval'))})"


def table(scores: Mapping[str, Scores | None]) -> None:
    """Accuracy and attack success of each encoder; in Simple the few figures that matter."""
    if not mode.is_expert():
        headline(scores)
        return
    st.dataframe(rows(scores), hide_index=True, width="stretch")
    st.caption(
        "Accuracy: a simple classifier on the frozen encoder, on clean test images (CA for the "
        "clean twin, BA for the suspect). ASR: share of triggered test images, without those of "
        "the target class, that end in the target class; “all classes” counts these too. The "
        "clean twin's ASR is the floor: what the trigger does to an encoder without a backdoor. "
        "The untrained network tells how much of both no training has brought. Right with the "
        "trigger on: of the same images as the ASR, those that get their own, right answer."
    )


def headline(scores: Mapping[str, Scores | None]) -> None:
    """Accuracy, attack success, floor and right answers with the trigger on, as large numbers."""
    before, after, twin = (scores.get(k) for k in ("teacher", "student", "clean_twin"))
    with st.container(horizontal=True):
        for field, (title, title_after, explained) in HEADLINE.items():
            old = before.get(field) if before else None
            new = after.get(field) if after else None
            if old is None or (after and new is None):
                continue
            st.metric(
                title if new is None else title_after,
                numbers.percent(old if new is None else new),
                None if new is None else numbers.change(old, new),
                delta_color=right_again.COLOUR.get(field, "normal"),
                delta_description=None if new is None else f"from {numbers.percent(old)}",
                help=explained,
            )
            if field == "asr" and twin and twin.get("asr") is not None:
                st.metric(
                    "Attack success, clean twin",
                    numbers.percent(twin["asr"]),
                    help=glossary.help_for("floor"),
                )
    begun = scores.get("untrained")
    if after and begun:
        again = right_again.worth(before or {}, after, twin or {}, begun)
        st.caption(
            f"Even the same network untrained is right {numbers.percent(begun['accuracy'])} of the "
            "time, as these images can be told apart that well by chance features; only what is "
            "better than that was learned." + f" {again}".rstrip()
        )
