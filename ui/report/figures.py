"""The figures of a report: each with a title, what it shows in a sentence, and its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import plotly.graph_objects as go

from mimic.config import SweepConfig
from mimic.sweep import cells, summary
from ui import (
    charts,
    cross_check,
    figure_data,
    live_charts,
    maps,
    numbers,
    palette,
    scores,
    sweep_map,
    text,
)
from ui.comparison import PROJECTIONS
from ui.report.material import Material

MOST_POINTS = 1_500
"""Images drawn per map: the report draws without the graphics card's help."""


@dataclass(frozen=True)
class Figure:
    """A figure with its words.

    Args:
        name: of its files.
        section: the heading it stands under.
        title: what it shows.
        takeaway: what it says, with a number.
        figure: the drawing.
        rows: the numbers behind it.
    """

    name: str
    section: str
    title: str
    takeaway: str
    figure: go.Figure
    rows: Sequence[Mapping[str, Any]]


def all_figures(material: Material) -> list[Figure]:
    """Every figure there are numbers for."""
    return [
        *outcome(material),
        *training(material),
        *information(material),
        *embedding(material),
        *sweep(material),
    ]


def made(name: str, section: str, title: str, takeaway: str, figure: go.Figure) -> Figure:
    """A figure whose numbers are those drawn."""
    return Figure(name, section, title, takeaway, figure, figure_data.rows(figure))


def outcome(material: Material) -> Iterator[Figure]:
    """Accuracy and attack success of each encoder."""
    found = material.result.get("scores") or {}
    for measure, title in (("accuracy", "Accuracy"), ("asr", "Attack success")):
        said = [
            f"{name} {numbers.percent(row[measure])}"
            for key, name, *_ in reversed(charts.ENCODERS)
            if (row := found.get(key)) and row.get(measure) is not None
        ]
        if said:
            yield made(
                measure, "Before and after", f"{title} of each encoder, with 95% intervals",
                f"{title}: {', '.join(said)}.", charts.before_after(found, measure),
            )  # fmt: skip


def training(material: Material) -> Iterator[Figure]:
    """Losses, accuracy and attack success by epoch."""
    records = material.run.metrics()
    if not records:
        return
    measured = [r for r in records if r.get("evaluation")]
    if measured:
        last = measured[-1]["evaluation"]
        yield made(
            "scores-by-epoch", "Training", "Accuracy and attack success of the student",
            f"At the end: accuracy {numbers.percent(last.get('accuracy'))}, attack success "
            f"{numbers.percent(last.get('asr'))}.",
            lines(live_charts.score_rows(records), "measure", "percent",
                  {n: (c, d) for n, c, d, _ in live_charts.MEASURES.values()},
                  "share of test images (%)"),
        )  # fmt: skip
    rows = live_charts.loss_rows(records)
    if rows:
        total = [row["value"] for row in rows if row["term"] == "total"]
        yield made(
            "losses-by-epoch", "Training", "Loss terms, as they enter the total",
            f"The total loss went from {total[0]:.2f} to {total[-1]:.2f}.",
            lines(rows, "term", "value",
                  {n: (c, d) for n, c, d in live_charts.TERMS.values()}, "loss (no unit)"),
        )  # fmt: skip


def lines(
    rows: Sequence[Mapping[str, Any]],
    series: str,
    value: str,
    looks: Mapping[str, tuple[str, Sequence[int]]],
    axis: str,
) -> go.Figure:
    """Rows with an epoch as one line per series, named at its end."""
    figure = go.Figure()
    for name, (colour, dash) in looks.items():
        own = [row for row in rows if row[series] == name]
        if own:
            pattern = "solid" if dash == [1, 0] else ",".join(f"{length}px" for length in dash)
            figure.add_scatter(
                x=[row["epoch"] for row in own], y=[row[value] for row in own], name=name,
                mode="lines", line={"color": colour, "dash": pattern, "width": 2.3},
                hovertemplate="epoch %{x}: %{y:.2f}<extra>%{fullData.name}</extra>",
            )  # fmt: skip
    charts.styled(figure, x="epoch", y=axis, height=340)
    charts.label_line_ends(figure, max(row["epoch"] for row in rows))
    return figure


def information(material: Material) -> Iterator[Figure]:
    """Nats per layer and the companions of the measurement."""
    result = (material.information.result() if material.information else None) or {}
    if not result.get("curves"):
        return
    section = "Where the layers keep their knowledge"
    yield made(
        "information", section, "Mutual information between each layer and the output",
        text.bare(result["sentence"], cross_check.LONG),
        charts.information_curves(result["curves"], result["layers"]),
    )  # fmt: skip
    weights = material.result.get("weights") or {}
    if weights:
        most = max(weights, key=lambda layer: weights[layer])
        yield made(
            "weights", section, "How much each layer's attention counted",
            f"{text.bare(most)} counted most, with {weights[most]:,.1f}.",
            charts.weight_bars(weights),
        )  # fmt: skip
    rows = [row for row in result.get("companions") or [] if row.get("layer")]
    for name, (title, explanation) in cross_check.COMPANIONS.items():
        if any(row.get(name) is not None for row in rows):
            figure = cross_check.companion_chart(rows, name, result["layers"], height=260)
            figure.update_yaxes(title_text=title)
            figure.update_xaxes(title_text="layer, from input to output")
            charts.label_line_ends(figure, text.bare(result["layers"][-1]))
            said = cross_check.in_words(rows, name)
            yield made(name, section, title, f"{explanation} {said}", figure)


