"""How an encoder file and the network correspond: what matched, what was left aside, what not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from mimic.run import Run, Status
from ui import numbers, text

CHECKED = "No code found and none run; read as weights only."
"""What was checked; whether the weights hold a backdoor is another question."""
MAX_ROWS = 2_000
NAME_LENGTH = 300
"""Longer names are cut; honest ones have at most some 100 letters."""


def show(match: Mapping[str, Any] | None) -> None:
    """Counts, and the whole list on demand; nothing for inspections of before there was one."""
    if match is None:
        return
    ignored = Counter(entry["why"] for entry in match["ignored"])
    rest = ", ".join(f"{count} {text.plain(why)}" for why, count in ignored.items())
    matched = len(match["matched"])
    broken = len(match["missing"]) + len(match["mismatched"])
    st.markdown(
        f"**Match:** {numbers.count(matched)} tensors fill "
        f"{'the whole network' if not broken else 'part of the network'}"
        f"{f'; left aside: {rest}' if rest else '; none is left over'}. {CHECKED}"
    )
    if broken:
        st.error(
            f"{len(match['missing'])} tensors are missing and {len(match['mismatched'])} do not "
            "fit.",
            icon=":material/error:",
        )
    with st.expander("Every tensor of the file"):
        found = rows(match)
        st.dataframe(found[:MAX_ROWS], hide_index=True, width="stretch")
        if len(found) > MAX_ROWS:
            st.caption(f"The first {numbers.count(MAX_ROWS)} of {numbers.count(len(found))}.")


def told_plainly(match: Mapping[str, Any] | None) -> None:
    """That all parts of the network are there and fit; what else the file holds is only counted."""
    if match is None:
        return
    spare = len(match["ignored"])
    rest = (
        f"{numbers.count(spare)} more {'lies' if spare == 1 else 'lie'} in the file "
        f"({left_over(match)}); {'it is' if spare == 1 else 'they are'} no part of the encoder and "
        "not used."
        if spare
        else "Nothing else is in the file."
    )
    st.markdown(
        f"**Every part of the network is there and fits** "
        f"({numbers.count(len(match['matched']))} parts). {rest} {CHECKED}"
    )


USUAL = {
    "head": "what its training had put on top",
    "classifier": "what its training had put on top",
    "queue": "a memory of its training",
    "momentum twin": "a copy that its training kept",
    "alias": "the same numbers under other names",
    "text tower": "the part that reads texts",
}
"""What honest files often hold beside an encoder, by the word of the match report."""


def left_over(match: Mapping[str, Any]) -> str:
    """What the unused parts of a file are, and that it is usual where it is."""
    kinds = dict.fromkeys(entry["why"] for entry in match["ignored"])
    named = dict.fromkeys(USUAL.get(kind, text.plain(kind)) for kind in kinds)
    return f"{', '.join(named)}{', as is usual' if set(kinds) <= USUAL.keys() else ''}"


def refused(run: Run, status: Status) -> None:
    """Why a file did not fill the network, where an inspection failed for that."""
    if status.state == "failed":
        show(run.read_json("match.json"))


def rows(match: Mapping[str, Any]) -> list[dict[str, str]]:
    """A line per tensor, those that do not fit first."""
    missing = [(name, "missing") for name in match["missing"]]
    shaped = [
        (entry["name"], f"expected {shape(entry['expected'])}, found {shape(entry['found'])}")
        for entry in match["mismatched"]
    ]
    ignored = [(entry["name"], f"left aside: {entry['why']}") for entry in match["ignored"]]
    matched = [(name, "matched") for name in match["matched"]]
    return [
        {"tensor": text.bare(name, NAME_LENGTH), "outcome": text.bare(outcome, NAME_LENGTH)}
        for name, outcome in (*missing, *shaped, *ignored, *matched)
    ]


def shape(sides: Sequence[int] | None) -> str:
    """A tensor's shape, or that there is no such tensor in the network."""
    return "nothing" if sides is None else "×".join(str(side) for side in sides) or "one number"


def variants(tried: Sequence[Mapping[str, Any]]) -> None:
    """Both readings of a file that does not say whether its stem pools."""
    if not tried:
        return
    st.info(
        "The file does not say whether a max-pool follows the stem, so both were tried; the better "
        "one is used from here on.",
        icon=":material/compare_arrows:",
    )
    st.dataframe(
        [
            {
                "max-pool": text.bare(one["max_pool"]),
                "nearest-neighbour accuracy": numbers.percent(one["knn_accuracy"]),
                "used": "✓" if one["chosen"] else "",
            }
            for one in tried
        ],
        hide_index=True,
        width="content",
    )
