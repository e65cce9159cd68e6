"""Does the encoder work at all, compared with an untrained one?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from mimic.learning import learned_beyond_chance
from ui import numbers, text


def show(result: dict[str, Any], *, has_trigger: bool) -> None:
    """The figures of the health check and what they mean.

    Args:
        result: of an inspection.
        has_trigger: whether a trigger was given, so that the scores speak to a backdoor.
    """
    st.subheader("Health check", anchor=False)
    found = result["health"]
    barely = is_barely_trained(result)
    figures(found, barely=barely)
    faults = found.get("faults", [])
    for fault in faults:
        st.error(text.sentence(fault), icon=":material/error:")
    for warning in found["warnings"]:
        st.warning(text.sentence(warning), icon=":material/warning:")
    if faults:
        return
    if barely:
        st.warning(
            "Barely better than an untrained network; it may be unfinished. The difference is "
            "within what chance brings on so few images.",
            icon=":material/warning:",
        )
    elif not found["warnings"]:
        st.success(
            "It works as an encoder: nothing unusual in its features. "
            + on_backdoor(has_trigger=has_trigger),
            icon=":material/check_circle:",
        )


def on_backdoor(*, has_trigger: bool) -> str:
    """That a sound encoder may still have a backdoor, and what would tell."""
    if has_trigger:
        return "Whether it has a backdoor is another question, which the scores below speak to."
    return "Whether it has a backdoor is another question: it cannot be told without a trigger."


def is_barely_trained(result: dict[str, Any]) -> bool:
    """Whether it does better than an untrained network, but not beyond sampling error."""
    found = result["health"]
    known, random = found["knn_accuracy"], found["random_knn_accuracy"]
    if known is None or random is None or known <= random:  # The last has a warning of its own.
        return False
    return learned_beyond_chance(result) is False


def figures(found: dict[str, Any], *, barely: bool) -> None:
    """Nearest-neighbour accuracy, spread, and features that tell nothing."""
    known, random = found["knn_accuracy"], found["random_knn_accuracy"]
    compared = known is not None and random is not None
    with st.container(horizontal=True):
        st.metric(
            "Nearest-neighbour accuracy",
            numbers.percent(known),
            numbers.points(known - random) if compared else None,
            delta_color="off" if barely else "normal",
            delta_description="against an untrained encoder" if compared else None,
            border=True,
            height="stretch",
            help="Share of test images whose most similar known images, by the encoder's numbers "
            "for them, show the same.",
        )
        spread = found["feature_spread"]
        st.metric(
            "Feature spread",
            "–" if spread is None else f"{spread:.3f}",
            border=True,
            height="stretch",
            help="How different the encoder's numbers for different images are; near 0 all images "
            "would look alike to it. An untrained encoder has "
            f"{found['random_feature_spread']:.3f}.",
        )
        still = found["dead_features"] + found.get("constant_features", 0)
        st.metric(
            "Features that never change",
            numbers.count(still),
            border=True,
            height="stretch",
            help="Of the numbers that the encoder gives for an image, how many are the same for "
            "every image and so tell nothing; the fewer the better."
            + f" {found['dead_features']} of them are always zero."
            * bool(still),
        )
