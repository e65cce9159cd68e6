"""Two maps side by side, before and after cleaning, joined by the images behind their points."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from mimic.embedding_table import points_csv
from mimic.intervals import share_interval
from mimic.run import Run
from ui import address, charts, maps, mode, numbers, picture_file, selection, text
from ui.selection import SIDES
from ui.subject import Subject

LAYER_ORDER = ("features", "layer4", "layer3", "layer2", "layer1", "stem")
PROJECTIONS = {"umap": "UMAP", "pca": "PCA", "plane": "Classifier's plane"}
PROJECTION_HELP = (
    "UMAP keeps neighbours together; distances between groups mean little. PCA is the exact "
    "shadow of the points along their two widest directions. The classifier's plane shows what a "
    "simple classifier on the encoder makes of each image: at the right of zero it takes it for "
    "the target class, above zero for what it truly shows. It exists for the features only."
)
COLOURS = {
    "kind": "clean or triggered",
    "class": "class",
    "correct": "recognised or mistaken",
    "displacement": "displacement",
}
IN_SIMPLE = {"displacement": "how far the trigger moves it"}
LAYER_HELP = (
    "The features are the encoder's final answer, which other programs build on. The layers before "
    "it show how that answer comes about, layer4 last."
)
COLOUR_HELP = (
    "How far the trigger moves an image (displacement): how different the encoder's features of it "
    "get, from 0, not at all, to 1, nothing in common; one minus the cosine of the angle between "
    "both."
)
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class View:
    """What is drawn: which layer and projection, and how coloured."""

    layer: str
    projection: str
    colour: str

    @property
    def axes(self) -> tuple[str, str]:
        """What stands at the axes."""
        name = PROJECTIONS[self.projection]
        if self.projection == "plane":
            return maps.PLANE_AXES
        return f"{name} 1 (no unit)", f"{name} 2 (no unit)"


def available(run: Run) -> list[tuple[str, str]]:
    """Layer and projection of each map the run has written so far."""
    found = [f.stem.rsplit("-", 1) for f in (run.directory / "arrays").glob("*-*.npz")]
    pairs = [(layer, projection) for layer, projection in found if projection in PROJECTIONS]
    order = {layer: i for i, layer in enumerate(LAYER_ORDER)}
    return sorted(pairs, key=lambda pair: (order.get(pair[0], 99), pair[1]))


@st.cache_resource(max_entries=4, show_spinner=False)
def stored(directory: str, stamp: float) -> dict[str, np.ndarray]:  # noqa: ARG001 - part of the key
    """The images and all that is known of them; read once, as 10,000 of them take a while."""
    run = Run(Path(directory))
    return {**(run.arrays("points") or {}), **(run.arrays("samples") or {})}


def points_of(run: Run) -> dict[str, np.ndarray]:
    """Images, labels, predictions and, where the run has them, neighbours and displacement."""
    files = [run.directory / "arrays" / f"{name}.npz" for name in ("points", "samples")]
    stamp = sum(file.stat().st_mtime for file in files if file.is_file())
    return stored(str(run.directory), stamp) if stamp else {}


def choose_view(ready: Sequence[tuple[str, str]], points: Arrays) -> View:
    """Switches above the maps."""
    layers = list(dict.fromkeys(layer for layer, _ in ready))
    colours = ["kind", "class"]
    colours += ["correct"] if "before_clean" in points else []
    colours += ["displacement"] if "before_displacement" in points else []
    if mode.is_expert():
        with st.container(horizontal=True, gap="medium"):
            layer, projection = choose_map(ready, layers)
            colour = switch("Colour by", colours, "map_colour", COLOURS, COLOUR_HELP)
        return View(layer, projection, colour)
    colour = switch("Colour by", colours, "map_colour", COLOURS | IN_SIMPLE, COLOUR_HELP)
    with (
        st.expander("Other layers, other ways to draw the map"),
        st.container(horizontal=True, gap="medium"),
    ):
        layer, projection = choose_map(ready, layers)
    return View(layer, projection, colour)


def choose_map(ready: Sequence[tuple[str, str]], layers: list[str]) -> tuple[str, str]:
    """Layer and projection."""
    layer = switch("Layer", layers, "map_layer", help_text=LAYER_HELP)
    projections = [p for name, p in ready if name == layer]
    projections.sort(key=list(PROJECTIONS).index)
    return layer, switch("Projection", projections, "map_projection", PROJECTIONS, PROJECTION_HELP)


def switch(
    label: str,
    options: list[str],
    key: str,
    names: Mapping[str, str] | None = None,
    help_text: str | None = None,
) -> str:
    """One of a few options, always with a choice; all but the first are kept in the address."""
    address.adopt(key, options)
    if st.session_state.get(key) is None:
        st.session_state[key] = options[0]
    chosen = st.segmented_control(
        label, options, required=True, key=key, persist_state="session",
        wrap=True, help=help_text,
        format_func=lambda name: text.plain((names or {}).get(name, name)),
    )  # fmt: skip
    address.keep(key, None if chosen == options[0] else chosen)
    return chosen or options[0]


def draw(subject: Subject, run: Run, points: Arrays, view: View) -> None:
    """Both maps; images selected in either are stressed in the other."""
    coordinates = run.arrays(f"{view.layer}-{view.projection}") or {}
    sides = [side for side in SIDES if f"{side}_clean" in coordinates]
    ranges = maps.shared_ranges(coordinates)
    selection.settle(run.id, (view.layer, view.projection, view.colour))
    columns = st.columns(len(sides), gap="medium", vertical_alignment="bottom")
    for side, column in zip(sides, columns, strict=True):
        figure = maps.embedding_map(
            cloud_of(coordinates, points, side),
            ranges=ranges,
            axes=view.axes,
            colour=view.colour,
            class_name=subject.class_name,
            stressed=selection.stressed(side),
        )
        told, key = finding(subject, points, side), selection.chart_key(side)
        name = f"map-{side}-{view.layer}-{view.projection}"
        with column:
            st.markdown(f"**{SIDES[side]}**")
            st.caption(told)
            st.plotly_chart(
                figure,
                config=picture_file.named(name, run.id, tools=charts.LASSO_TOOLS),
                key=key,
                on_select=functools.partial(selection.brushed, side, key),
                selection_mode=("lasso", "box", "points"),
                alt=f"{SIDES[side]}. Clean and triggered images in the plane, layer "
                f"{text.bare(view.layer)}, {PROJECTIONS[view.projection]}. {told}",
            )
            points_button(run, view, side, picture_file.file_name(name, run.id))


def points_button(run: Run, view: View, side: str, name: str) -> None:
    """The points of one map as CSV, of the selected images where some are."""
    chosen = selection.current()
    st.download_button(
        f"Points as CSV ({numbers.count(len(chosen))} selected images)" if chosen
        else "Points as CSV",
        functools.partial(
            points_csv, run, view.layer, view.projection, images=chosen or None, side=side
        ),
        file_name=f"{name}.csv", mime="text/csv", icon=":material/download:",
        key=f"points-csv-{side}", on_click="ignore",
    )  # fmt: skip


def cloud_of(coordinates: Arrays, points: Arrays, side: str) -> maps.Cloud:
    """One side's points with what is known of them."""
    right = {
        kind: points[f"{side}_{kind}"] == points["labels"]
        for kind, _ in maps.KINDS
        if f"{side}_{kind}" in points
    }
    return maps.Cloud(
        clean=coordinates[f"{side}_clean"],
        triggered=coordinates[f"{side}_triggered"],
        labels=points["labels"],
        right=right or None,
        moved=points.get(f"{side}_displacement"),
        most_moved=max(
            (float(points[n].max()) for s in SIDES if (n := f"{s}_displacement") in points),
            default=1.0,
        ),
    )


def finding(subject: Subject, points: Arrays, side: str) -> str:
    """What one map shows, in a sentence with its number."""
    taken, target = points.get(f"{side}_triggered"), subject.result["target_class"]
    others = points["labels"] != target
    if taken is None or target is None or not others.any():
        return "Circles are clean images, crosses the same images with the trigger."
    share, count = float((taken[others] == target).mean()), int(others.sum())
    between = numbers.interval(share_interval(share, count)) if mode.is_expert() else ""
    return (
        f"{numbers.percent(share)}{f' ({between})' * bool(between)} of the "
        f"{numbers.count(count)} triggered images of other classes drawn here are "
        f"taken for {text.plain(subject.target_name)}."
    )
