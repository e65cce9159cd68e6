"""The one look of all figures, Plotly's and Altair's: type scale, grid, spacing, units, names.

An axis title ends in its unit in parentheses, unless the axis lists names (layers, classes,
encoders). Lines carry their names at their ends instead of a legend where there is room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import plotly.graph_objects as go

TITLE_SIZE, TEXT_SIZE, LABEL_SIZE = 13, 12, 12
"""Pixels: axis titles; numbers and names at axes; names within the figure."""
LINE_WIDTH = 2.5
GRID = "rgba(124, 136, 150, 0.25)"
MARGIN = {"l": 8, "r": 8, "t": 12, "b": 8}


def styled(figure: go.Figure, *, x: str, y: str, height: int = 380) -> go.Figure:
    """Give a Plotly figure the look that all share.

    Args:
        figure: the figure, changed in place.
        x: title of the x axis, with its unit in parentheses.
        y: title of the y axis, likewise.
        height: in pixels; the width is the column's.
    """
    figure.update_layout(
        height=height,
        margin=MARGIN,
        showlegend=False,
        hoverlabel={"align": "left"},
        font={"size": TEXT_SIZE},
        uirevision="kept",  # Zoom and hidden lines outlive an update of the data.
    )
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True,
            "tickfont": {"size": TEXT_SIZE}}  # fmt: skip
    figure.update_xaxes(title={"text": x, "font": {"size": TITLE_SIZE}}, **axis)
    figure.update_yaxes(title={"text": y, "font": {"size": TITLE_SIZE}}, **axis)
    return figure


def named(name: str) -> alt.NamedData:
    """Data that a chart refers to by name only.

    The chart itself then stays the same from one update to the next, so the browser moves the marks
    of the chart it has instead of drawing a new one.
    """
    return alt.NamedData(name=name)


def dressed(chart: Any, **data: Sequence[Mapping[str, Any]]) -> Any:
    """Give an Altair chart the same look, and its data.

    Its parts get no description of their own: the sentence given as ``alt`` speaks for the whole.

    Args:
        chart: refers to its data by ``named``.
        data: rows by that name.
    """
    chart.datasets = {name: list(rows) for name, rows in data.items()}
    return (
        chart.configure(aria=False)
        .configure_mark(aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            titleFontSize=TITLE_SIZE, titleFontWeight="normal", labelFontSize=TEXT_SIZE,
            gridColor=GRID, domain=False, ticks=False, labelPadding=6, titlePadding=10,
        )
        .configure_legend(labelFontSize=LABEL_SIZE, titleFontSize=LABEL_SIZE)
    )  # fmt: skip


def spread(
    values: Sequence[float], gap: float, within: tuple[float, float] | None = None
) -> list[float]:
    """Move values apart to at least ``gap``, each as little as possible, keeping their order.

    Without the gaps that have to lie below it each value may not fall below the one before: the
    closest such values are the means of those that would (isotonic regression; Barlow et al.,
    "Statistical Inference under Order Restrictions", 1972, pool adjacent violators).

    Args:
        values: places wanted.
        gap: least distance.
        within: lowest and highest place allowed; where they leave too little room gaps shrink.
    """
    if within is not None and len(values) > 1:
        gap = min(gap, (within[1] - within[0]) / (len(values) - 1))
    order = np.argsort(values, kind="stable")
    steps = gap * np.arange(len(values))
    pools: list[list[float]] = []
    for wanted in np.asarray(values, dtype=float)[order] - steps:
        pools.append([float(wanted)])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    level = np.array([np.mean(pool) for pool in pools for _ in pool])
    if within is not None and len(values):
        level = level.clip(within[0], max(within[0], within[1] - steps[-1]))
    placed = np.empty(len(values))
    placed[order] = level + steps
    return [float(v) for v in placed]


def label_line_ends(figure: go.Figure, last: Any) -> None:
    """Write each trace's name at its right end, moved apart where ends meet."""
    ends = [(t, t.y[-1]) for t in figure.data if len(t.y) and t.y[-1] is not None]
    tops = [v for t in figure.data for v in t.y if v is not None]
    if not ends:
        return
    reach = max(tops) - min(tops)
    places = spread([value for _, value in ends], gap=0.075 * reach or 0.05)
    for (trace, _), place in zip(ends, places, strict=True):
        figure.add_annotation(
            x=last, y=place, text=trace.name, xanchor="left", xshift=12,
            showarrow=False, font={"color": trace.line.color, "size": LABEL_SIZE},
        )  # fmt: skip
    figure.update_layout(margin={"r": 128})
