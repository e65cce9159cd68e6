"""The points of an embedding map as a table for other programs: one line per point."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from mimic.errors import RunError
from mimic.run import Run

SIDES = ("before", "after")
KINDS = ("clean", "triggered")
COLUMNS = (
    "encoder", "image", "input", "class", "class_name", "x", "y",
    "predicted", "predicted_name", "displacement", "layer", "projection", "images",
    "encoder_file", "run", "seed",
)  # fmt: skip
FORMULA_SIGNS = ("=", "+", "-", "@")
NAME_LIMIT = 200


def points_csv(
    run: Run,
    layer: str,
    projection: str,
    *,
    images: Sequence[int] | None = None,
    side: str | None = None,
) -> str:
    """The points of one map as CSV.

    Args:
        run: an ``embed`` run that has written this map.
        layer: the layer's name.
        projection: umap, pca or plane.
        images: ids of the images to keep; all where None.
        side: ``before`` or ``after`` cleaning; both where None.

    Returns:
        A header and one line per encoder (before, after), image and input (clean, triggered);
        ``displacement`` is one minus the cosine of the image's clean and triggered features.
        ``images`` counts those of the map, whether kept or not, since all of them shaped it.
        A cell is empty where the run does not know its value.

    Raises:
        RunError: if the run has no such map.
    """
    places, points = run.arrays(f"{layer}-{projection}"), run.arrays("points")
    if places is None or points is None:
        raise RunError(
            f"Run {run.id} has no map of {layer} by {projection}.", "Choose a map it has written."
        )
    names = (run.result() or {}).get("class_names", [])
    known = {**points, **(run.arrays("samples") or {})}
    chosen = np.arange(len(points["labels"])) if images is None else np.asarray(images, dtype=int)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in SIDES if side is None else (side,):
        same = shared(run, one, layer, projection, len(points["labels"]))
        writer.writerows([*cells, *same] for cells in lines(places, known, chosen, names, one))
    return text.getvalue()


def shared(run: Run, side: str, layer: str, projection: str, count: int) -> list[object]:
    """The cells that all lines of a side share, the last in the order of ``COLUMNS``."""
    config = run.about()["config"]
    given = str(config.get("encoder" if side == "before" else "student") or "")
    file = given.rstrip("/").rsplit("/", 1)[-1].removeprefix("asset:")
    told = [spreadsheet_text(said) for said in (layer, projection)]
    return [*told, count, spreadsheet_text(file), run.id, config.get("seed", 0)]


def lines(
    places: dict[str, np.ndarray],
    known: dict[str, np.ndarray],
    chosen: np.ndarray,
    names: Sequence[str],
    side: str,
) -> Iterator[list[object]]:
    """One list of cells per point of a side, the first in the order of ``COLUMNS``."""

    def name(label: int | str) -> str:
        if label == "":
            return ""
        inside = 0 <= int(label) < len(names)
        return spreadsheet_text(names[int(label)]) if inside else str(label)

    moved = known.get(f"{side}_displacement")
    for kind in KINDS:
        where, taken = places.get(f"{side}_{kind}"), known.get(f"{side}_{kind}")
        if where is None:
            continue
        for i in chosen:
            label = int(known["labels"][i])
            predicted: int | str = "" if taken is None else int(taken[i])
            yield [
                side, int(i), kind, label, name(label),
                f"{where[i, 0]:.4f}", f"{where[i, 1]:.4f}",
                predicted, name(predicted), "" if moved is None else f"{moved[i]:.4f}",
            ]  # fmt: skip


def spreadsheet_text(value: object) -> str:
    """A name from a stranger's file as a cell that no spreadsheet takes for a formula."""
    visible = "".join(c for c in str(value) if unicodedata.category(c)[0] != "C")[:NAME_LIMIT]
    return f"'{visible}" if visible.lstrip().startswith(FORMULA_SIGNS) else visible
