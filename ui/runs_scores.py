"""Scores of compared runs with their intervals, and which differences are more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from mimic.enumeration import enumerated
from mimic.score_differences import MIXED, about_pairs, target_shares
from mimic.tables import ENCODERS, SCORES, differs
from ui import glossary, mode, numbers

SIMPLE_MEASURES = {
    **SCORES, "asr": "attack success", "asr_all": "attack success, all classes",
}  # fmt: skip
PLAIN = {**ENCODERS, "student": "cleaned encoder", "untrained": "untrained network"}
"""Encoders as a sentence calls them, where the word of a table would be half of it."""
CHANCE = {
    True: "that is more than chance",
    False: "that may be chance",
    None: "whether that is chance cannot be told",
}


def show(rows: Sequence[Mapping[str, Any]], named: Mapping[str, str]) -> None:
    """Each run's difference to the first: in sentences, for experts as a table with intervals."""
    rows = [row for row in rows if row["encoder"] == "student" or differs(row)]
    if not rows:
        return
    if mode.is_expert():
        tabled(rows, named)
    else:
        told(rows, named)


def told(rows: Sequence[Mapping[str, Any]], named: Mapping[str, str]) -> None:
    """What the comparison comes to, a sentence for each figure."""
    said = [
        sentence(row, gap, named)
        for row in rows
        if row["measure"] != "asr_all"
        for gap in row["differences"]
    ]
    gaps = [gap for row in rows if row["measure"] != "asr_all" for gap in row["differences"]]
    differ = any(round(gap["difference"], 3) for gap in gaps)
    title = "What differs in the figures" if differ else "The figures are the same"
    st.markdown(f"**{title}**\n" + "\n".join(f"- {one}" for one in said))
    if not any(CHANCE[True] in one for one in said):
        return
    st.caption(
        "“More than chance” speaks of these test images only: cleaning once more with another seed "
        "may move a figure further than that. Expert shows all figures and their intervals.",
        help=glossary.help_for("95% interval", "seed"),
    )


def sentence(row: Mapping[str, Any], gap: Mapping[str, Any], named: Mapping[str, str]) -> str:
    """One figure of two runs, how far they lie apart, and whether that may be chance."""
    first, other = named[gap["against"]], named[gap["run"]]
    was, now = (row["values"][gap[key]]["value"] for key in ("against", "run"))
    what = f"**{called(row['measure'])}** of the {PLAIN[row['encoder']]}"
    ends = f"{numbers.percent(was)} in {first}, {numbers.percent(now)} in {other}"
    if not round(gap["difference"], 3):
        return f"{what}: {numbers.percent(now)} in both {first} and {other}."
    if gap["unlike"]:
        why = f"measured with other {enumerated(gap['unlike'])}, so it does not compare"
    else:
        why = CHANCE[gap["exceeds"]]
    return f"{what}: {ends}; {why}."


def tabled(rows: Sequence[Mapping[str, Any]], named: Mapping[str, str]) -> None:
    """Scores with intervals, and each run's difference to the first."""
    st.markdown("**Scores**, and each run's difference to the first that has one")
    marked = about_pairs(rows) == MIXED
    lines = [line for row in rows for line in score_rows(row, named, marked=marked)]
    st.dataframe(lines, hide_index=True, width="stretch")
    st.caption(
        "In brackets: the 95% interval. A difference counts as real where the interval of the "
        f"difference leaves zero out. {about_pairs(rows)} They speak of the test images only: "
        "another seed may move a score further than that. Suspect, clean twin and the untrained "
        "network are listed only where their scores differ."
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

    Where only some are of paired answers, the others are marked.
    """
    if found is None:
        return numbers.NOTHING
    words = {True: "beyond chance on these images", False: "within chance", None: "no interval"}
    unlike = found["unlike"]
    verdict = f"other {enumerated(unlike)}" if unlike else words[found["exceeds"]]
    told, bounds = numbers.points(found["difference"]), found["interval"]
    if bounds:
        told += f" ({100 * bounds[0]:.1f} to {100 * bounds[1]:.1f})"
    mark = ", unpaired" if marked and bounds and not found["paired"] else ""
    return f"{told}, {verdict}{mark}"
