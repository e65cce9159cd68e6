"""Which epochs the charts of a run at work show: chosen with a slider, kept over their updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui import mode

Records = Sequence[Mapping[str, Any]]


def shown(run_id: str, epochs: int) -> tuple[int, int]:
    """The first and the last epoch to show; all of the training until some are chosen.

    A chart with a zoom of its own would lose it: what a browser drags on a chart that grows is gone
    once the chart is drawn anew. Here the server knows, so that every update keeps it.

    Args:
        run_id: the run's.
        epochs: of the whole training.
    """
    first, last = st.session_state.get(key(run_id)) or (0, epochs)
    if not mode.is_expert() or not 0 <= first <= last <= epochs:
        return 0, epochs
    return (first, last) if last > first else (max(0, last - 1), max(1, last))


def choose(run_id: str, epochs: int) -> None:
    """The slider, for experts. It stands below the charts, which it would push down as it comes."""
    if mode.is_expert() and epochs > 1:
        st.slider(
            "Epochs shown",
            0,
            epochs,
            (0, epochs),
            key=key(run_id),
            help="Drag either end to zoom in; the axis of the losses then fits, too. New epochs "
            "join while the job works.",
        )


def key(run_id: str) -> str:
    """The key under which the session keeps what is chosen."""
    return f"zoom-{run_id}"


def within(records: Records, first: int, last: int) -> list[Mapping[str, Any]]:
    """The lines of these epochs."""
    return [record for record in records if first <= record["epoch"] <= last]
