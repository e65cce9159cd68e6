"""The numbers beside the maps: next to which clean images the triggered ones lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from mimic.intervals import share_interval
from ui import mode, numbers, text
from ui.subject import Subject

SIDES = {
    "before": "suspect (before)",
    "after": "cleaned (after)",
    "clean_twin": "clean twin (floor)",
}
Result = Mapping[str, Any]


def table(subject: Subject, result: Result, labels: np.ndarray, layer: str) -> None:
    """The numbers of one layer, with all layers one click away, and what they mean.

    Args:
        subject: the suspect.
        result: of an embedding.
        labels: true classes of its images, -1 where unknown.
        layer: the one whose map is shown.
    """
    if not mode.is_expert():
        plainly(subject, result, labels, layer)
        return
    found = rows(result, labels)
    st.dataframe(
        [r for r in found if r["layer"] == text.cell(layer)], hide_index=True, width="stretch"
    )
    st.caption(
        "Measured in the layer itself, not in the plane, on each triggered image's nearest clean "
        "image other than itself. Triggered beside target: how often that is of class "
        f"{text.plain(subject.target_name)} (images of that class left out); low is good. Beside "
        "own class: "
        "how often it is of the class the image truly shows; high is good. Clean–triggered "
        "separation: silhouette, near 1 when triggered images form a group of their own, near 0 "
        f"when they mix. In brackets: 95% intervals. {floor_words(subject, result)}"
    )
    with st.expander("All layers"):
        st.dataframe(found, hide_index=True, width="stretch")


def plainly(subject: Subject, result: Result, labels: np.ndarray, layer: str) -> None:
    """The two numbers that matter, before and after, and what they mean."""
    sides = result["numbers"].get(layer) or {}
    before, after, twin = (sides.get(side) or {} for side in SIDES)
    others = int((labels != result.get("target_class")).sum())
    target = text.plain(subject.target_name)
    st.markdown("**Where the triggered images lie**")
    with st.container(horizontal=True):
        for field, title, better in (
            ("nearest_clean_is_target", f"Beside a {target}", "inverse"),
            ("same_class_neighbours", "Beside their own class", "normal"),
        ):
            old, new = before.get(field), after.get(field)
            if old is None:
                continue
            st.metric(
                title if new is None else f"{title}, after cleaning",
                numbers.percent(old if new is None else new),
                None if new is None else numbers.change(old, new),
                delta_color=better,  # type: ignore[arg-type]
                delta_description=None if new is None else f"from {numbers.percent(old)}",
            )
            if twin.get(field) is not None:
                st.metric("The same, clean twin", numbers.percent(twin[field]))
    st.caption(
        "For each triggered image the encoder's most similar clean image is looked up, itself left "
        f"out: is it a {target}, as the attacker wants, or of the class that the image truly "
        f"shows? The first is counted on the {numbers.count(others)} images that show no {target}, "
        f"the second on all {numbers.count(len(labels))}. {floor_words(subject, result)}"
    )


def floor_words(subject: Subject, result: Result) -> str:
    """What the clean twin's row is for, or why there is none."""
    if any(sides.get("clean_twin") for sides in result["numbers"].values()):
        return "The clean twin, which was never attacked, tells what the trigger does by itself."
    if subject.has_twin:
        return (
            "The clean twin's row, the floor, is missing: older embeddings have none, nor have "
            "those whose clean twin is of another architecture. Compute again if it is not."
        )
    return "Without a clean twin there is no floor to compare with."


def rows(result: Result, labels: np.ndarray) -> list[dict[str, str]]:
    """One row per layer and encoder, each share with its interval and its number of images."""
    others = int((labels != result.get("target_class")).sum())
    return [
        {
            "layer": text.cell(layer),
            "encoder": SIDES.get(side, text.cell(side)),
            "triggered beside target": share(found["nearest_clean_is_target"], others),
            "of images": numbers.count(others),
            "triggered beside own class": share(found["same_class_neighbours"], len(labels)),
            "of all images": numbers.count(len(labels)),
            "clean–triggered separation": decimal(found["silhouette"]),
        }
        for layer, sides in result["numbers"].items()
        for side, found in sides.items()
        if found
    ]


def share(value: float | None, images: int) -> str:
    """A share of images with its interval."""
    if value is None or not images:
        return numbers.NOTHING
    return f"{numbers.percent(value)} ({numbers.interval(share_interval(value, images))})"


def decimal(value: float | None) -> str:
    """A number from -1 to 1."""
    return numbers.NOTHING if value is None else f"{value:.2f}"
