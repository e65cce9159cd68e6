"""The chart of a run: one that grows while it works, then one that can be saved as SVG."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
from streamlit.delta_generator import DeltaGenerator

from mimic.run import Status
from ui import charts, picture_file


def show(
    area: DeltaGenerator,
    name: str,
    told: str,
    status: Status,
    at_work: Callable[[], Any],
    ended: Callable[[], go.Figure],
    run_id: str,
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
    """
    if status.is_active:
        area.altair_chart(at_work(), width="stretch", key=f"live-{name}", alt=told)
    else:
        saved = picture_file.named(name, run_id, tools=charts.ZOOM_TOOLS)
        area.plotly_chart(ended(), config=saved, key=f"ended-{name}", alt=told)
