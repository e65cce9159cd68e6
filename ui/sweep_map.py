"""The map of a sweep: one tile per layer set and attention scale, for accuracy or attack success.

Drawn with Altair, so that tiles fill in place while the sweep is at work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from mimic.config import SweepConfig
from mimic.sweep import Cell, set_name
from ui import look, numbers, palette, text

MEASURES = {"asr": "Attack success", "accuracy": "Accuracy"}
ROW_HEIGHT = 44
RANGE_SIZE = 11
MOST_LETTERS = 18
WEAK = "weak"
WEAK_SAID = (
    "Weak, in a dashed frame: the mean of the students has not gone half the way from an untrained "
    "network's accuracy to the suspect's, so a low attack success there is no merit of the layers."
)
ENOUGH = {True: "too little to tell", False: "yes", None: numbers.NOTHING}
"""Whether the students of a cell have learned enough to be judged, in a table."""
SENTENCE_ENDS = re.compile(r"(?<=\.) (?=[A-Z])")
Row = Mapping[str, Any]


def sentences(told: str) -> list[str]:
    """What a sweep says, taken apart: there is one sentence for each scale."""
    return SENTENCE_ENDS.split(told)


def rows_said(config: SweepConfig) -> str:
    """What the rows with names of their own stand for."""
    every = ", ".join(text.bare(layer, MOST_LETTERS) for layer in config.layers)
    return (
        f"The row all teaches from {every} together. The row none has no attention loss, so the "
        "weight does not change it."
    )


def scale_name(scale: float) -> str:
    """A scale on the axis."""
    return f"{scale:,g}"


def tiles(
    planned: Sequence[Cell], rows: Sequence[Row], measure: str, *, every: Sequence[str], losses: str
) -> list[dict[str, Any]]:
    """One tile per layer set and scale that the sweep has for these losses, measured or not.

    Without attention the scale decides nothing, so one measurement fills the whole row ``none``.

    Args:
        planned: all cells of the sweep.
        rows: what is known, see ``mimic.sweep.summary``.
        measure: ``asr`` or ``accuracy``.
        every: the layers that ``all`` stands for.
        losses: the losses the map speaks of.
    """
    wanted = [cell for cell in planned if cell.losses == losses]
    scales = sorted({cell.scale for cell in planned if cell.layers}) or [0.0]
    known = {(tuple(r["layers"]), r["scale"]): r for r in rows if r["losses"] == losses}
    found = []
    for layers in dict.fromkeys(cell.layers for cell in wanted):
        seeds = len({cell.seed for cell in wanted if cell.layers == layers})
        for scale in scales:
            row = known.get((layers, scale if layers else 0.0))
            found.append(
                {
                    "set": text.bare(set_name(layers, every), MOST_LETTERS),
                    "scale": scale_name(scale),
                    "weight": scale if layers else 0.0,
                    **reading(row, measure, seeds),
                }
            )
    return found


def reading(row: Row | None, measure: str, seeds: int) -> dict[str, Any]:
    """Value, words and ink of a tile; a hole where nothing has been measured."""
    value = row[measure] if row else None
    if row is None or value is None:
        failed = bool(row and row["failed"])
        words = "failed: the loss diverged" if failed else "not measured yet"
        return {"percent": None, "label": "failed" if failed else "", "ink": palette.RANDOM,
                "range": words, "reach": "", "seeds": f"0 of {seeds}", "weak": None,
                "bounds": (None, None), "measured": ()}  # fmt: skip
    return {
        "percent": 100 * value,
        "label": f"{100 * value:.0f}%",
        "ink": palette.ink(value),
        "range": numbers.interval(row[f"{measure}_range"]),
        "reach": ", ".join(
            filter(None, (reach(row[f"{measure}_range"]), WEAK if row.get("is_weak") else ""))
        ),
        "weak": row.get("is_weak"),
        "seeds": f"{len(row['seeds'])} of {seeds}",
        "bounds": tuple(100 * bound for bound in row[f"{measure}_range"]),
        "measured": tuple(row["seeds"]),
    }


def reach(bounds: Sequence[float]) -> str:
    """Lowest and highest seed in whole percent, short enough for a tile; nothing where alike."""
    low, high = (f"{100 * bound:.0f}" for bound in bounds)
    return "" if low == high else f"{low}–{high}"


def heat_map(found: Sequence[Mapping[str, Any]]) -> Any:
    """The tiles as a chart: layer sets downwards, scales to the right, numbers in each.

    The large number is the mean, the small ones are the lowest and the highest seed.
    Both measures share one scale from 0 to 100 %, so that a colour means the same in both maps.
    """
    sets = list(dict.fromkeys(tile["set"] for tile in found))
    scales = list(dict.fromkeys(tile["scale"] for tile in found))
    base = alt.Chart(look.named("tiles")).encode(
        x=alt.X(
            "scale:N",
            sort=scales,
            title="attention weight per layer (no unit)",
            axis=alt.Axis(labelAngle=0, ticks=False, domain=False, orient="top"),
        ),
        y=alt.Y(
            "set:N",
            sort=sets,
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelLimit=96),
        ),
        tooltip=[
            alt.Tooltip("set:N", title="layers"),
            alt.Tooltip("scale:N", title="weight per layer"),
            alt.Tooltip("percent:Q", title="mean (%)", format=".1f"),
            alt.Tooltip("range:N", title="range over seeds"),
            alt.Tooltip("seeds:N", title="seeds measured"),
        ],
    )
    steps = len(palette.SEQUENTIAL) - 1
    fill = alt.Color(
        "percent:Q",
        scale=alt.Scale(
            domain=[100 * step / steps for step in range(steps + 1)],
            range=list(palette.SEQUENTIAL),
            clamp=True,
        ),
        legend=None,
    )
    measured = base.transform_filter("isValid(datum.percent)").mark_rect(
        cornerRadius=5, xOffset=1.5, x2Offset=-1.5, yOffset=1.5, y2Offset=-1.5
    )
    holes = base.transform_filter("!isValid(datum.percent)").mark_rect(
        cornerRadius=5, fillOpacity=0, stroke=palette.RANDOM, strokeDash=[3, 3], strokeOpacity=0.7,
        xOffset=1.5, x2Offset=-1.5, yOffset=1.5, y2Offset=-1.5,
    )  # fmt: skip
    frames = base.transform_filter("datum.weak").mark_rect(
        cornerRadius=5, fillOpacity=0, strokeDash=[4, 3], strokeWidth=2,
        xOffset=3.5, x2Offset=-3.5, yOffset=3.5, y2Offset=-3.5,
    )  # fmt: skip
    letters = alt.Color("ink:N", scale=None)
    framed = frames.encode(stroke=alt.Stroke("ink:N", scale=None))
    raised = alt.expr("datum.reach ? -6 : 0")
    values = base.mark_text(fontSize=13, fontWeight=600, dy=raised).encode(
        text="label:N", color=letters
    )
    ranges = base.mark_text(fontSize=RANGE_SIZE, dy=9).encode(text="reach:N", color=letters)
    layers = alt.layer(holes, measured.encode(color=fill), framed, values, ranges)
    height = ROW_HEIGHT * max(1, len(sets)) + 50
    chart = layers.resolve_scale(color="independent").properties(height=height)
    return look.dressed(chart, tiles=[drawn(tile) for tile in found])


def drawn(tile: Mapping[str, Any]) -> dict[str, Any]:
    """What the browser needs of a tile."""
    return {name: value for name, value in tile.items() if name not in ("bounds", "measured")}
