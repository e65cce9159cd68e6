"""Scores of compared runs with their intervals, and which differences are more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from mimic.score_differences import MIXED, about_pairs, target_shares
from mimic.tables import ENCODERS, SCORES, differs
from ui import mode, numbers

SIMPLE_MEASURES = {
    **SCORES, "asr": "attack success", "asr_all": "attack success, all classes",
}  # fmt: skip


def show(rows: Sequence[Mapping[str, Any]], named: Mapping[str, str]) -> None:
    """Scores with intervals, and each run's difference to the first."""
    rows = [row for row in rows if row["encoder"] == "student" or differs(row)]
    if not rows:
        return
    st.markdown("**Scores**, and each run's difference to the first that has one")
    marked = about_pairs(rows) == MIXED
    told = [line for row in rows for line in score_rows(row, named, marked=marked)]
    st.dataframe(told, hide_index=True, width="stretch")
    st.caption(
        "In brackets: the 95% interval. A difference counts as real where the interval of the "
        f"difference leaves zero out. {about_pairs(rows)} They speak of the test images only: "
        "another seed may move a score further than that. Suspect and clean twin are listed only "
        "where their scores differ."
    )
    about_all_classes(rows)


def called(measure: str) -> str:
    """A measure in the words of the view."""
    return (SCORES if mode.is_expert() else SIMPLE_MEASURES).get(measure, measure)


def about_all_classes(rows: Sequence[Mapping[str, Any]]) -> None:
    """What the figure over all classes counts beside the others, from the share of these images."""
    shares = target_shares(rows)
    if shares is None:
        return
    low, high = map(numbers.percent, shares)
    told = low if low == high else f"{low} to {high}"
    measure = called("asr_all")
    st.caption(
        f"{measure[0].upper()}{measure[1:]}: also counts triggered images that truly show the "
        f"attacker's class, {told} of these test images. An encoder that knows every image for "
        "what it is scores that share, not 0%. The figure without them starts at 0%."
    )


def score_rows(
    row: Mapping[str, Any], named: Mapping[str, str], *, marked: bool
) -> list[dict[str, str]]:
    """One measure of one encoder: a row per run, as so many columns would not fit on a page."""
    differences = {found["run"]: found for found in row["differences"]}
    first = named[next(iter(row["values"]))]
    return [
        {
            "encoder": ENCODERS.get(row["encoder"], row["encoder"]),
            "measure": called(row["measure"]),
            "run": letter,
            "score": with_interval(row["values"].get(run)),
            f"difference to {first}": difference(differences.get(run), marked=marked),
        }
        for run, letter in named.items()
    ]


def with_interval(own: Mapping[str, Any] | None) -> str:
    """A score and how far chance may have moved it."""
    if own is None:
        return numbers.NOTHING
    told = f" ({numbers.interval(own['interval'])})" if own["interval"] else ""
    return f"{numbers.percent(own['value'])}{told}"


def difference(found: Mapping[str, Any] | None, *, marked: bool) -> str:
    """How far a score lies from the first run's, and whether that is more than chance.

    Expert has the interval, too; where only some are of paired answers, the others are marked.
    """
    if found is None:
        return numbers.NOTHING
    words = {True: "beyond chance on these images", False: "within chance", None: "no interval"}
    told, bounds = numbers.points(found["difference"]), found["interval"]
    if bounds and mode.is_expert():
        told += f" ({100 * bounds[0]:.1f} to {100 * bounds[1]:.1f})"
    mark = ", unpaired" if marked and bounds and not found["paired"] else ""
    return f"{told}, {words[found['exceeds']]}{mark}"
