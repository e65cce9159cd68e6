"""Words in and below an embedding map: names of its regions and classes, and how to read it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go

from ui import palette

HOW_TO_READ = {
    "umap": "How to read these maps, drawn by a method called UMAP: look at which points lie "
    "together. Left and right, up and down have no meaning of their own, and how far two groups "
    "lie apart says little. The numbers below do not depend on the drawing.",
    "pca": "How to read these maps: they are a shadow of the points, along the two directions in "
    "which these differ most. Points that lie far apart here are truly apart; points that lie "
    "together may be apart in a direction that is not drawn. The numbers below see all of them.",
}
"""What one may take from a projection, by its name."""
NAMES_AT_MOST = 20
NAMED_BY = 200
"""Points of a class that decide where its name stands, at most."""


def regions(figure: go.Figure) -> None:
    """Say in the corners of the classifier's plane what it means to lie there."""
    for x, y, said in ((0.01, 0.99, "recognised"), (0.99, 0.01, "taken for the target")):
        figure.add_annotation(
            x=x, y=y, xref="paper", yref="paper", text=said, showarrow=False,
            xanchor="left" if x < 0.5 else "right", yanchor="top" if y > 0.5 else "bottom",
            font={"size": 12, "color": palette.RANDOM},
        )  # fmt: skip


def classes(
    figure: go.Figure,
    places: np.ndarray,
    labels: np.ndarray,
    class_name: Callable[[int], str],
    *,
    by_class: bool,
) -> None:
    """Write each class's name where its clean points lie densest; at most twenty names."""
    known = [int(c) for c in np.unique(labels) if c >= 0]
    for label in known if len(known) <= NAMES_AT_MOST else []:
        x, y = densest(places[labels == label])
        colour = palette.class_colour(label) if by_class else palette.INPUT_COLOUR["clean"]
        figure.add_annotation(
            x=float(x), y=float(y), text=f"<b>{class_name(label)}</b>", showarrow=False,
            font={"size": 11, "color": "#FFFFFF"}, bgcolor=colour, borderpad=2, opacity=0.92,
            yshift=16,
        )  # fmt: skip


def densest(places: np.ndarray) -> np.ndarray:
    """The one of some points (N, 2) that the nearest quarter of them lies closest to.

    A median may lie where no point is, between two groups of one class.
    """
    some = places[:: -(-len(places) // NAMED_BY)].astype(np.float64)
    away = np.square(some[:, None] - some[None]).sum(axis=-1)
    near = min(len(some) - 1, max(1, len(some) // 4))
    found: np.ndarray = places[0] if near < 1 else some[np.sort(away)[:, near].argmin()]
    return found
