"""Where to go from an inspection or a cleaning: the links follow the verdict on it."""

from __future__ import annotations

import streamlit as st

from ui import frame

Links = tuple[tuple[str, str], ...]
"""Pages with what the link there is called, the most useful first."""

AFTER_INSPECTION: dict[str, Links] = {
    "backdoor": (("distil", "Next: clean it"), ("layers", "See what its layers know")),
    "unknown": (("layers", "Next: measure its layers"), ("distil", "Or clean it to be safe")),
    "not_seen": (("layers", "Next: measure its layers"),),
    "broken": (("layers", "See what its layers know"),),
}
"""By level. Where no backdoor was seen there is nothing to clean, and a broken encoder knows
nothing that a cleaned one could learn."""
WELL = ("clean", "nothing")
"""Levels of a cleaning after which nothing is left to do."""


def after_inspection(level: str) -> None:
    """Links below an inspection.

    Args:
        level: of the verdict on the suspect.
    """
    with st.container(horizontal=True):
        for page, label in AFTER_INSPECTION.get(level, AFTER_INSPECTION["unknown"]):
            frame.link(page, label)


def after_cleaning(level: str, run_id: str) -> None:
    """Links below the verdict on a cleaned encoder.

    Args:
        level: of the verdict on the cleaned encoder.
        run_id: of the cleaning.
    """
    with st.container(horizontal=True):
        if level in WELL:
            frame.link("suspect", "Inspect your own file")
            frame.link("layers", "See what the layers know")
            frame.link("distil", "See this cleaning in detail", run=run_id)
        else:
            frame.link("distil", "See in detail how it went", run=run_id)
            frame.link("layers", "See what the layers know")
