"""Embedding maps: clean inputs as circles, triggered ones as crosses, each with its image's id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ui import map_labels, palette
from ui.charts import GRID, styled

KINDS = (("clean", "circle-open"), ("triggered", "x"))
WEBGL_FROM = 1_000
"""From this many points on, the browser's graphics card draws them."""
FADED, PLAIN = 0.12, 0.75
OUTLINE = palette.RANDOM
SCALED = ("displacement", "class")
"""Ways to colour in which the points of one trace differ."""
FRAME = {"showline": True, "mirror": True, "linecolor": GRID}
"""A map without numbers at its axes would float on the page."""
PLANE_AXES = (
    "leaning to the target class (score margin, nats)",
    "leaning to the true class (score margin, nats)",
)
Range = tuple[float, float]
Part = tuple[str, np.ndarray, dict[str, Any]]


def shared_ranges(coordinates: Mapping[str, np.ndarray]) -> tuple[Range, Range]:
    """One x and one y range that hold every map, so that before and after have one scale."""
    stacked = np.concatenate(list(coordinates.values()))
    low, high = stacked.min(axis=0), stacked.max(axis=0)
    pad = 0.06 * np.maximum(high - low, 1e-6)
    return (
        (float(low[0] - pad[0]), float(high[0] + pad[0])),
        (float(low[1] - pad[1]), float(high[1] + pad[1])),
    )


@dataclass(frozen=True)
class Cloud:
    """Points of one map; an image's id is its position.

    Args:
        clean: (N, 2) positions of the clean images.
        triggered: (N, 2) positions of the same images with the trigger.
        labels: (N,) classes, -1 where unknown.
        right: per kind, bool (N,): whether the encoder takes the image for what it shows.
        moved: (N,) displacement by the trigger, 0 to 2.
        most_moved: the end of the displacement scale, the same for all maps that compare.
    """

    clean: np.ndarray
    triggered: np.ndarray
    labels: np.ndarray
    right: Mapping[str, np.ndarray] | None = None
    moved: np.ndarray | None = None
    most_moved: float = 1.0

    def places(self, kind: str) -> np.ndarray:
        """Positions of the clean or the triggered images."""
        return self.clean if kind == "clean" else self.triggered


def embedding_map(
    cloud: Cloud,
    *,
    ranges: tuple[Range, Range],
    axes: tuple[str, str],
    colour: str,
    class_name: Callable[[int], str],
    stressed: Sequence[int] = (),
) -> go.Figure:
    """One map.

    Args:
        cloud: the points.
        ranges: shared axis ranges.
        axes: what stands at the axes.
        colour: ``kind``, ``class``, ``correct`` or ``displacement``.
        class_name: a class's name on screen.
        stressed: ids of images to stress while all others fade; none stresses all.
    """
    figure = go.Figure()
    count = len(cloud.labels)
    draw = go.Scattergl if 2 * count > WEBGL_FROM else go.Scatter
    ids = np.arange(count, dtype=np.uint16 if count <= 2**16 else np.uint32)
    chosen = np.isin(ids, list(stressed))
    for kind, symbol in KINDS:
        places = cloud.places(kind).astype(np.float32)
        for name, kept, look in parts(cloud, kind, colour):
            marker = {"symbol": symbol, "size": 7 if kind == "clean" else 6,
                      "line": {"width": 1.4 if kind == "clean" else 0}, **look}  # fmt: skip
            for shown, opacity in strengths(kept, chosen):
                values = marker["color"]
                named = shown.any() and (opacity != FADED or not (kept & chosen).any())
                figure.add_trace(
                    draw(
                        x=places[shown, 0],
                        y=places[shown, 1],
                        mode="markers",
                        name=name,
                        legendgroup=name,
                        showlegend=bool(named) and colour not in SCALED,
                        customdata=ids[shown],
                        marker={
                            **marker,
                            "opacity": opacity,
                            "color": values if isinstance(values, str) else values[shown],
                        },
                        selected={"marker": {"opacity": 1}},
                        unselected={"marker": {"opacity": FADED}},
                        hovertemplate="image %{customdata}<extra>" + name + "</extra>",
                    )
                )
    styled(figure, x=axes[0], y=axes[1], height=430)
    plane = axes == PLANE_AXES
    axis = {"showticklabels": plane, "showgrid": False, "zeroline": plane, **FRAME}
    figure.update_xaxes(range=ranges[0], **axis)
    figure.update_yaxes(range=ranges[1], **axis)
    figure.update_layout(
        showlegend=True, dragmode="lasso", uirevision="/".join(axes),
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom",
                "bgcolor": "rgba(0, 0, 0, 0)"},
        margin={"t": 36},
    )  # fmt: skip
    if plane:
        map_labels.regions(figure)
    else:
        map_labels.classes(
            figure, cloud.clean, cloud.labels, class_name, by_class=colour == "class"
        )
    if colour == "displacement":
        figure.update_layout(height=516, margin={"b": 110})
    if colour in SCALED:
        name_symbols(figure, draw, round_ones="circle" if colour == "displacement" else None)
    return figure


