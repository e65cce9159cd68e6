"""The report's tiles of a sweep: layer sets downwards, attention weights to the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import plotly.graph_objects as go

from mimic.config import SweepConfig
from mimic.learning import least_accuracy
from mimic.sweep import cells, summary
from ui import charts, numbers, palette, sweep_map
from ui.report.escape import words
from ui.report.figure import Figure
from ui.report.material import Material

SECTION = "Which layers bring the backdoor along"


def sweep(material: Material) -> Iterator[Figure]:
    """Attack success and accuracy by layer set and attention weight."""
    run = material.sweep
    if run is None or not run.result():
        return
    config = cast(SweepConfig, run.config())
    planned = cells(config)
    scored = run.result() or {}
    least = least_accuracy(scored.get("teacher"), scored.get("untrained"))
    rows = summary(run.metrics(), least)
    choices = list(dict.fromkeys(cell.losses for cell in planned))
    for losses in choices:
        spoken = f" (losses: {losses})" if len(choices) > 1 else ""
        for measure, title in sweep_map.MEASURES.items():
            tiles = sweep_map.tiles(planned, rows, measure, every=config.layers, losses=losses)
            table = [
                {"layers": t["set"], "weight per layer": t["scale"], f"{measure} (%)": t["percent"],
                 "range over seeds": t["range"], "seeds": t["seeds"],
                 "learned enough": sweep_map.ENOUGH[t["weak"]]}
                for t in tiles
            ]  # fmt: skip
            yield Figure(
                f"sweep-{measure}-{losses}", SECTION,
                f"{title} by layers taught and attention weight{spoken}",
                span(tiles, title), heat_map(tiles), table,
            )  # fmt: skip


def findings(material: Material) -> Iterator[str]:
    """What the sweep says of each scale, how many seeds stand behind it, and what a tile is."""
    run = material.sweep
    result = (run.result() if run else None) or {}
    if run is None or not result:
        return
    config = cast(SweepConfig, run.config())
    said = sweep_map.sentences(result["sentence"])
    weak = words(sweep_map.WEAK_SAID) if result.get("untrained") else ""
    yield f"<ul>{''.join(f'<li>{words(sentence)}</li>' for sentence in said)}</ul>"
    yield (
        f'<p class="soft">Each tile is one short distillation per seed, {config.epochs} epochs on '
        f"{numbers.percent(config.clean_fraction)} of the data; nothing else changes between "
        "tiles. Large: the mean over seeds; small: the lowest and the highest seed, if they "
        f"differ. {words(sweep_map.rows_said(config))} {weak}</p>"
    )


def span(tiles: Sequence[Mapping[str, Any]], title: str) -> str:
    """From where to where the tiles reach."""
    known = [t["percent"] for t in tiles if t["percent"] is not None]
    if not known:
        return "Nothing has been measured."
    return f"{title} is {min(known):.1f} to {max(known):.1f}% (mean over seeds of each cell)."


def written(tile: Mapping[str, Any]) -> str:
    """What stands in a tile: the mean and, smaller, the lowest and the highest seed."""
    small = f'<br><span style="font-size:10px">{tile["reach"]}</span>' if tile["reach"] else ""
    return f"{tile['label']}{small}"


def heat_map(tiles: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Tiles with their values; one colour scale from 0 to 100 %."""
    across = list(dict.fromkeys(t["scale"] for t in tiles))
    down = list(dict.fromkeys(t["set"] for t in tiles))
    known = {(t["set"], t["scale"]): t for t in tiles}
    figure = go.Figure(
        go.Heatmap(
            x=across, y=down, zmin=0, zmax=100, xgap=3, ygap=3, showscale=False,
            z=[[known[s, x]["percent"] if (s, x) in known else None for x in across] for s in down],
            colorscale=list(palette.SEQUENTIAL),
            hovertemplate="%{y}, weight %{x}: %{z:.1f}%<extra></extra>",
        )
    )  # fmt: skip
    for tile in tiles:  # By place: a category that reads as a number would be taken for a place.
        figure.add_annotation(
            x=across.index(tile["scale"]), y=down.index(tile["set"]), text=written(tile),
            showarrow=False, font={"color": tile["ink"], "size": 13},
        )  # fmt: skip
    charts.styled(figure, x="attention weight per layer", y="", height=90 + 42 * len(down))
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure
