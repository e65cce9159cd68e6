"""Two maps side by side, before and after cleaning, joined by the images behind their points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from mimic.run import Run
from ui import charts, maps, numbers, pictures, text
from ui.subject import Subject

LAYER_ORDER = ("features", "layer4", "layer3", "layer2", "layer1", "stem")
PROJECTIONS = {"umap": "UMAP", "pca": "PCA"}
SIDES = {"before": "Before: the suspect", "after": "After: the cleaned encoder"}
PER_PAGE = 12
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class View:
    """What is drawn: which layer and projection, how coloured, which classes, where one selects."""

    layer: str
    projection: str
    by_class: bool
    classes: tuple[int, ...]
    brush: str


def available(run: Run) -> list[tuple[str, str]]:
    """Layer and projection of each map the run has written so far."""
    found = [f.stem.rsplit("-", 1) for f in (run.directory / "arrays").glob("*-*.npz")]
    pairs = [(layer, projection) for layer, projection in found if projection in PROJECTIONS]
    order = {layer: i for i, layer in enumerate(LAYER_ORDER)}
    return sorted(pairs, key=lambda pair: (order.get(pair[0], 99), pair[1]))


def choose_view(subject: Subject, ready: Sequence[tuple[str, str]], labels: np.ndarray) -> View:
    """Switches above the maps."""
    layers = list(dict.fromkeys(layer for layer, _ in ready))
    with st.container(horizontal=True, gap="medium"):
        layer = switch("Layer", layers, "map_layer")
        projections = [p for name, p in ready if name == layer]
        projections.sort(key=list(PROJECTIONS).index)
        projection = switch("Projection", projections, "map_projection", PROJECTIONS)
        colour = switch(
            "Colour by", ["kind", "class"], "map_colour", {"kind": "clean or triggered"}
        )
    with st.container(horizontal=True, gap="medium"):
        brush = switch("Select points in", list(SIDES), "map_brush")
        classes = st.multiselect(
            "Classes",
            [int(c) for c in np.unique(labels) if c >= 0],
            format_func=subject.class_name,
            key="map_classes",
            placeholder="all classes",
            persist_state="session",
            help="Shows only images of these classes, and the images themselves below: "
            "the way to pick points without a mouse.",
        )
    return View(layer, projection, colour == "class", tuple(classes), brush)


def switch(label: str, options: list[str], key: str, names: Mapping[str, str] | None = None) -> str:
    """One of a few options, always with a choice."""
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]
    chosen = st.segmented_control(
        label, options, default=options[0], required=True, key=key, persist_state="session",
        wrap=True,
        format_func=lambda name: (names or {}).get(name, text.plain(name)),
    )  # fmt: skip
    return chosen or options[0]


def draw(subject: Subject, run: Run, points: Arrays, view: View) -> list[int]:
    """Both maps; points selected in one are stressed in the other.

    Returns:
        Ids of the images to show: the selected ones, or those of the chosen classes.
    """
    coordinates = run.arrays(f"{view.layer}-{view.projection}") or {}
    has_after = "after_clean" in coordinates
    ranges = maps.shared_ranges(coordinates)
    columns = dict(zip(SIDES, st.columns(2, gap="medium"), strict=True)) if has_after else {}
    brush = view.brush if has_after else "before"
    selected: list[int] = []
    for side in [brush, *(s for s in SIDES if s != brush and has_after)]:
        cloud = maps.Cloud(
            clean=coordinates[f"{side}_clean"],
            triggered=coordinates[f"{side}_triggered"],
            labels=points["labels"],
            ids=np.arange(len(points["labels"])),
        ).of_classes(view.classes)
        figure = maps.embedding_map(
            cloud,
            ranges=ranges,
            axis=PROJECTIONS[view.projection],
            by_class=view.by_class,
            class_name=subject.class_name,
            stressed=() if side == brush else selected,
        )
        with columns[side] if columns else st.container():
            st.markdown(f"**{SIDES[side]}**{' · select here' if side == brush else ''}")
            found = st.plotly_chart(
                figure,
                config=charts.LASSO_TOOLS if side == brush else charts.NO_TOOLS,
                key=f"map-{side}-{brush}-{run.id}",
                on_select="rerun" if side == brush else "ignore",
                selection_mode=("lasso", "box", "points"),
                alt=f"{SIDES[side]}: clean and triggered images in the plane, layer "
                f"{text.bare(view.layer)}.",
            )
        if side == brush:
            selected = maps.selected_ids(found)
    if selected or not view.classes:
        return selected
    return [int(i) for i in np.flatnonzero(np.isin(points["labels"], view.classes))]


def gallery(subject: Subject, points: Arrays, ids: list[int]) -> None:
    """The images behind the chosen points, clean beside stamped, and what each is taken for."""
    st.subheader("Images behind the points", anchor=False)
    if not ids:
        st.caption(
            "Draw a loop around points with the lasso, or choose classes above, to see the images."
        )
        return
    pages = -(-len(ids) // PER_PAGE)
    st.caption(
        f"{numbers.count(len(ids))} images: each clean, then with the trigger. “2 → 1” means: "
        "taken for 2 when clean and for 1 with the trigger."
    )
    page = st.pagination(pages, key=f"gallery-{len(ids)}-{ids[0]}") if pages > 1 else 1
    columns = st.columns(6)
    for position, index in enumerate(ids[(page - 1) * PER_PAGE : page * PER_PAGE]):
        with columns[position % 6]:
            caption = answers(subject, points, index)
            st.image(
                pictures.pair_png(points["images"][index], points["stamped"][index]),
                caption=caption,
                width="stretch",
                alt=f"image {index}, clean and stamped: {caption}",
            )


def answers(subject: Subject, points: Arrays, index: int) -> str:
    """Class of an image, and what each encoder takes it for, clean and stamped."""

    def name(field: str) -> str:
        return text.plain(subject.class_name(int(points[field][index]) if field in points else -1))

    told = f"class {name('labels')} · before {name('before_clean')} → {name('before_triggered')}"
    if "after_clean" in points:
        told += f" · after {name('after_clean')} → {name('after_triggered')}"
    return told


def number_rows(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """One row per layer and side of the numbers beside the pictures."""
    rows = []
    for layer, sides in result["numbers"].items():
        for side, found in sides.items():
            if found:
                rows.append(
                    {
                        "layer": text.cell(layer),
                        "encoder": side,
                        "triggered beside target": numbers.percent(
                            found["nearest_clean_is_target"]
                        ),
                        "triggered beside own class": numbers.percent(
                            found["same_class_neighbours"]
                        ),
                        "clean–triggered separation": decimal(found["silhouette"]),
                    }
                )
    return rows


def decimal(value: float | None) -> str:
    """A number from -1 to 1."""
    return numbers.NOTHING if value is None else f"{value:.2f}"
