"""The chart of a run: one that grows while it works, and one that can be saved as SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mimic.run import Status
from ui import charts, downloads, mode, picture_file

STILL = "live_charts_with_camera"
"""The key of the switch that has a run at work drawn by Plotly, which alone saves pictures."""
Rows = Callable[[], Sequence[Mapping[str, Any]]]


def offer_camera(status: Status) -> None:
    """The switch, for experts while a run is at work.

    Streamlit drops the menu with which Vega-Lite saves a chart (1.67 embeds it with ``actions``
    off and keeps only theme, renderer and padding of its options).
    """
    if mode.is_expert() and status.is_active:
        st.toggle(
            "Charts with a camera", key=STILL, persist_state="session",
            help="A chart that grows while the run works cannot be saved as a picture. With this "
            "on, charts of the run are drawn with a camera, at the price of some flicker.",
        )  # fmt: skip


def grows(status: Status) -> bool:
    """Whether the chart is the one that grows."""
    return status.is_active and not (mode.is_expert() and st.session_state.get(STILL))


def show(
    area: DeltaGenerator,
    name: str,
    told: str,
    status: Status,
    at_work: Callable[[], Any],
    ended: Callable[[], go.Figure],
    run_id: str,
    rows: Rows | None = None,
) -> None:
    """Draw a run's chart: Altair's while it works, then Plotly's, to be saved as SVG, too.

    Args:
        area: where to draw.
        name: of the chart among those of the page.
        told: its alternative text.
        status: of the run.
        at_work: makes the Altair chart, whose marks move as rows come in.
        ended: makes the same with Plotly.
        run_id: the run's, for the name of the saved picture.
        rows: the numbers behind it; offered as CSV to experts, and once the run has ended to all.
    """
    if grows(status):
        area.altair_chart(at_work(), width="stretch", key=f"live-{name}", alt=told)
    else:
        saved = picture_file.named(name, run_id, tools=charts.ZOOM_TOOLS)
        area.plotly_chart(ended(), config=saved, key=f"ended-{name}", alt=told)
    if rows and (mode.is_expert() or not status.is_active):
        with area:
            downloads.rows_csv(rows, picture_file.file_name(name, run_id))