def name_symbols(figure: go.Figure, draw: Callable[..., Any], round_ones: str | None) -> None:
    """A legend of symbols alone, where colours are many: it would show some point's own.

    Args:
        figure: the map, changed in place.
        draw: the kind of trace it has.
        round_ones: the symbol of clean images, where it is not the usual one.
    """
    for kind, usual in KINDS:
        symbol = round_ones if round_ones and kind == "clean" else usual
        figure.add_trace(
            draw(
                x=[None], y=[None], mode="markers", name=kind, showlegend=True, hoverinfo="skip",
                marker={"symbol": symbol, "color": OUTLINE, "size": 7},
            )
        )  # fmt: skip


def strengths(kept: np.ndarray, chosen: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Points of one trace by how strongly they are drawn; stressed ones come last, on top."""
    if not chosen.any():
        return [(kept, PLAIN)]
    return [(kept & ~chosen, FADED), (kept & chosen, 1.0)]


def parts(cloud: Cloud, kind: str, colour: str) -> Iterator[Part]:
    """Traces of one kind: a name, which points, and how they look."""
    every = np.ones(len(cloud.labels), dtype=bool)
    if colour == "correct" and cloud.right is not None:
        right = cloud.right[kind]
        yield f"{kind}, recognised", right, {"color": palette.CLEANED}
        yield f"{kind}, mistaken", ~right, {"color": palette.SUSPECT}
    elif colour == "displacement" and cloud.moved is not None:
        yield kind, every, displacement_look(cloud.moved, kind, cloud.most_moved)
    elif colour == "class":
        yield kind, every, class_look(cloud.labels)
    else:
        yield kind, every, {"color": palette.INPUT_COLOUR[kind]}


def class_look(labels: np.ndarray) -> dict[str, Any]:
    """One colour per class, sent as numbers on a stepped scale: ten times smaller than words."""
    shades = (*palette.CLASS_COLOURS, palette.RANDOM)
    numbers = np.where(labels >= 0, labels % len(palette.CLASS_COLOURS), len(shades) - 1)
    steps = np.linspace(0, 1, len(shades) + 1)
    scale = [[float(edge), shade] for i, shade in enumerate(shades) for edge in steps[i : i + 2]]
    return {"color": numbers.astype(np.uint8), "cmin": -0.5, "cmax": len(shades) - 0.5,
            "colorscale": scale, "showscale": False}  # fmt: skip


def displacement_look(moved: np.ndarray, kind: str, most: float) -> dict[str, Any]:
    """Shades from dark (stays) to bright (moves far), outlined so that both show on any page."""
    bar = {
        "title": {"text": "how far the trigger moves it (1 − cosine)<br> ", "side": "top"},
        "orientation": "h", "thickness": 10, "y": 0, "yref": "container", "yanchor": "bottom",
    }  # fmt: skip
    return {
        "symbol": "circle" if kind == "clean" else "x",
        "color": moved.astype(np.float32),
        "cmin": 0,
        "cmax": most,
        "colorscale": list(palette.SEQUENTIAL),
        "showscale": kind == "clean",
        "colorbar": bar,
        "size": 7 if kind == "clean" else 8,
        "line": {"width": 0.7, "color": OUTLINE},
    }


def selected_ids(selection: Any) -> list[int]:
    """Image ids behind a selection; positions in a trace would mislead with several traces."""
    found = selection.get("selection", {}).get("points", []) if selection else []
    ids = [p["customdata"] for p in found if p.get("customdata") is not None]
    flat = [i[0] if isinstance(i, list | tuple) else i for i in ids]
    return sorted({int(i) for i in flat})
