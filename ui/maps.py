"""Embedding maps: clean inputs as circles, triggered ones as crosses, each with its image's id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ui import palette
from ui.charts import styled

KINDS = (("clean", "circle-open"), ("triggered", "x"))
Range = tuple[float, float]


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
    """Points of one map.

    Args:
        clean: (n, 2) positions of the clean images.
        triggered: (n, 2) positions of the same images with the trigger.
        labels: (n,) classes, -1 where unknown.
        ids: (n,) numbers of the images, which selections come back with.
    """

    clean: np.ndarray
    triggered: np.ndarray
    labels: np.ndarray
    ids: np.ndarray

    def of_classes(self, classes: Sequence[int]) -> Cloud:
        """The points of some classes; of all where none is named."""
        kept = np.isin(self.labels, list(classes)) if classes else np.ones(len(self.ids), bool)
        return Cloud(self.clean[kept], self.triggered[kept], self.labels[kept], self.ids[kept])


def embedding_map(
    cloud: Cloud,
    *,
    ranges: tuple[Range, Range],
    axis: str,
    by_class: bool,
    class_name: Callable[[int], str],
    stressed: Sequence[int] = (),
) -> go.Figure:
    """One map.

    Args:
        cloud: the points.
        ranges: shared axis ranges.
        axis: name of the projection, such as UMAP.
        by_class: colour by class; otherwise by clean and triggered.
        class_name: a class's name on screen.
        stressed: ids of images to stress while all others fade; none stresses all.
    """
    figure = go.Figure()
    opacity = np.full(len(cloud.ids), 0.75)
    if stressed:
        opacity = np.where(np.isin(cloud.ids, list(stressed)), 1.0, 0.12)
    for (kind, symbol), places in zip(KINDS, (cloud.clean, cloud.triggered), strict=True):
        colours: Any = palette.INPUT_COLOUR[kind]
        if by_class:
            colours = [palette.class_colour(int(label)) for label in cloud.labels]
        figure.add_scatter(
            x=places[:, 0],
            y=places[:, 1],
            mode="markers",
            name=kind,
            customdata=cloud.ids,
            text=[class_name(int(label)) for label in cloud.labels],
            marker={"symbol": symbol, "size": 7 if kind == "clean" else 6, "color": colours,
                    "opacity": opacity, "line": {"width": 1.4 if kind == "clean" else 0}},
            hovertemplate="class %{text}, image %{customdata}<extra>" + kind + "</extra>",
        )  # fmt: skip
    styled(figure, x=f"{axis} 1 (no unit)", y=f"{axis} 2 (no unit)", height=430)
    figure.update_xaxes(range=ranges[0], showticklabels=False, showgrid=False)
    figure.update_yaxes(range=ranges[1], showticklabels=False, showgrid=False)
    figure.update_layout(
        showlegend=True, dragmode="lasso",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"t": 36},
    )  # fmt: skip
    label_clusters(figure, cloud, class_name, by_class=by_class)
    return figure


def label_clusters(
    figure: go.Figure, cloud: Cloud, class_name: Callable[[int], str], *, by_class: bool
) -> None:
    """Write each class's name at the median of its clean points; at most twenty names."""
    classes = [int(c) for c in np.unique(cloud.labels) if c >= 0]
    for label in classes if len(classes) <= 20 else []:
        x, y = np.median(cloud.clean[cloud.labels == label], axis=0)
        colour = palette.class_colour(label) if by_class else palette.INPUT_COLOUR["clean"]
        figure.add_annotation(
            x=float(x), y=float(y), text=f"<b>{class_name(label)}</b>", showarrow=False,
            font={"size": 11, "color": "#FFFFFF"}, bgcolor=colour, borderpad=2, opacity=0.92,
            yshift=16,
        )  # fmt: skip


def selected_ids(selection: Any) -> list[int]:
    """Image ids behind a selection; positions in a trace would mislead with several traces."""
    found = selection.get("selection", {}).get("points", []) if selection else []
    ids = [p["customdata"] for p in found if p.get("customdata") is not None]
    flat = [i[0] if isinstance(i, list | tuple) else i for i in ids]
    return sorted({int(i) for i in flat})
