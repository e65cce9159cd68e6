"""What several seeds of one cleaning come to: mean and range, and the worst verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from mimic.verdict import TITLES
from ui import glossary, numbers, runs_scores
from ui.verdict import LOOKS

MEASURES = ("accuracy", "asr", "stamped_accuracy")


def show(found: Mapping[str, Any], named: Mapping[str, str]) -> None:
    """A card on repetitions; nothing where the runs are none.

    Args:
        found: see ``mimic.seeds.summary``; empty where the runs differ in more than the seed.
        named: the letter of each run.
    """
    if not found:
        return
    count = len(found["seeds"])
    with st.container(border=True):
        if found["worst"]:
            colour, icon = LOOKS[found["worst"]]
            st.badge(found["title"], icon=icon, color=colour)
        drawn = ", ".join(f"{named[run]}: {seed}" for run, seed in found["seeds"].items())
        st.markdown(
            f"**The same cleaning with {numbers.in_words(count)} seeds** ({drawn})",
            help=glossary.help_for("seed"),
        )
        st.markdown("\n".join(f"- {line}" for line in lines(found, named)))


def lines(found: Mapping[str, Any], named: Mapping[str, str]) -> list[str]:
    """The figures over all seeds, and how many got which verdict."""
    said = []
    for measure in MEASURES:
        own = found["student"].get(measure)
        if own:
            called = runs_scores.called(measure)
            said.append(
                f"{called[0].upper()}{called[1:]}: {numbers.percent(own['mean'])} on average, from "
                f"{numbers.percent(own['lowest'])} to {numbers.percent(own['highest'])}."
            )
    count = len(found["seeds"])
    for level, runs in found["verdicts"].items():
        which = ", ".join(named[run] for run in runs)
        said.append(f"{TITLES[level]}: {len(runs)} of {count} ({which}).")
    if len(found["verdicts"]) > 1:
        said.append("The worst of them counts: whoever cleans once gets any of these.")
    return said
