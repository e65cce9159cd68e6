"""Plotly figures of the analysis pages: pure functions from data to figure.

Their look is ``ui/look.py``'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ui import palette, text
from ui.look import GRID as GRID
from ui.look import LINE_WIDTH
from ui.look import label_line_ends as label_line_ends
from ui.look import spread as spread
from ui.look import styled as styled

PICTURE: dict[str, Any] = {
    "displaylogo": False,
    "toImageButtonOptions": {"format": "svg"},
}
THIN = 1.2
NO_TOOLS = {**PICTURE, "modeBarButtons": [["toImage"]]}
"""No tools that change the view, only the button that saves the picture, see ``picture_file``."""
ZOOM_TOOLS = {
    **PICTURE, "modeBarButtons": [["toImage"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
}  # fmt: skip
LASSO_TOOLS = {**PICTURE, "modeBarButtonsToRemove": ["autoScale2d", "zoomIn2d", "zoomOut2d"]}


def information_curves(curves: Sequence[Mapping[str, Any]], layers: Sequence[str]) -> go.Figure:
    """Nats per layer, one line per network and input; names stand at the line ends.

    Where a curve has ``bands``, whiskers show the lowest and the highest critic. The untrained
    network is drawn thin: it is there to compare with, and usually lies above all others.
    """
    figure = go.Figure()
    for curve in curves:
        network, given = curve["network"], curve["input"]
        trained = network != "random"
        figure.add_scatter(
            x=[text.bare(layer) for layer in layers],
            y=[curve["layers"].get(layer) for layer in layers],
            name=f"{palette.NETWORK_NAME[network]}, {given}",
            mode="lines+markers",
            line={"color": palette.NETWORK_COLOUR[network], "dash": palette.INPUT_DASH[given],
                  "width": LINE_WIDTH if trained else THIN},
            marker={"symbol": palette.INPUT_SYMBOL[given], "size": 10 if trained else 6},
            error_y=whiskers(curve, layers),
            hovertemplate="%{x}: %{y:.2f} nats<extra>%{fullData.name}</extra>",
            cliponaxis=False,
        )  # fmt: skip
    figure = styled(figure, x="layer, from input to output", y="information (nats)", height=400)
    label_line_ends(figure, text.bare(layers[-1]))
    figure.update_xaxes(range=[-0.2, len(layers) - 0.95])
    figure.update_yaxes(rangemode="tozero")
    return figure


def whiskers(curve: Mapping[str, Any], layers: Sequence[str]) -> dict[str, Any] | None:
    """A curve's band as error bars; None where it has none."""
    bands = curve.get("bands") or {}
    if not bands:
        return None
    reach = []
    for layer in layers:
        value = curve["layers"].get(layer)
        low, high = (value, value) if layer not in bands or value is None else bands[layer]
        reach.append((0.0, 0.0) if value is None else (value - low, high - value))
    return {
        "type": "data",
        "symmetric": False,
        "arrayminus": [max(0.0, below) for below, _ in reach],
        "array": [max(0.0, above) for _, above in reach],
        "color": palette.NETWORK_COLOUR[curve["network"]],
        "thickness": 1.5,
        "width": 4,
    }


def critic_fit(records: Sequence[Mapping[str, Any]]) -> go.Figure:
    """The estimate per critic epoch, on the pairs it is fitted to and on held-out pairs."""
    figure = go.Figure()
    for field, name, colour, dash in (
        ("fit", "fitted pairs", palette.RANDOM, "dash"),
        ("held_out", "held-out pairs", palette.CLEANED, "solid"),
    ):
        figure.add_scatter(
            x=[r["epoch"] for r in records],
            y=[r[field] for r in records],
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash, "width": LINE_WIDTH},
            hovertemplate="epoch %{x}: %{y:.2f} nats<extra>%{fullData.name}</extra>",
        )
    figure = styled(figure, x="training of the critic (epochs)", y="estimate (nats)", height=300)
    if records:
        label_line_ends(figure, records[-1]["epoch"])
        figure.update_xaxes(range=[0, records[-1]["epoch"]])
    return figure


def weight_bars(weights: Mapping[str, float]) -> go.Figure:
    """The weight of each layer's attention loss."""
    figure = go.Figure(
        go.Bar(
            x=[text.bare(layer) for layer in weights],
            y=list(weights.values()),
            marker={"color": palette.CLEANED, "cornerradius": 5},
            text=[f"{w:,.1f}" if w else "off" for w in weights.values()],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y:,.2f}<extra></extra>",
        )
    )
    figure = styled(figure, x="layer", y="attention weight (no unit)", height=300)
    figure.update_layout(margin={"t": 26}, bargap=0.45)
    return figure


MEASURES = {"accuracy": "accuracy (%)", "asr": "attack success (%)"}
ENCODERS = (
    ("untrained", "untrained", palette.RANDOM, "square"),
    ("clean_twin", "clean twin", palette.CLEAN_TWIN, "diamond"),
    ("student", "after cleaning", palette.CLEANED, "circle"),
    ("teacher", "suspect", palette.SUSPECT, "x"),
)


def measured(scores: Mapping[str, Mapping[str, Any] | None]) -> list[str]:
    """The measures that at least one encoder has, in the order of ``MEASURES``."""
    return [m for m in MEASURES if any((row or {}).get(m) is not None for row in scores.values())]


def before_after(scores: Mapping[str, Mapping[str, Any] | None], measure: str) -> go.Figure:
    """One measure of each encoder there is, in percent, with its interval.

    Args:
        scores: scores by encoder: teacher, student, clean_twin, untrained.
        measure: ``accuracy`` or ``asr``.
    """
    figure = go.Figure()
    for key, name, colour, symbol in ENCODERS:
        row = scores.get(key)
        if not row or row.get(measure) is None:
            continue
        value, bounds = row[measure], row[f"{measure}_interval"]
        low, high = bounds or (value, value)
        figure.add_scatter(
            x=[100 * value],
            y=[name],
            mode="markers+text",
            text=[f"{100 * value:.1f}%"],
            textposition="top center",
            textfont={"color": colour, "size": 13},
            marker={"color": colour, "symbol": symbol, "size": 12},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (high - value)],
                "arrayminus": [100 * (value - low)],
                "color": colour,
                "thickness": 2,
                "width": 6,
            },
            hovertemplate=f"{name}: %{{x:.1f}}%<extra></extra>",
            cliponaxis=False,
        )
    styled(figure, x=MEASURES[measure], y="", height=40 + 60 * max(3, len(figure.data)))
    figure.update_xaxes(range=[-4, 104], tickvals=[0, 25, 50, 75, 100])
    figure.update_layout(margin={"r": 24, "t": 26})
    return figure
