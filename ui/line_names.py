"""Names that stand at the heads of an Altair chart's lines, instead of a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from ui import look


def heads_of(rows: Sequence[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    """The newest row of each line."""
    return list({row[field]: row for row in rows}.values())


def with_places(
    rows: Sequence[dict[str, Any]], value: str, gap: float, within: tuple[float, float] | None
) -> list[dict[str, Any]]:
    """Rows with a place for each one's name that meets no other name, see ``look.spread``."""
    places = look.spread([row[value] for row in rows], gap, within)
    return [{**row, "place": place} for row, place in zip(rows, places, strict=True)]


def drawn(field: str, x: alt.X, y: alt.Y, fill: alt.Color) -> Any:
    """The name of each line at its head: it moves along as the line grows."""
    return (
        alt.Chart(look.named("heads"))
        .mark_text(align="left", dx=8, fontSize=look.LABEL_SIZE, fontWeight=600)
        .encode(x=x, y=y, text=f"{field}:N", color=fill)
    )


def beside(epochs: int, pixels: int) -> Any:
    """Room for names beside the last epoch: nothing to be seen, but the plot ends before it.

    Where names alone took it, the plot would change its width as they move along.
    """
    room = alt.Chart(look.named("room")).mark_rule(opacity=0, x2Offset=pixels)
    last = alt.datum(max(1, epochs))
    return room.encode(x=last, x2=last)
