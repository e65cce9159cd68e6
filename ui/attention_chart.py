"""The share of attention that falls on the trigger, layer by layer, as a chart and as rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from ui import charts, numbers, palette, text

LOOKS = {
    "teacher": ("suspect", palette.SUSPECT, "circle"),
    "student": ("cleaned", palette.CLEANED, "triangle-up"),
    "clean_twin": ("clean twin", palette.CLEAN_TWIN, "diamond"),
}
"""Name, colour and marker of each network."""
Result = Mapping[str, Any]


def share_by_layer(result: Result) -> go.Figure:
    """Share on the trigger per layer, a line per network, beside what mere area would give.

    Args:
        result: an attention run's result, with a trigger.
    """
    layers = list(result["layers"])
    shown = [text.bare(layer) for layer in layers]
    figure = go.Figure()
    for network in result["networks"]:
        name, colour, symbol = LOOKS[network]
        found = [row_of(result, network, layer)["on_trigger"] for layer in layers]
        figure.add_scatter(
            x=shown,
            y=[100 * f["mean"] for f in found],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            marker={"symbol": symbol, "size": 10},
            error_y={
                "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 4,
                "array": [100 * (f["interval"][1] - f["mean"]) for f in found],
                "arrayminus": [100 * (f["mean"] - f["interval"][0]) for f in found],
            },
            hovertemplate="%{x}: %{y:.1f}%<extra>%{fullData.name}</extra>",
            cliponaxis=False,
        )  # fmt: skip
    for name, dash, values in (
        ("trigger's area", "dot", [result["area"]] * len(layers)),
        ("most possible", "dashdot", [result["ceilings"][layer] for layer in layers]),
    ):
        figure.add_scatter(
            x=shown, y=[100 * v for v in values], name=name, mode="lines",
            line={"color": palette.RANDOM, "width": 1.5, "dash": dash},
            hovertemplate="%{x}: %{y:.1f}%<extra>%{fullData.name}</extra>", cliponaxis=False,
        )  # fmt: skip
    charts.styled(figure, x="layer, from input to output", y="attention on the trigger (%)")
    figure.update_layout(height=320)
    figure.update_xaxes(range=[-0.3, len(layers) - 0.7])
    tops = [100 * row["on_trigger"]["interval"][1] for row in result["numbers"]]
    top = min(100, max([*tops, 100 * result["area"]]) * 1.25)
    figure.update_yaxes(range=[0, top])
    charts.label_line_ends(figure, shown[-1], top)
    return figure


def row_of(result: Result, network: str, layer: str) -> Mapping[str, Any]:
    """The numbers of one network and layer."""
    return next(r for r in result["numbers"] if (r["network"], r["layer"]) == (network, layer))


def rows(result: Result) -> list[dict[str, str]]:
    """All numbers, one row per layer and network."""
    return [
        {
            "layer": text.bare(row["layer"]),
            "network": LOOKS[row["network"]][0],
            "attention on the trigger": share(row["on_trigger"]),
            "same place, clean": share(row["same_place"]),
            "map kept with trigger": likeness(row["unmoved"]),
            "like suspect, clean": likeness(row["like_suspect_clean"]),
            "like suspect, triggered": likeness(row["like_suspect_triggered"]),
        }
        for layer in result["layers"]
        for row in result["numbers"]
        if row["layer"] == layer
    ]


def share(found: Mapping[str, Any] | None) -> str:
    """A share with its interval."""
    if found is None:
        return numbers.NOTHING
    return f"{numbers.percent(found['mean'])} ({numbers.interval(found['interval'])})"


def likeness(found: Mapping[str, Any] | None) -> str:
    """A cosine from 0 to 1 with its interval."""
    if found is None:
        return numbers.NOTHING
    low, high = found["interval"]
    return f"{found['mean']:.2f} ({low:.2f}–{high:.2f})"


def in_words(result: Result) -> str:
    """The chart's takeaway for those who do not see it."""
    told = []
    for network in result["networks"]:
        found = {layer: row_of(result, network, layer)["on_trigger"] for layer in result["layers"]}
        course = [f"{text.bare(n)} {numbers.percent(share['mean'])}" for n, share in found.items()]
        told.append(f"{LOOKS[network][0]}: {', '.join(course)}")
    return (
        f"Share of attention on the trigger, which covers {numbers.percent(result['area'])} of the "
        f"picture. {'; '.join(told)}."
    )
