"""A sticker drawn on an image: strokes of cells and colours, and the trigger they make.

A stroke is some cells and a colour; an empty colour erases. A cell is a pixel, or a square of
pixels where the image is large.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mimic.trigger import PatchTrigger
from ui.look import styled

FINE_SIDE = 48
"""Up to this side every pixel is a cell; larger images get at most some 56 cells a side."""
COARSE_CELLS = 56
PLOT = 336


@dataclass(frozen=True)
class Stroke:
    """Cells painted at once.

    Args:
        cells: their numbers, row by row.
        colour: ``#rrggbb``, or nothing to erase.
    """

    cells: tuple[int, ...]
    colour: str


def cell_side(side: int) -> int:
    """Pixels per cell side."""
    return 1 if side <= FINE_SIDE else -(-side // COARSE_CELLS)


def cells_across(side: int) -> int:
    """Cells per side; the last one may be cut."""
    return -(-side // cell_side(side))


def painted(strokes: Iterable[Stroke]) -> dict[int, str]:
    """The colour of every painted cell."""
    colours: dict[int, str] = {}
    for stroke in strokes:
        for cell in stroke.cells:
            if stroke.colour:
                colours[cell] = stroke.colour
            else:
                colours.pop(cell, None)
    return colours


def rectangle(row: int, column: int, height: int, width: int, side: int) -> tuple[int, ...]:
    """The cells that hold a pixel of a rectangle; what lies outside the image is left out."""
    edge, across = cell_side(side), cells_across(side)
    rows = range(row // edge, min(across, -(-(row + height) // edge)))
    columns = range(column // edge, min(across, -(-(column + width) // edge)))
    return tuple(r * across + c for r in rows for c in columns)


def as_trigger(strokes: Iterable[Stroke], side: int) -> PatchTrigger | None:
    """The sticker as a mask and a patch, or None while nothing is painted."""
    mask = np.ones((side, side, 3), dtype=np.uint8)
    patch = np.zeros_like(mask)
    edge, across = cell_side(side), cells_across(side)
    for cell, colour in painted(strokes).items():
        row, column = (edge * place for place in divmod(cell, across))
        mask[row : row + edge, column : column + edge] = 0
        patch[row : row + edge, column : column + edge] = list(bytes.fromhex(colour[1:]))
    return None if mask.all() else PatchTrigger(mask=mask, patch=patch)


PICKS = {"select": "Box", "lasso": "Loop", "pan": "Single squares"}
"""Plotly's drag modes by what they let a person pick; clicks are only heard in the last one."""


def canvas(picture: np.ndarray, pick: str = "select") -> go.Figure:
    """The image, uint8 (S, S, 3), as squares that can be picked; each knows its cell's number."""
    side = len(picture)
    edge, across = cell_side(side), cells_across(side)
    seen = picture[edge // 2 :: edge, edge // 2 :: edge]
    seen = seen[np.minimum(np.arange(across), len(seen) - 1)]
    seen = seen[:, np.minimum(np.arange(across), seen.shape[1] - 1)]
    rows, columns = (places.ravel() for places in np.mgrid[:across, :across])
    steady = {"marker": {"opacity": 1}}
    figure = go.Figure(
        go.Scatter(
            x=columns * edge, y=rows * edge, mode="markers", customdata=np.arange(across**2),
            marker={
                "symbol": "square", "size": PLOT / across, "line": {"width": 0},
                "color": [f"rgb({r},{g},{b})" for r, g, b in seen.reshape(-1, 3)],
            },
            selected=steady, unselected=steady,
            hovertemplate="row %{y}, column %{x}<extra></extra>",
        )
    )  # fmt: skip
    reach = [-edge / 2, (across - 0.5) * edge]
    look: dict[str, Any] = {"showgrid": False, "zeroline": False, "fixedrange": True, "nticks": 5}
    styled(figure, x="column (pixels)", y="row (pixels)", height=PLOT + 60)
    figure.update_xaxes(range=reach, **look, automargin=False)
    figure.update_yaxes(range=reach[::-1], **look, automargin=False)
    figure.update_layout(
        width=PLOT + 60, margin={"l": 52, "r": 8, "t": 8, "b": 52},
        dragmode=pick, clickmode="event+select", hovermode="closest",
    )  # fmt: skip
    return figure
