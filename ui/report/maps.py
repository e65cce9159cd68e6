"""The report's maps of clean and triggered images, before and after cleaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import plotly.graph_objects as go

from ui import maps, numbers
from ui.comparison import PROJECTIONS
from ui.report.figure import Figure, made
from ui.report.material import Material

MOST_POINTS = 1_500
"""Images drawn per map: the report draws without the graphics card's help."""


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
        f"{numbers.percent(share)} of the {numbers.count(int(others.sum()))} triggered images of "
        "other classes in this embedding are taken for "
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
