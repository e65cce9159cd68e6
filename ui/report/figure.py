"""A figure of a report with its words and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ui import figure_data


@dataclass(frozen=True)
class Figure:
    """A figure with its words.

    Args:
        name: of its files.
        section: the heading it stands under.
        title: what it shows.
        takeaway: what it says, with a number.
        figure: the drawing.
        rows: the numbers behind it.
        wide: whether it takes the whole width of the page.
    """

    name: str
    section: str
    title: str
    takeaway: str
    figure: go.Figure
    rows: Sequence[Mapping[str, Any]]
    wide: bool = False


def made(
    name: str, section: str, title: str, takeaway: str, figure: go.Figure, *, wide: bool = False
) -> Figure:
    """A figure whose numbers are those drawn."""
    return Figure(name, section, title, takeaway, figure, figure_data.rows(figure), wide)
