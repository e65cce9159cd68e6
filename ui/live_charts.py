"""Altair charts of a run at work: new rows join the picture instead of replacing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ui import look, palette

MOST_POINTS = 400
HEIGHT = 300
ROOM = 1.36
"""How much wider than the training the epoch axis is: room for names beside the last epoch."""
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
NAMED = {**MEASURES, "agreement": ("agreement", palette.VIOLET)}
"""What has a name at its head in the chart of scores, and the name's colour."""
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
    """A fixed colour per name; names stand at the lines' heads."""
    named = [entry[0] for entry in meaning.values()]
    shades = alt.Scale(domain=named, range=[entry[1] for entry in meaning.values()])
    return alt.Color(f"{field}:N", scale=shades, legend=None)


def dash(meaning: Mapping[str, Sequence[Any]], field: str) -> alt.StrokeDash:
    """A fixed dash per name: the second code beside colour."""
    named = [entry[0] for entry in meaning.values()]
    scale = alt.Scale(domain=named, range=[entry[2] for entry in meaning.values()])
    return alt.StrokeDash(f"{field}:N", scale=scale, legend=None)


def tips(name: str, value: str, digits: str) -> list[alt.Tooltip]:
    """What the pointer tells about a point."""
    number = alt.Tooltip(f"{value}:Q", format=digits)
    return [alt.Tooltip("epoch:Q"), alt.Tooltip(f"{name}:N"), number]


def shape_scale() -> alt.Scale:
    """A fixed shape per measure."""
    named = [entry[0] for entry in MEASURES.values()]
    return alt.Scale(domain=named, range=[entry[3] for entry in MEASURES.values()])


def epochs_axis(epochs: int) -> alt.X:
    """The epoch axis at its full length from the start, so that the line grows into it."""
    return alt.X(
        "epoch:Q",
        title="training (epochs)",
        axis=alt.Axis(grid=False, values=ticks(epochs)),
        scale=alt.Scale(domain=[0, ROOM * max(1, epochs)], nice=False),
    )


def ticks(epochs: int) -> list[int]:
    """Some five round epochs from 0 to the last; none in the room that names take."""
    step = max(1, epochs // 5)
    step -= step % 10 ** (len(str(step)) - 1)
    return list(range(0, max(1, epochs) + 1, step))


def names_at_heads(rows: list[dict[str, Any]], field: str, value: str, gap: float) -> list[Any]:
    """The newest row of each line, with a place for its name that meets no other name."""
    heads = list({row[field]: row for row in rows}.values())
    places = look.spread([row[value] for row in heads], gap)
    return [{**row, "place": place} for row, place in zip(heads, places, strict=True)]


def names(field: str, x: alt.X, y: alt.Y, fill: alt.Color) -> Any:
    """The name of each line at its head: it moves along as the line grows."""
    return (
        alt.Chart(look.named("heads"))
        .mark_text(align="left", dx=7, fontSize=look.LABEL_SIZE)
        .encode(x=x, y=y, text=f"{field}:N", color=fill)
    )


def losses(records: Records, epochs: int) -> Any:
    """Each loss term as it enters the total."""
    rows, x = loss_rows(records), epochs_axis(epochs)
    values = [row["value"] for row in rows]
    reach = max(values) - min(0.0, *values) if values else 1.0
    heads = names_at_heads(rows, "term", "value", 0.075 * reach)
    lines = (
        alt.Chart(look.named("lines"))
        .mark_line(strokeWidth=look.LINE_WIDTH)
        .encode(
            x=x,
            y=alt.Y("value:Q", title="loss (no unit)"),
            color=colour(TERMS, "term"),
            strokeDash=dash(TERMS, "term"),
            tooltip=tips("term", "value", ".3f"),
        )
    )
    told = names("term", x, alt.Y("place:Q"), colour(TERMS, "term"))
    chart = alt.layer(lines, told).properties(height=HEIGHT)
    return look.dressed(chart, lines=rows, heads=heads)


def scores(records: Records, epochs: int, references: Sequence[Mapping[str, Any]]) -> Any:
    """Accuracy and attack success by epoch, with the suspect's and the floor as thin lines."""
    x, rows = epochs_axis(epochs), score_rows(records)
    y = alt.Y(
        "percent:Q",
        title="share of test images (%)",
        scale=alt.Scale(domain=[-9, 109], nice=False),
        axis=alt.Axis(values=[0, 25, 50, 75, 100]),
    )
    lines = (
        alt.Chart(look.named("lines"))
        .mark_line(strokeWidth=look.LINE_WIDTH)
        .encode(
            x=x,
            y=y,
            color=colour(NAMED, "measure"),
            strokeDash=dash(MEASURES, "measure"),
            tooltip=tips("measure", "percent", ".1f"),
        )
    )
    points = lines.mark_point(size=55, filled=True, opacity=1).encode(
        shape=alt.Shape("measure:N", scale=shape_scale(), legend=None),
        strokeDash=alt.value([1, 0]),
    )
    marks = alt.Chart(look.named("references"))
    rules = marks.mark_rule(strokeWidth=1.2, opacity=0.85).encode(
        y="percent:Q", color=alt.Color("colour:N", scale=None), strokeDash=alt.value([2, 3])
    )
    named = marks.mark_text(
        align="right", dx=-4, dy=alt.expr("datum.below ? 9 : -8"), fontSize=look.LABEL_SIZE
    ).encode(
        x=alt.datum(ROOM * max(1, epochs)),
        y=alt.Y("percent:Q"),
        text="name:N",
        color=alt.Color("colour:N", scale=None),
    )
    agreed = agreement_rows(records)
    named_lines = [*rows, *({**row, "measure": NAMED["agreement"][0]} for row in agreed)]
    heads = names_at_heads(named_lines, "measure", "percent", 9.0)
    told = names("measure", x, alt.Y("place:Q"), colour(NAMED, "measure"))
    chart = alt.layer(rules, named, lines, points, told, agreement(x, y)).properties(height=HEIGHT)
    return look.dressed(chart, lines=rows, heads=heads, references=references, agreement=agreed)


def agreement(x: alt.X, y: alt.Y) -> Any:
    """The agreement with the teacher on the clean images, thin: it needs no trigger to be known."""
    return (
        alt.Chart(look.named("agreement"))
        .mark_line(strokeWidth=1.2, color=palette.VIOLET, strokeDash=[1, 2])
        .encode(x=x, y=y, tooltip=tips("measure", "percent", ".1f"))
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
        found[:2] = [{**found[0], "name": "suspect: accuracy and attack success"}]
    return found
