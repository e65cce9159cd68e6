"""What a training came to, told apart: its last quick measurement, and its final scores.

While it trains, a run measures on fewer images, with a classifier trained on fewer. The curves are
of these measurements; tables show the final scores. They rarely agree to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ui import numbers

SYMBOL = "circle-open"
"""The mark of a final score on a chart: a ring, filled marks are measurements of the training."""
NAMES = {"accuracy": "accuracy", "asr": "attack success"}
QUICK_ONLY = "No final score yet: it comes when the training has ended."


@dataclass(frozen=True)
class End:
    """One measure of one run.

    Args:
        quick: the last measurement of the training, a share of 1.
        quick_images: on how many test images, where the run told.
        epoch: the last epoch of the training.
        final: the final score; None where there is none.
        final_images: on how many test images.
    """

    quick: float
    quick_images: int | None
    epoch: int
    final: float | None
    final_images: int | None


def end_of(
    metrics: Sequence[Mapping[str, Any]], scores: Mapping[str, Any] | None, measure: str
) -> End | None:
    """How a measure ended; None where the training did not measure it.

    Args:
        metrics: the run's lines by epoch.
        scores: the student's final scores, if there are any.
        measure: ``accuracy`` or ``asr``.
    """
    found = [
        m["evaluation"] for m in metrics if (m.get("evaluation") or {}).get(measure) is not None
    ]
    if not found:
        return None
    final = (scores or {}).get(measure)
    return End(
        quick=float(found[-1][measure]),
        quick_images=images_of(found[-1], measure, scores),
        epoch=int(metrics[-1]["epoch"]),
        final=None if final is None else float(final),
        final_images=None if final is None else images_of(scores or {}, measure),
    )


def images_of(
    scores: Mapping[str, Any], measure: str, whole: Mapping[str, Any] | None = None
) -> int | None:
    """On how many images a measure stands: attack success leaves out those of the target class.

    Args:
        scores: the measurement; before a run told it for attack success, it did not hold it.
        measure: ``accuracy``, ``asr`` or ``asr_all``.
        whole: the final scores, which tell it where they were taken on as many test images.
    """
    if measure != "asr":
        return scores.get("test_images")
    told = scores.get("stamped_images")
    if told is None and whole and whole.get("test_images") == scores.get("test_images"):
        told = whole.get("stamped_images")
    return told


def in_words(ends: Mapping[str, End]) -> str:
    """Both figures of each run, and on how many images each stands.

    Args:
        ends: by the run's letter.
    """
    quick = listed({k: (e.quick, e.quick_images) for k, e in ends.items()})
    final = listed({k: (e.final, e.final_images) for k, e in ends.items() if e.final is not None})
    told = f"Line: measured while training, at the end {quick}."
    return f"{told} {f'Ring: the final score, {final}.' if final else QUICK_ONLY}"


def ring(figure: go.Figure, end: End, name: str, factor: float, colour: str) -> None:
    """Draw a final score at the training's last epoch; nothing where there is none.

    Args:
        figure: of the measurements of the training, changed in place.
        end: the measure.
        name: of the line.
        factor: from a share of 1 to the chart's unit.
        colour: of the line.
    """
    if end.final is None:
        return
    on = f" on {numbers.count(end.final_images)} images" if end.final_images else ""
    called = f"{name}, final score"
    figure.add_scatter(
        x=[end.epoch],
        y=[factor * end.final],
        name=called,
        mode="markers",
        marker={"symbol": SYMBOL, "size": 13, "color": colour, "line": {"width": 2}},
        hovertemplate=f"{called}{on}: %{{y:.1f}}%<extra></extra>",
        cliponaxis=False,
    )


def rows(
    metrics: Sequence[Mapping[str, Any]], final: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """The final scores as rows beside those of the curves, in percent."""
    ends = {name: end_of(metrics, final, measure) for measure, name in NAMES.items()}
    return [
        {"epoch": end.epoch, "measure": f"{name}, final score", "percent": 100 * end.final,
         "images": end.final_images}
        for name, end in ends.items()
        if end and end.final is not None
    ]  # fmt: skip


def listed(found: Mapping[str, tuple[float | None, int | None]]) -> str:
    """Shares by run; the number of images once, where all runs share it."""
    counts = {images for _, images in found.values()}
    said = []
    for letter, (share, images) in found.items():
        own = f" on {numbers.count(images)}" if images and len(counts) > 1 else ""
        said.append(f"{letter} {numbers.percent(share)}{own}".strip())
    images = counts.pop() if len(counts) == 1 else None
    return ", ".join(said) + (f" on {numbers.count(images)} images" if images else "")
