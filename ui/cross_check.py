"""What stands beside a curve of information: how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui import doubts, text

LONG = 1_000
BOUNDS = {
    "lower": "Lower bound on the mutual information",
    "upper": "Upper bound on the mutual information",
    "neither": "Estimate (no bound on either side) of the mutual information",
}
"""What may be said of the numbers, by the direction a result names."""
Result = Mapping[str, Any]


def meaning(result: Result) -> str:
    """What the curves show, as their estimator allows; older results are MINE's lower bound."""
    said = BOUNDS.get(str(result.get("direction", "lower")), BOUNDS["neither"])
    by = result.get("estimator_title") or result.get("estimator")
    return f"{said} ({text.plain(by)})" if by else said


def warnings(result: Result, *, plain: bool) -> None:
    """Under a heading of its own: whether the conclusion stands, and which points are less sure.

    The card is a warning only where the conclusion may not stand; a doubt about single points is
    none about the figure above it.

    Args:
        result: of a measurement.
        plain: in plain words, and without the untrained network.
    """
    found = doubts.doubts(result, untrained=not plain)
    if not found:
        return
    lines = [
        f"- **{text.plain(where, LONG)}**: {text.plain(why, LONG)}"
        for where, why in doubts.lines(result, found, plain=plain)
    ]
    stands = doubts.conclusion(result, found)
    st.header("How sure are these curves?", anchor=False)
    told = f"**Does the conclusion stand?** {text.plain(stands, LONG)}\n\n" if stands else ""
    told += "These single points are less sure than the rest:\n" + "\n".join(lines)
    if stands.startswith("Yes"):
        st.info(told, icon=":material/info:")
    else:
        st.warning(told, icon=":material/warning:")


def limits(result: Result) -> list[str]:
    """What a curve may say and what it may not, one sentence or paragraph each."""
    told = result.get("data_processing") or []
    said = [told] if isinstance(told, str) else list(told)
    if result.get("direction") in BOUNDS:
        said.append(f"{meaning(result)} between each layer and the noisy features.")
    ceiling = result.get("ceiling")
    if ceiling is not None:
        said.append(
            f"This estimator cannot say more than {ceiling:.2f} nats with as many held-out pairs; "
            "a value near that may be larger in truth."
        )
    if result.get("critics"):
        said.append(
            f"Whiskers reach from the lowest to the highest of {result['critics']} critics, each "
            "begun from a seed of its own and scored on other ones of the same images."
        )
    if result.get("reference"):
        said.append(f"Estimator: {result['reference']}.")
    return said


def explain_limits(result: Result) -> None:
    """The limits, one click away."""
    said = limits(result)
    if said:
        with st.expander("What may a curve say?"):
            st.markdown("\n".join(f"- {text.plain(sentence, LONG)}" for sentence in said))
