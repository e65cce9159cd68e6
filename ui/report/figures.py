"""The figures of a report: each with a title, what it shows in a sentence, and its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from mimic import curve_reading
from mimic.enumeration import enumerated
from mimic.run import Run
from ui import (
    charts,
    companion_charts,
    cross_check,
    curve_words,
    live_charts,
    numbers,
    probe_error,
    text,
    training_charts,
)
from ui.report.attention import attention
from ui.report.figure import Figure, made, of_run
from ui.report.maps import embedding
from ui.report.material import Material
from ui.report.tiles import sweep

HEIGHT = 340
"""Pixels of the figures of the training."""


def all_figures(material: Material) -> list[Figure]:
    """Every figure there are numbers for."""
    parts: tuple[tuple[Run | None, Callable[[Material], Iterable[Figure]]], ...] = (
        (material.run, outcome),
        (material.run, training),
        (material.information, information),
        (material.attention, attention),
        (material.embedding, embedding),
        (material.sweep, sweep),
    )
    return [of_run(figure, run) for run, part in parts for figure in part(material)]


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
    references = live_charts.reference_rows(material.result.get("scores") or {})
    measured = [r for r in records if r.get("evaluation")]
    if measured:
        last = measured[-1]["evaluation"]
        yield made(
            "scores-by-epoch", "Training", "Accuracy and attack success of the student",
            f"At the end: accuracy {numbers.percent(last.get('accuracy'))}, attack success "
            f"{numbers.percent(last.get('asr'))}.",
            training_charts.scores(records, references, HEIGHT),
        )  # fmt: skip
    rows = live_charts.loss_rows(records)
    if rows:
        total = [row["value"] for row in rows if row["term"] == "total"]
        yield made(
            "losses-by-epoch", "Training", "Loss terms, as they enter the total",
            f"The total loss went from {total[0]:.2f} to {total[-1]:.2f}.",
            training_charts.losses(records, HEIGHT),
        )  # fmt: skip


def information(material: Material) -> Iterator[Figure]:
    """Nats per layer and the companions of the measurement."""
    result = (material.information.result() if material.information else None) or {}
    if not result.get("curves"):
        return
    section = "What the layers tell about the output"
    yield made(
        "information", section, "Mutual information between each layer and the output",
        f"{text.bare(curve_reading.explain(result['curves']), cross_check.LONG)} "
        f"{curve_words.comparing(result)}",
        charts.information_curves(result["curves"], result["layers"]), wide=True,
    )  # fmt: skip
    weights = material.result.get("weights") or {}
    if weights:
        yield made(
            "weights", section, "How much each layer's attention counted",
            weights_said(weights),
            charts.weight_bars(weights),
        )  # fmt: skip
    rows = probe_error.with_intervals(
        [row for row in result.get("companions") or [] if row.get("layer")],
        material.inspection.result if material.inspection else None,
    )
    for name, (title, explanation) in companion_charts.COMPANIONS.items():
        if any(row.get(name) is not None for row in rows):
            figure = companion_charts.companion_chart(rows, name, result["layers"], height=260)
            figure.update_yaxes(title_text=title)
            figure.update_xaxes(title_text="layer, from input to output")
            shown = companion_charts.axis_range(rows, name)
            charts.label_line_ends(
                figure, text.bare(result["layers"][-1]), shown[1] - shown[0] if shown else None
            )
            figure.update_layout(margin={"r": 72})
            said = companion_charts.in_words(rows, name)
            yield made(name, section, title, f"{explanation} {said}", figure)


def weights_said(weights: Mapping[str, float]) -> str:
    """Which layers counted most, as far as the figures shown tell them apart."""
    shown = {layer: f"{weight:,.1f}" for layer, weight in weights.items()}
    most = shown[max(weights, key=lambda layer: weights[layer])]
    top = [text.bare(layer) for layer, weight in shown.items() if weight == most]
    if len(top) == 1:
        return f"{top[0]} counted most, with {most}."
    if len(top) == len(shown):
        return f"All counted the same, {most} each."
    return f"{enumerated(top)} counted most, with {most} each."
