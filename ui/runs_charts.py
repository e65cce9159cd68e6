"""Curves of several runs in one figure: colour, dash and a letter for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ui import mode, palette, text, training_end
from ui.charts import spread, styled

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "x", "diamond", "square", "triangle-up", "cross")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CURVES = {
    "accuracy": ("Accuracy", "accuracy (%)", 100.0),
    "asr": ("Attack success", "attack success (%)", 100.0),
    "loss": ("Total loss", "total loss (no unit)", 1.0),
    "contrastive": ("Contrastive loss", "contrastive loss (no unit)", 1.0),
    "attention": ("Attention loss", "attention loss (no unit)", 1.0),
    "clone": ("Clone loss", "clone loss (no unit)", 1.0),
    "agreement": ("Agreement with the suspect", "agreement (CKA, 0 to 1)", 1.0),
}
"""Title, axis and factor of each curve; files hold shares of 1."""
INPUT_NAME = {"clean": "clean images", "triggered": "triggered images"}


def letters(runs: Sequence[str]) -> dict[str, str]:
    """A letter for each run, in order."""
    return {run: LETTERS[i % len(LETTERS)] for i, run in enumerate(runs)}


def look(place: int) -> dict[str, Any]:
    """Line and marker of the run at a place of the comparison."""
    colour = palette.CATEGORICAL[place % len(palette.CATEGORICAL)]
    return {
        "line": {"color": colour, "dash": DASHES[place % len(DASHES)], "width": 2.3},
        "marker": {"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 8, "maxdisplayed": 9},
    }


def by_epoch(
    aligned: Mapping[str, Any],
    name: str,
    runs: Sequence[str],
    ends: Mapping[str, training_end.End] | None = None,
) -> go.Figure:
    """One curve of several distillations over the epochs.

    Args:
        aligned: ``epochs`` and ``values`` by run, see ``mimic.comparison.align``.
        name: which curve, a key of ``CURVES``.
        runs: ids of all compared runs; their order decides the looks.
        ends: by run, how accuracy or attack success ended: final scores are drawn as rings, since
            the curve is of the quicker measurements of the training.
    """
    _, axis, factor = CURVES[name]
    figure = go.Figure()
    named = letters(runs)
    for place, run in enumerate(runs):
        values = aligned["values"].get(run)
        if values is None:
            continue
        points = [
            (e, factor * v) for e, v in zip(aligned["epochs"], values, strict=True) if v is not None
        ]
        figure.add_scatter(
            x=[epoch for epoch, _ in points],
            y=[value for _, value in points],
            name=named[run],
            mode="lines+markers",
            cliponaxis=False,
            hovertemplate=f"{mode.word('epoch')} %{{x}}: %{{y:.2f}}<extra>{named[run]}</extra>",
            **look(place),
        )
    styled(figure, x=mode.word("epoch"), y=axis, height=300)
    if factor == 100.0:
        figure.update_yaxes(range=[-4, 104], tickvals=[0, 25, 50, 75, 100])
    if name == "agreement":
        figure.update_yaxes(range=[-0.04, 1.04], tickvals=[0, 0.25, 0.5, 0.75, 1])
    label_ends(figure)
    for place, run in enumerate(runs):
        if run in (ends or {}):
            training_end.ring(
                figure, (ends or {})[run], named[run], factor, look(place)["line"]["color"]
            )
    last = max([aligned["epochs"][-1], *(end.epoch for end in (ends or {}).values())])
    figure.update_xaxes(range=[0, max(1, last)])
    return figure


def label_ends(figure: go.Figure) -> None:
    """Write each trace's letter where its line ends, moved apart where ends meet."""
    ends: dict[Any, list[tuple[Any, float]]] = {}
    for trace in figure.data:
        drawn = [(x, y) for x, y in zip(trace.x, trace.y, strict=True) if y is not None]
        if drawn:
            ends.setdefault(drawn[-1][0], []).append((trace, drawn[-1][1]))
    values = [v for trace in figure.data for v in trace.y if v is not None]
    if not values:
        return
    low, high = figure.layout.yaxis.range or (min(values), max(values))
    for x, meeting in ends.items():
        places = spread([v for _, v in meeting], gap=max(1e-9, (high - low) * 0.09))
        over, under = max(0.0, max(places) - high), max(0.0, low - min(places))
        for (trace, _), place in zip(meeting, places, strict=True):
            figure.add_annotation(
                x=x, y=place - over + under, text=f"<b>{trace.name}</b>", xanchor="left", xshift=8,
                showarrow=False, font={"color": trace.line.color, "size": 13},
            )  # fmt: skip
    figure.update_layout(margin={"r": 34})


def information(row: Mapping[str, Any], runs: Sequence[str]) -> go.Figure:
    """Nats per layer of several measurements, for one network and input."""
    layers = list(dict.fromkeys(layer for own in row["values"].values() for layer in own))
    figure = go.Figure()
    named = letters(runs)
    for place, run in enumerate(runs):
        own = row["values"].get(run)
        if own is not None:
            figure.add_scatter(
                x=[text.bare(layer) for layer in layers],
                y=[own.get(layer) for layer in layers],
                name=named[run],
                mode="lines+markers",
                hovertemplate=f"%{{x}}: %{{y:.2f}} nats<extra>{named[run]}</extra>",
                **look(place),
            )
    styled(figure, x="layer, from input to output", y="information (nats)", height=300)
    figure.update_yaxes(rangemode="tozero")
    label_ends(figure)
    return figure


def cell_name(row: Mapping[str, Any]) -> str:
    """A cell of a sweep on an axis."""
    layers = "+".join(row["layers"]) or "none"
    losses = "" if row["losses"] == "all" else f", {row['losses']}"
    return text.bare(f"{layers} × {row['scale']:,g}{losses}", 40)


def sweep(rows: Sequence[Mapping[str, Any]], measure: str, runs: Sequence[str]) -> go.Figure:
    """Means of each cell that the sweeps share, in percent; whiskers are the range over seeds."""
    figure = go.Figure()
    named = letters(runs)
    for place, run in enumerate(runs):
        cells = [(cell_name(r), r["values"][run]) for r in rows if run in r["values"]]
        cells = [(name, found) for name, found in cells if found[measure] is not None]
        if not cells:
            continue
        ranges = [found.get(f"{measure}_range") or [found[measure]] * 2 for _, found in cells]
        shown = look(place)
        figure.add_scatter(
            x=[100 * found[measure] for _, found in cells],
            y=[name for name, _ in cells],
            name=named[run],
            mode="markers+text",
            text=[named[run]] * len(cells),
            textposition="top center",
            textfont={"color": shown["line"]["color"], "size": 11},
            marker={"symbol": shown["marker"]["symbol"], "size": 10,
                    "color": shown["line"]["color"]},
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.4, "width": 4,
                "color": shown["line"]["color"],
                "array": [100 * max(0.0, hi - f[measure])
                          for (_, f), (_, hi) in zip(cells, ranges, strict=True)],
                "arrayminus": [100 * max(0.0, f[measure] - lo)
                               for (_, f), (lo, _) in zip(cells, ranges, strict=True)],
            },
            hovertemplate=f"%{{y}}: %{{x:.1f}}%<extra>{named[run]}</extra>",
            cliponaxis=False,
        )  # fmt: skip
    styled(figure, x=CURVES[measure][1], y="", height=110 + 34 * len(rows))
    figure.update_xaxes(range=[-4, 104], tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(autorange="reversed")
    return figure


def widest(row: Mapping[str, Any], measure: str) -> float | None:
    """How far the runs lie apart in a cell, as a share of 1."""
    values = [v[measure] for v in row["values"].values() if v[measure] is not None]
    return max(values) - min(values) if values else None