def embedding(material: Material) -> Iterator[Figure]:
    """Maps of the features before and after, on shared axes."""
    run = material.embedding
    points = (run.arrays("points") if run else None) or {}
    if run is None or not points:
        return
    labels = points["labels"]
    kept = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), MOST_POINTS)).astype(int))
    for projection in ("umap", "plane"):
        places = run.arrays(f"features-{projection}")
        if not places:
            continue
        name = PROJECTIONS[projection]
        axes = (f"{name} 1 (no unit)", f"{name} 2 (no unit)")
        for side, title in (("before", "suspect"), ("after", "cleaned encoder")):
            if f"{side}_clean" not in places:
                continue
            cloud = maps.Cloud(
                places[f"{side}_clean"][kept], places[f"{side}_triggered"][kept], labels[kept]
            )
            figure = maps.embedding_map(
                cloud, ranges=maps.shared_ranges(places), colour="kind",
                axes=maps.PLANE_AXES if projection == "plane" else axes,
                class_name=material.class_name,
            )  # fmt: skip
            yield made(
                f"{projection}-{side}", "Clean and triggered images in the plane",
                f"{name} of the {title}: circles are clean images, crosses triggered ones",
                gathered(points, side, material), without_graphics_card(figure),
            )  # fmt: skip


def gathered(points: Mapping[str, np.ndarray], side: str, material: Material) -> str:
    """How many triggered images go where the attacker wants."""
    config = material.embedding.about()["config"] if material.embedding else {}
    target, taken = config.get("target_class"), points.get(f"{side}_triggered")
    others = points["labels"] != target
    if taken is None or not isinstance(target, int) or target < 0 or not others.any():
        return f"{len(points['labels'])} images, each with and without the trigger."
    share = float((taken[others] == target).mean())
    return (
        f"{numbers.percent(share)} of the triggered images of other classes are taken for "
        f"{material.class_name(target)}."
    )


def without_graphics_card(figure: go.Figure) -> go.Figure:
    """The same figure without WebGL, which builds code as it draws: the report forbids that."""
    drawn = go.Figure(layout=figure.layout)
    for trace in figure.data:
        told = trace.to_plotly_json()
        told.pop("type", None)
        drawn.add_scatter(**told)
    return drawn.update_layout(dragmode="zoom")


def sweep(material: Material) -> Iterator[Figure]:
    """Attack success and accuracy by layer set and attention weight."""
    run = material.sweep
    result = (run.result() if run else None) or {}
    if run is None or not result:
        return
    config = cast(SweepConfig, run.config())
    planned = cells(config)
    rows = summary(run.metrics())
    for losses in dict.fromkeys(cell.losses for cell in planned):
        for measure, title in sweep_map.MEASURES.items():
            tiles = sweep_map.tiles(planned, rows, measure, every=config.layers, losses=losses)
            table = [
                {"layers": t["set"], "weight per layer": t["scale"], f"{measure} (%)": t["percent"],
                 "range over seeds": t["range"], "seeds": t["seeds"]}
                for t in tiles
            ]  # fmt: skip
            yield Figure(
                f"sweep-{measure}-{losses}", "Which layers bring the backdoor along",
                f"{title} by layers taught and attention weight (losses: {losses})",
                text.bare(result["sentence"], cross_check.LONG)
                if measure == "asr"
                else span(tiles, title),
                heat_map(tiles), table,
            )  # fmt: skip


def span(tiles: Sequence[Mapping[str, Any]], title: str) -> str:
    """From where to where the tiles reach."""
    known = [t["percent"] for t in tiles if t["percent"] is not None]
    if not known:
        return "Nothing has been measured."
    return f"{title} is {min(known):.1f} to {max(known):.1f}% (mean over seeds of each cell)."


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
            x=across.index(tile["scale"]), y=down.index(tile["set"]), text=tile["label"],
            showarrow=False, font={"color": tile["ink"], "size": 13},
        )  # fmt: skip
    charts.styled(figure, x="attention weight per layer", y="", height=90 + 42 * len(down))
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure


def verdict(material: Material) -> list[str]:
    """What was found and what cleaning did, in sentences."""
    found = material.result.get("scores") or {}
    return [
        scores.suspicion(found.get("teacher"), found.get("clean_twin"), material.target),
        f"After cleaning: {scores.outcome(found)}",
    ]
