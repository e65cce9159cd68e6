"""The chart of the agreement with the suspect: linear CKA by epoch, on an axis of its own."""

from __future__ import annotations

from typing import Any

import altair as alt

from ui import line_names, live_charts, look, palette, zoom

HEIGHT = 150


def rows_of(records: live_charts.Records, *, thin: bool = True) -> list[dict[str, Any]]:
    """One row per epoch in which the agreement with the teacher was measured, from 0 to 1."""
    measured = [r for r in records if r.get("agreement") is not None]
    return [
        {"epoch": r["epoch"], "measure": "agreement", "value": r["agreement"]}
        for r in (live_charts.thinned(measured) if thin else measured)
    ]


def drawn(records: live_charts.Records, epochs: int, since: int = 0) -> Any:
    """The agreement with the teacher on the clean images: it needs no trigger to be known.

    These are the images the student trains on, which ``progress_words.IN_SAMPLE`` says beside it.

    Linear CKA is no share of images, so it has an axis of its own.
    """
    x = live_charts.epochs_axis(epochs, since)
    rows = rows_of(zoom.within(records, since, epochs))
    y = alt.Y(
        "value:Q",
        title="CKA (0 to 1)",
        scale=alt.Scale(domain=[0, 1.08], nice=False),
        axis=alt.Axis(values=[0, 0.5, 1]),
    )
    line = (
        alt.Chart(look.named("lines"))
        .mark_line(
            strokeWidth=look.LINE_WIDTH, color=palette.VIOLET,
            point={"color": palette.VIOLET, "size": 30},
        )
        .encode(x=x, y=y, tooltip=live_charts.tips("measure", "value", ".3f"))
    )  # fmt: skip
    newest = (
        alt.Chart(look.named("heads"))
        .mark_text(
            align="left", dx=8, fontSize=look.LABEL_SIZE, fontWeight=600, color=palette.VIOLET
        )
        .encode(x=x, y=y, text=alt.Text("value:Q", format=".3f"))
    )
    chart = alt.layer(line, newest, line_names.beside(epochs, live_charts.ROOM)).properties(
        height=HEIGHT
    )
    return look.dressed(chart, lines=rows, heads=line_names.heads_of(rows, "measure"), room=[{}])
