"""Plotly figures of a training that has ended: the live charts once more, to be saved as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ui import agreement_chart, line_names, live_charts, look, mode, palette, training_end, zoom

ROOM = {"l": 64, "r": 142, "t": 12, "b": 52}
"""Pixels, the same for charts above each other, so that their epochs stand above each other."""
Rows = Sequence[Mapping[str, Any]]


def losses(
    records: live_charts.Records, height: int, span: tuple[int, int] | None = None
) -> go.Figure:
    """Each loss term as it enters the total, see ``live_charts.losses``.

    Args:
        records: the run's lines by epoch.
        height: in pixels.
        span: first and last epoch of the axis; all of the training where None.
    """
    records = within(records, span)
    rows = live_charts.loss_rows(records)
    figure = lines(rows, "term", "value", live_charts.TERMS)
    placed = line_names.with_places(
        line_names.heads_of([dict(row) for row in rows], "term"), "value", loss_gap(rows), None
    )
    for head in placed:
        name(figure, head["term"], head["place"], colours(live_charts.TERMS)[head["term"]])
    return framed(figure, records, "loss (no unit)", height, span)


def loss_gap(rows: Rows) -> float:
    """The least distance of two names beside the losses."""
    values = [row["value"] for row in rows]
    return 0.075 * (max(values) - min(0.0, *values)) if values else 1.0


def scores(
    records: live_charts.Records,
    references: Rows,
    height: int,
    final: Mapping[str, Any] | None = None,
    span: tuple[int, int] | None = None,
) -> go.Figure:
    """Accuracy and attack success with thin lines to compare with, see ``live_charts.scores``.

    Args:
        records: the run's lines by epoch.
        references: the lines to compare with.
        height: in pixels.
        final: the student's final scores, drawn as rings: the curves are of quicker measurements.
        span: as for ``losses``.
    """
    records = within(records, span)
    rows = live_charts.score_rows(records)
    figure = lines(rows, "measure", "percent", live_charts.MEASURES)
    heads, marked = live_charts.named_scores(rows, references)
    for line in marked:
        figure.add_hline(
            line["percent"], line={"color": line["colour"], "dash": "2px,3px", "width": 1.2}
        )
        name(figure, line["name"], line["place"], line["colour"], strong=False)
    for head in heads:
        shade = colours(live_charts.MEASURES)[head["measure"]]
        name(figure, head["measure"], head["place"], shade)
    for measure, (called, shade, *_) in live_charts.MEASURES.items():
        end = training_end.end_of(records, final, measure)
        if end:
            training_end.ring(figure, end, called, 100.0, shade)
    figure.update_yaxes(
        range=[live_charts.LOWEST, live_charts.HIGHEST], tickvals=[0, 25, 50, 75, 100]
    )
    return framed(figure, records, "share of test images (%)", height, span)


def agreement(
    records: live_charts.Records, height: int, span: tuple[int, int] | None = None
) -> go.Figure:
    """The agreement with the teacher, see ``agreement_chart.drawn``; arguments as ``losses``."""
    records = within(records, span)
    rows = agreement_chart.rows_of(records)
    shade = palette.VIOLET
    figure = lines(rows, "measure", "value", {"": ("agreement", shade, [1, 0], "circle")})
    for row in rows[-1:]:
        name(figure, f"{row['value']:.3f}", row["value"], shade)
    figure.update_yaxes(range=[0, 1.08], tickvals=[0, 0.5, 1])
    return framed(figure, records, "CKA (0 to 1)", height, span)


def within(records: live_charts.Records, span: tuple[int, int] | None) -> live_charts.Records:
    """The lines of the epochs shown; all of them where none has come so far."""
    return (zoom.within(records, *span) if span else records) or records


def reworded(figure: go.Figure, instead: Mapping[str, str]) -> go.Figure:
    """The same figure with other words for its lines and axes.

    Args:
        figure: changed in place.
        instead: what to say instead of what.
    """
    for trace in figure.data:
        trace.name = instead.get(trace.name, trace.name)
    for note in figure.layout.annotations:
        said = note.text.removeprefix("<b>").removesuffix("</b>")
        note.text = note.text.replace(said, instead.get(said, said))
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        axis.title.text = instead.get(axis.title.text, axis.title.text)
    return figure


def lines(rows: Rows, series: str, value: str, looks: Mapping[str, tuple[Any, ...]]) -> go.Figure:
    """Rows with an epoch as one line per series.

    Args:
        rows: what is drawn.
        series: the field that names a row's line.
        value: the field that is drawn.
        looks: name, colour, dash and, where points are marked, symbol of each line.
    """
    figure = look.styled(go.Figure(), x=f"training ({mode.word('epochs')})", y="")
    for called, colour, dash, *symbol in looks.values():
        own = [row for row in rows if row[series] == called]
        if not own:
            continue
        figure.add_scatter(
            x=[row["epoch"] for row in own],
            y=[row[value] for row in own],
            name=called,
            mode="lines+markers" if symbol else "lines",
            marker={"symbol": symbol[0] if symbol else "circle", "size": 7},
            line={
                "color": colour, "width": look.LINE_WIDTH,
                "dash": "solid" if dash == [1, 0] else ",".join(f"{n}px" for n in dash),
            },
            hovertemplate="epoch %{x}: %{y:.3~f}<extra>%{fullData.name}</extra>",
            cliponaxis=False,
        )  # fmt: skip
    return figure


def colours(looks: Mapping[str, tuple[Any, ...]]) -> dict[str, str]:
    """The colour of each line by its name."""
    return {called: colour for called, colour, *_ in looks.values()}


def name(figure: go.Figure, said: str, place: float, colour: str, *, strong: bool = True) -> None:
    """Write a line's name beside the last epoch."""
    figure.add_annotation(
        x=1, xref="paper", y=place, text=f"<b>{said}</b>" if strong else said,
        xanchor="left", xshift=10, showarrow=False,
        font={"color": colour, "size": look.LABEL_SIZE if strong else look.LABEL_SIZE - 1},
    )  # fmt: skip


def framed(
    figure: go.Figure,
    records: live_charts.Records,
    title: str,
    height: int,
    span: tuple[int, int] | None = None,
) -> go.Figure:
    """Axes, height and room for names; the epochs at their full length unless part is shown."""
    since, epochs = span or (0, int(records[-1]["epochs"]))
    figure.update_layout(height=height, margin=ROOM)
    figure.update_xaxes(
        range=[since, max(1, epochs)], tickvals=live_charts.ticks(epochs, since), showgrid=False,
        automargin=False,
    )  # fmt: skip
    figure.update_yaxes(title_text=title, automargin=False)
    return figure
