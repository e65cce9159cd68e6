"""Companions of a curve of information: CKA, rank, probe and separability per layer, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ui import charts, numbers, palette, text

COMPANIONS = {
    "cka": (
        "Likeness to the output (CKA)",
        "Linear centred kernel alignment with the output features: 1 means the layer spaces images "
        "as the output does.",
    ),
    "effective_rank": (
        "Effective rank",
        "How many directions the layer really uses; close to 1, everything lies on a line.",
    ),
    "probe_accuracy": (
        "Class accuracy of a probe (%)",
        "How often a linear classifier on this layer alone is right: what it knows of the classes.",
    ),
    "separability": (
        "Triggered or clean? (AUC)",
        "How well this layer alone tells triggered images from clean ones: 0.5 is chance, 1 means "
        "the trigger stands out.",
    ),
}
"""Name and one line of explanation of each companion."""
LAYOUTS = {
    "information": "{:.2f} nats",
    "cka": "{:.2f}",
    "effective_rank": "{:.1f}",
    "probe_accuracy": "{:.1%}",
    "separability": "{:.3f}",
}
INTERVALS = {
    "cka": "cka_interval", "effective_rank": "effective_rank_interval",
    "probe_accuracy": "probe_interval", "separability": "separability_interval",
}  # fmt: skip
"""Where a companion's 95% interval stands in its row."""
LEAST_POINTS = 10
"""Percentage points that an axis of accuracy spans at least."""
CHANCE = 0.5


def companion_chart(
    rows: Sequence[Mapping[str, Any]], name: str, layers: Sequence[str], *, height: int = 210
) -> go.Figure:
    """One companion of the information per layer, a line per network.

    Args:
        rows: network, layer and the companions of each.
        name: the companion; ``probe_accuracy`` is drawn in percent, with its interval if known.
        layers: names, input side first.
        height: of the figure, in pixels.
    """
    figure = go.Figure()
    factor = 100 if name == "probe_accuracy" else 1
    for network in dict.fromkeys(row["network"] for row in rows):
        own = {row["layer"]: row.get(name) for row in rows if row["network"] == network}
        values = [own.get(layer) for layer in layers]
        figure.add_scatter(
            x=[text.bare(layer) for layer in layers],
            y=[None if value is None else factor * value for value in values],
            name=palette.NETWORK_NAME.get(network, network),
            mode="lines+markers",
            line={"color": palette.NETWORK_COLOUR.get(network, palette.OCHRE), "width": 2},
            marker={"symbol": palette.NETWORK_SYMBOL.get(network, "circle"), "size": 8},
            error_y=whiskers(rows, network, layers, name) if name in INTERVALS else None,
            hovertemplate=f"%{{x}}: %{{y:{'.1f' if factor == 100 else '.3g'}}}"
            "<extra>%{fullData.name}</extra>",
            cliponaxis=False,
        )
    charts.styled(figure, x="", y="", height=height)
    figure.update_yaxes(range=axis_range(rows, name))
    figure.update_xaxes(range=[-0.3, len(layers) - 0.7])  # Else names at the ends count as points.
    return figure


def whiskers(
    rows: Sequence[Mapping[str, Any]], network: str, layers: Sequence[str], name: str
) -> dict[str, Any] | None:
    """Error bars of a network's companion, drawn as itself; None where no interval is known."""
    own = {row["layer"]: row for row in rows if row["network"] == network}
    field, factor = INTERVALS[name], 100 if name == "probe_accuracy" else 1
    if not any(row.get(field) for row in own.values()):
        return None
    reach = []
    for layer in layers:
        row = own.get(layer, {})
        value = row.get(name) or 0.0
        low, high = row.get(field) or (value, value)
        reach.append((factor * (value - low), factor * (high - value)))
    return {
        "type": "data", "symmetric": False, "thickness": 1.2, "width": 3,
        "color": palette.NETWORK_COLOUR.get(network, palette.OCHRE),
        "arrayminus": [below for below, _ in reach], "array": [above for _, above in reach],
    }  # fmt: skip


def axis_range(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[float, float] | None:
    """What the y axis shows, where its own choice would blow up what is no difference."""
    known = [row for row in rows if row.get(name) is not None]
    if name == "separability":
        lowest = [min(row.get(INTERVALS[name]) or [row[name]]) for row in known]
        return min([CHANCE, *lowest]) - 0.02, 1.02
    if name != "probe_accuracy":
        return None
    if not all("probe_interval" in row for row in known):
        return -2, 102  # No sampling error is known that could be drawn beside the differences.
    low = 100 * min((row["probe_interval"][0] for row in known), default=0)
    high = 100 * max((row["probe_interval"][1] for row in known), default=1)
    return min(low, high - LEAST_POINTS) - 0.5, high + 0.5


def in_words(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """The suspect's values of one companion, for those who do not see the chart."""
    said = [
        f"{text.bare(row['layer'])} {LAYOUTS[name].format(row[name])}"
        for row in rows
        if row["network"] == "teacher" and row.get(name) is not None
    ]
    return f"Suspect: {', '.join(said)}." if said else ""


def table_row(row: Mapping[str, Any]) -> dict[str, str]:
    """One network and layer."""

    def number(name: str, digits: int) -> str:
        value = row.get(name)
        return numbers.NOTHING if value is None else f"{value:.{digits}f}"

    return {
        "network": palette.NETWORK_NAME.get(row["network"], text.cell(row["network"])),
        "layer": text.cell(row["layer"]),
        "CKA": number("cka", 3),
        "CKA, 95%": reach(row, "cka", 3),
        "effective rank": number("effective_rank", 1),
        "rank, 95%": reach(row, "effective_rank", 1),
        "probe accuracy": numbers.percent(row.get("probe_accuracy")),
        "95% interval": numbers.interval(row.get("probe_interval")),
        "AUC": number("separability", 3),
        "AUC, 95%": reach(row, "separability", 3),
    }


def reach(row: Mapping[str, Any], name: str, digits: int) -> str:
    """A companion's interval in words."""
    known = row.get(INTERVALS[name])
    return " to ".join(f"{end:.{digits}f}" for end in known) if known else numbers.NOTHING
