"""Altair charts of a run at work: new rows join the picture instead of replacing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ui import line_names, look, mode, palette, zoom

MOST_POINTS = 400
HEIGHT = 300
ROOM, NARROW_ROOM = 138, 82
"""Pixels for names beside the last epoch: of scores with their references, of loss terms."""
LOWEST, HIGHEST, NAME_GAP = -9.0, 109.0, 7.0
"""Percent: the ends of the axis of scores, and the least distance of two names beside it."""
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
Records = Sequence[Mapping[str, Any]]


def thinned(records: Records) -> list[Mapping[str, Any]]:
    """At most ``MOST_POINTS`` records, always with the newest."""
    step = max(1, -(-len(records) // MOST_POINTS))
    return [r for i, r in enumerate(records) if i % step == 0 or i == len(records) - 1]


def loss_rows(records: Records, *, thin: bool = True) -> list[dict[str, Any]]:
    """One row per epoch and loss term; charts get no more of them than they can show."""
    trained = [r for r in records if r.get("loss") is not None]
    return [
        {"epoch": r["epoch"], "term": name, "value": r[field]}
        for r in (thinned(trained) if thin else trained)
        for field, (name, _, _) in TERMS.items()
        if r.get(field) is not None
    ]


def score_rows(records: Records) -> list[dict[str, Any]]:
    """One row per evaluated epoch and measure, in percent."""
    return [
        {"epoch": r["epoch"], "measure": name, "percent": 100 * found[field],
         "images": found.get("stamped_images" if field == "asr" else "test_images")}
        for r in records
        if (found := r.get("evaluation"))
        for field, (name, *_) in MEASURES.items()
        if found.get(field) is not None
    ]  # fmt: skip


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


def epochs_axis(epochs: int, since: int = 0) -> alt.X:
    """The epoch axis at its full length from the start, so that the line grows into it."""
    return alt.X(
        "epoch:Q",
        title=f"training ({mode.word('epochs')})",
        axis=alt.Axis(grid=False, values=ticks(epochs, since)),
        scale=alt.Scale(domain=[since, max(1, epochs)], nice=False),
    )


def ticks(epochs: int, since: int = 0) -> list[int]:
    """Some five round epochs from the first to the last."""
    step = max(1, (epochs - since) // 5)
    step -= step % 10 ** (len(str(step)) - 1)
    return list(range(-(-since // step) * step, max(1, epochs) + 1, step))


def losses(records: Records, epochs: int, height: int = HEIGHT, since: int = 0) -> Any:
    """Each loss term as it enters the total, from the epoch ``since``, to the epoch ``epochs``.

    Where a part of a training is shown, the axis fits it instead of beginning at 0.
    """
    zoomed = since > 0 or any(r.get("epochs", epochs) > epochs for r in records)
    records = zoom.within(records, since, epochs)
    rows, x = loss_rows(records), epochs_axis(epochs, since)
    values = [row["value"] for row in rows]
    reach = max(values) - min(values if zoomed else (0.0, *values)) if values else 1.0
    heads = line_names.with_places(line_names.heads_of(rows, "term"), "value", 0.075 * reach, None)
    lines = (
        alt.Chart(look.named("lines"))
        .mark_line(strokeWidth=look.LINE_WIDTH)
        .encode(
            x=x,
            y=alt.Y("value:Q", title="loss (no unit)", scale=alt.Scale(zero=not zoomed)),
            color=colour(TERMS, "term"),
            strokeDash=dash(TERMS, "term"),
            tooltip=tips("term", "value", ".3f"),
        )
    )
    told = line_names.drawn("term", x, alt.Y("place:Q"), colour(TERMS, "term"))
    chart = alt.layer(lines, told, line_names.beside(epochs, NARROW_ROOM)).properties(height=height)
    return look.dressed(chart, lines=rows, heads=heads, room=[{}])


def scores(
    records: Records, epochs: int, references: Sequence[Mapping[str, Any]], since: int = 0
) -> Any:
    """Accuracy and attack success by epoch, with the suspect's and the floor as thin lines."""
    x, rows = epochs_axis(epochs, since), score_rows(zoom.within(records, since, epochs))
    y = alt.Y(
        "percent:Q",
        title="share of test images (%)",
        scale=alt.Scale(domain=[LOWEST, HIGHEST], nice=False),
        axis=alt.Axis(values=[0, 25, 50, 75, 100]),
    )
    lines = (
        alt.Chart(look.named("lines"))
        .mark_line(strokeWidth=look.LINE_WIDTH)
        .encode(
            x=x,
            y=y,
            color=colour(MEASURES, "measure"),
            strokeDash=dash(MEASURES, "measure"),
            tooltip=tips("measure", "percent", ".1f"),
        )
    )
    points = lines.mark_point(size=55, filled=True, opacity=1).encode(
        shape=alt.Shape("measure:N", scale=shape_scale(), legend=None),
        strokeDash=alt.value([1, 0]),
    )
    heads, marked = named_scores(rows, references)
    told = line_names.drawn("measure", x, alt.Y("place:Q"), colour(MEASURES, "measure"))
    layers = (*reference_lines(epochs), lines, points, told, line_names.beside(epochs, ROOM))
    chart = alt.layer(*layers).properties(height=HEIGHT)
    return look.dressed(chart, lines=rows, heads=heads, references=marked, room=[{}])


def named_scores(
    rows: Sequence[dict[str, Any]], references: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Heads of the lines and the references, with places at which no two of all names meet."""
    heads = line_names.heads_of(rows, "measure")
    placed = line_names.with_places(
        [*heads, *(dict(row) for row in references)], "percent", NAME_GAP, (LOWEST, HIGHEST)
    )
    return placed[: len(heads)], placed[len(heads) :]


def reference_lines(epochs: int) -> tuple[Any, Any]:
    """Thin lines over all epochs, and their names beside the last one."""
    marks = alt.Chart(look.named("references"))
    shade = alt.Color("colour:N", scale=None)
    rules = marks.mark_rule(strokeWidth=1.2, opacity=0.85).encode(
        y="percent:Q", color=shade, strokeDash=alt.value([2, 3])
    )
    told = marks.mark_text(align="left", dx=8, fontSize=look.LABEL_SIZE - 1).encode(
        x=alt.datum(max(1, epochs)), y=alt.Y("place:Q"), text="name:N", color=shade
    )
    return rules, told


def reference_rows(scores_before: Mapping[str, Mapping[str, Any] | None]) -> list[dict[str, Any]]:
    """Reference lines: the suspect's accuracy and attack success, and the clean twin's floor."""
    teacher = scores_before.get("teacher") or {}
    twin = scores_before.get("clean_twin") or {}
    rows = [
        ("suspect: attack success", teacher.get("asr"), palette.SUSPECT),
        ("suspect: accuracy", teacher.get("accuracy"), palette.CLEANED),
        ("floor (clean twin)", twin.get("asr"), palette.CLEAN_TWIN),
    ]
    return [
        {"name": name, "percent": 100 * value, "colour": shade}
        for name, value, shade in rows
        if value is not None
    ]
