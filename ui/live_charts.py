"""Altair charts of a run at work: new rows join the picture instead of replacing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ui import palette

MOST_POINTS = 400
TERMS = {
    "loss": ("total", palette.RANDOM, [1, 0]),
    "contrastive": ("contrastive", palette.CLEANED, [6, 2]),
    "attention": ("attention", palette.CLEAN_TWIN, [2, 2]),
    "clone": ("clone", palette.VIOLET, [8, 3, 2, 3]),
}
MEASURES = {
    "accuracy": ("accuracy", palette.CLEANED, [1, 0], "circle"),
    "asr": ("attack success", palette.SUSPECT, [5, 3], "cross"),
}
AGREEMENT = "agreement with the suspect"
Records = Sequence[Mapping[str, Any]]


def thinned(records: Records) -> list[Mapping[str, Any]]:
    """At most ``MOST_POINTS`` records, always with the newest."""
    step = max(1, -(-len(records) // MOST_POINTS))
    return [r for i, r in enumerate(records) if i % step == 0 or i == len(records) - 1]


def loss_rows(records: Records) -> list[dict[str, Any]]:
    """One row per epoch and loss term."""
    return [
        {"epoch": r["epoch"], "term": name, "value": r[field]}
        for r in thinned([r for r in records if r.get("loss") is not None])
        for field, (name, _, _) in TERMS.items()
        if r.get(field) is not None
    ]


def score_rows(records: Records) -> list[dict[str, Any]]:
    """One row per evaluated epoch and measure, in percent."""
    return [
        {"epoch": r["epoch"], "measure": name, "percent": 100 * r["evaluation"][field]}
        for r in records
        if r.get("evaluation")
        for field, (name, *_) in MEASURES.items()
        if r["evaluation"].get(field) is not None
    ]


def agreement_rows(records: Records) -> list[dict[str, Any]]:
    """One row per epoch in which the agreement with the teacher was measured, in percent."""
    return [
        {"epoch": r["epoch"], "measure": AGREEMENT, "percent": 100 * r["agreement"]}
        for r in thinned([r for r in records if r.get("agreement") is not None])
    ]


def colour(meaning: Mapping[str, Sequence[Any]], field: str) -> alt.Color:
    """A fixed colour per name, with the legend above the chart."""
    names = [entry[0] for entry in meaning.values()]
    return alt.Color(
        f"{field}:N",
        title=None,
        scale=alt.Scale(domain=names, range=[entry[1] for entry in meaning.values()]),
        legend=alt.Legend(
            orient="top", symbolType="stroke", symbolStrokeWidth=3, symbolSize=60, labelFontSize=11
        ),
    )


def dash(meaning: Mapping[str, Sequence[Any]], field: str) -> alt.StrokeDash:
    """A fixed dash per name: the second code beside colour."""
    names = [entry[0] for entry in meaning.values()]
    scale = alt.Scale(domain=names, range=[entry[2] for entry in meaning.values()])
    return alt.StrokeDash(f"{field}:N", title=None, scale=scale)


def shape_scale() -> alt.Scale:
    """A fixed shape per measure."""
    meaning = list(MEASURES.values())
    return alt.Scale(domain=[m[0] for m in meaning], range=[m[3] for m in meaning])


def epochs_axis(epochs: int) -> alt.X:
    """The epoch axis at its full length from the start, so that the line grows into it."""
    return alt.X(
        "epoch:Q",
        title="epoch",
        axis=alt.Axis(grid=False, tickCount=6),
        scale=alt.Scale(domain=[0, max(1, epochs)], nice=False),
    )


def losses(records: Records, epochs: int) -> Any:
    """Each loss term as it enters the total."""
    return (
        alt.Chart(alt.InlineData(values=loss_rows(records)))
        .mark_line(strokeWidth=2.2)
        .encode(
            x=epochs_axis(epochs),
            y=alt.Y("value:Q", title="loss (no unit)"),
            color=colour(TERMS, "term"),
            strokeDash=dash(TERMS, "term"),
            tooltip=[
                alt.Tooltip("epoch:Q"),
                alt.Tooltip("term:N"),
                alt.Tooltip("value:Q", format=".3f"),
            ],
        )
        .properties(height=300)
    )


def scores(records: Records, epochs: int, references: Sequence[Mapping[str, Any]]) -> Any:
    """Accuracy and attack success by epoch, with the suspect's and the floor as thin lines."""
    x = epochs_axis(epochs)
    y = alt.Y(
        "percent:Q",
        title="share of test images (%)",
        scale=alt.Scale(domain=[-9, 109], nice=False),
        axis=alt.Axis(values=[0, 25, 50, 75, 100]),
    )
    lines = (
        alt.Chart(alt.InlineData(values=score_rows(records)))
        .mark_line(strokeWidth=2.2)
        .encode(
            x=x,
            y=y,
            color=colour(MEASURES, "measure"),
            strokeDash=dash(MEASURES, "measure"),
            tooltip=[
                alt.Tooltip("epoch:Q"),
                alt.Tooltip("measure:N"),
                alt.Tooltip("percent:Q", format=".1f"),
            ],
        )
    )
    points = lines.mark_point(size=55, filled=True, opacity=1).encode(
        shape=alt.Shape("measure:N", scale=shape_scale(), legend=None),
        strokeDash=alt.value([1, 0]),
    )
    marks = alt.Chart(alt.InlineData(values=list(references)))
    rules = marks.mark_rule(strokeWidth=1.2, opacity=0.85).encode(
        y="percent:Q", color=alt.Color("colour:N", scale=None), strokeDash=alt.value([2, 3])
    )
    names = marks.mark_text(
        align="right", dx=-4, dy=alt.expr("datum.below ? 9 : -8"), fontSize=11
    ).encode(
        x=alt.datum(max(1, epochs)),
        y=alt.Y("percent:Q"),
        text="name:N",
        color=alt.Color("colour:N", scale=None),
    )
    parts = [rules, names, lines, points]
    agreed = agreement_rows(records)
    if agreed:
        parts.append(agreement(agreed, x, y))
    return alt.layer(*parts).properties(height=300)


def agreement(rows: list[dict[str, Any]], x: alt.X, y: alt.Y) -> Any:
    """The agreement with the teacher on the clean images, thin: it needs no trigger to be known."""
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=1.2, color=palette.VIOLET, strokeDash=[1, 2])
        .encode(
            x=x,
            y=y,
            tooltip=[
                alt.Tooltip("epoch:Q"),
                alt.Tooltip("measure:N"),
                alt.Tooltip("percent:Q", format=".1f"),
            ],
        )
    )


def reference_rows(scores_before: Mapping[str, Mapping[str, Any] | None]) -> list[dict[str, Any]]:
    """Reference lines: the suspect's accuracy and attack success, and the clean twin's floor."""
    teacher = scores_before.get("teacher") or {}
    twin = scores_before.get("clean_twin") or {}
    rows = [
        ("suspect: attack success", teacher.get("asr"), palette.SUSPECT),
        ("suspect: accuracy", teacher.get("accuracy"), palette.CLEANED),
        ("floor: attack success of the clean twin", twin.get("asr"), palette.CLEAN_TWIN),
    ]
    found = [
        {"name": name, "percent": 100 * value, "colour": shade, "below": value < 0.5}
        for name, value, shade in rows
        if value is not None
    ]
    if len(found) >= 2 and abs(found[0]["percent"] - found[1]["percent"]) < 6:
        merged = {**found[0], "name": "suspect: accuracy and attack success"}
        found = [merged, *found[2:]]
    return found
