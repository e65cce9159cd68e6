"""A figure of a report with its words and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import plotly.graph_objects as go

from mimic.run import Run
from ui import figure_data, picture_file, provenance


@dataclass(frozen=True)
class Figure:
    """A figure with its words.

    Args:
        name: by which it is known in the report.
        section: the heading it stands under.
        title: what it shows.
        takeaway: what it says, with a number.
        figure: the drawing.
        rows: the numbers behind it.
        wide: whether it takes the whole width of the page.
        facts: what each row of its CSV is of: run, suspect and seed.
        file: the name of its files; tables of several reports get mixed.
    """

    name: str
    section: str
    title: str
    takeaway: str
    figure: go.Figure
    rows: Sequence[Mapping[str, Any]]
    wide: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""

    @property
    def csv(self) -> str:
        """The numbers as a table of their own; what a row says itself goes before its facts."""
        return figure_data.as_csv([{**self.facts, **row} for row in self.rows])


def of_run(figure: Figure, run: Run | None) -> Figure:
    """A figure that tells of which run it is."""
    if run is None:
        return figure
    return replace(
        figure, facts=provenance.of(run), file=picture_file.file_name(figure.name, run.id)
    )


def made(
    name: str, section: str, title: str, takeaway: str, figure: go.Figure, *, wide: bool = False
) -> Figure:
    """A figure whose numbers are those drawn."""
    return Figure(name, section, title, takeaway, figure, figure_data.rows(figure), wide)
