"""The numbers behind a figure, as table rows and as CSV: one row per drawn point."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ui import mode, text

Row = dict[str, Any]
CALLED = {plain: term for term, plain in mode.PLAIN.items()}
"""A file's columns are called alike, whichever view it comes from."""


def rows(figure: go.Figure) -> list[Row]:
    """One row per point, as ``points``; without its line's name where there is one line only."""
    found = points(figure)
    if len({row.get("series") for row in found}) == 1:
        for row in found:
            row.pop("series", None)
    return found


def points(figure: go.Figure) -> list[Row]:
    """One row per point: the line it belongs to, its place on both axes, its interval if drawn."""
    across = figure.layout.xaxis.title.text or "x"
    across = CALLED.get(across, across)
    upward = figure.layout.yaxis.title.text or "y"
    if not figure.layout.yaxis.title.text and len(figure.data) and is_named(figure.data[0].y):
        upward = "name"
    named = any(trace.name for trace in figure.data)
    found = []
    for trace in figure.data:
        for i, (x, y) in enumerate(zip(listed(trace.x), listed(trace.y), strict=True)):
            row: Row = {"series": trace.name or ""} if named else {}
            row |= {across: x, upward: y}
            if trace.customdata is not None:
                row["id"] = listed(trace.customdata)[i]
            for axis, value in (("x", x), ("y", y)):
                low, high = reach(getattr(trace, f"error_{axis}", None), i)
                if low is not None and isinstance(value, int | float):
                    row |= {"interval from": value - low, "interval to": value + high}
            found.append(row)
    return found


def is_named(values: Any) -> bool:
    """Whether an axis shows names instead of numbers."""
    first = next(iter(listed(values)), None)
    return isinstance(first, str)


def listed(values: Any) -> list[Any]:
    """Plain Python values of a trace's array; nothing for none."""
    if values is None:
        return []
    return list(values.tolist() if hasattr(values, "tolist") else values)


def reach(bar: Any, i: int) -> tuple[Any, Any]:
    """How far an error bar goes below and above the i-th point."""
    if bar is None or bar.array is None:
        return None, None
    below = bar.array if bar.arrayminus is None else bar.arrayminus
    return below[i], bar.array[i]


def as_csv(table: Sequence[Mapping[str, Any]]) -> str:
    """The rows as CSV; words that a spreadsheet would take for a formula are marked as words."""
    columns = list(dict.fromkeys(name for row in table for name in row))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([text.cell(name) for name in columns])
    for row in table:
        writer.writerow([cell(row.get(name)) for name in columns])
    return buffer.getvalue()


def cell(value: Any) -> Any:
    """A number as it is, nothing as nothing, words made harmless."""
    if value is None or isinstance(value, int | float):
        return "" if value is None else value
    return text.cell(value, 400)
