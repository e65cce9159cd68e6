"""A CSV's rows say what they are of, and hold the numbers that the chart draws."""

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimic.run import Run
from tests.ui.test_pages import open_page
from ui import (
    charts,
    companion_charts,
    downloads,
    figure_data,
    measurement,
    placement_map,
    provenance,
    runs_charts,
)

WriteRun = Callable[..., Run]
Table = list[dict[str, str]]
WHO = {"run", "suspect", "seed", "encoder"}


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> dict[str, Table]:
    """The rows of each CSV that pages offer, as a spreadsheet reads them, by the file's name."""
    found: dict[str, Table] = {}

    def keep(rows: Callable[[], list[dict[str, Any]]], name: str, *_: Any) -> None:
        found[name] = list(csv.DictReader(io.StringIO(figure_data.as_csv(rows()))))

    monkeypatch.setattr(downloads, "rows_csv", keep)
    return found


def drawn(figure: Any, across: str = "x", upward: str = "y") -> list[tuple[Any, Any]]:
    """All places of a figure's points."""
    return [
        (x, y) for trace in figure.data for x, y in zip(trace[across], trace[upward], strict=True)
    ]


def same(cell: str, value: Any) -> bool:
    """Whether a cell holds a drawn value, to the last digit."""
    if value is None:
        return cell == ""
    return cell == value if isinstance(value, str) else math.isclose(float(cell), value)


def test_every_row_of_the_layers_page_names_run_suspect_encoder_images_and_seed(
    runs_root: Path, fabricate: Callable[[Path], None], saved: dict[str, Table]
) -> None:
    fabricate(runs_root)
    app = open_page("layers", mode="expert")
    assert not app.exception
    rows = saved["information-demo-information"]
    assert len(rows) == 4 * 5
    for row in rows:
        assert set(row) >= {*WHO, "input", "images", "scored pairs"}
        assert (row["run"], row["suspect"], row["seed"]) == ("demo-information", "teacher.pth", "0")
        assert (row["images"], row["scored pairs"]) == ("52", "300")
        assert row["series"] == f"{row['encoder']}, {row['input']}"
    run = Run(runs_root / "demo-information")
    result = run.result() or {}
    figure = charts.information_curves(measurement.drawn(result), result["layers"])
    for row, (layer, nats) in zip(rows, drawn(figure), strict=True):
        assert row["layer, from input to output"] == layer
        assert same(row["information (nats)"], nats)
    fit = saved["critic-fit-teacher-clean-layer4-demo-information"]
    assert len(fit) == 40
    assert all(row["encoder"] == "suspect" and row["images"] == "52" for row in fit)


@pytest.mark.parametrize("page", ["overview", "layers", "suspect"])
def test_no_csv_of_a_page_leaves_its_run_out(
    runs_root: Path, fabricate: Callable[[Path], None], saved: dict[str, Table], page: str
) -> None:
    fabricate(runs_root)
    assert not open_page(page, mode="expert").exception
    assert saved
    for name, rows in saved.items():
        assert all(name.endswith(row["run"]) and row["seed"] == "0" for row in rows), name


def test_intervals_stand_beside_what_they_are_and_only_where_one_is_drawn() -> None:
    scores = {
        "teacher": {"asr": 0.9, "asr_interval": [0.8, 0.95], "stamped_images": 90,
                    "test_images": 100},
        "clean_twin": {"asr": 0.1, "asr_interval": None, "test_images": 100},
    }  # fmt: skip
    facts = provenance.of_scores("gone", scores, "asr")
    rows = provenance.added(figure_data.points(charts.before_after(scores, "asr")), facts)
    told = {row["encoder"]: row for row in rows}
    assert told["suspect"]["images"] == 90
    assert told["suspect"]["interval from"] == pytest.approx(80)
    assert told["suspect"]["interval to"] == pytest.approx(95)
    assert told["suspect"]["interval"] == "95%"
    curve = {"network": "teacher", "input": "clean", "layers": {"a": 1.0, "b": 2.0}}
    bare = charts.information_curves([curve], ["a", "b"])
    banded = charts.information_curves([{**curve, "bands": {"a": [0.5, 1.25]}}], ["a", "b"])
    shared = provenance.by_series({"run": "r", "interval": provenance.CRITICS})
    assert all("interval" not in r for r in provenance.added(figure_data.points(bare), shared))
    first = provenance.added(figure_data.points(banded), shared)[0]
    assert (first["interval from"], first["interval to"]) == (0.5, 1.25)
    assert (first["interval"], first["encoder"], first["input"]) == (
        provenance.CRITICS, "suspect", "clean",
    )  # fmt: skip


def test_the_class_accuracy_is_of_other_images_than_its_companions() -> None:
    rows = [{"network": "teacher", "layer": "a", "cka": 0.5, "probe_accuracy": 0.75,
             "cka_interval": [0.25, 0.625], "probe_images": 359}]  # fmt: skip
    for name, images, value in (("cka", 58, 0.5), ("probe_accuracy", 359, 75)):
        figure = companion_charts.companion_chart(rows, name, ["a"])
        facts = provenance.of_companion("gone", name, rows, 58)
        (row,) = provenance.added(figure_data.points(figure), facts)
        assert (row["images"], row["encoder"], row["y"]) == (images, "suspect", value)
        if name == "cka":
            assert (row["interval from"], row["interval to"]) == (0.25, 0.625)


def test_the_map_of_places_is_saved_in_the_percent_it_draws(
    runs_root: Path, placement_run: WriteRun
) -> None:
    result = placement_run(runs_root).result() or {}
    figure = placement_map.heat_map(result)
    rows = placement_map.rows(result)
    flat = [z for line in figure.data[0].z for z in line]
    assert [row["attack success (%)"] for row in rows] == flat


def test_a_comparison_says_which_run_a_letter_is(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: WriteRun,
    saved: dict[str, Table],
) -> None:  # fmt: skip
    fabricate(runs_root)
    distill_run(runs_root, "distill-b")
    app = open_page("runs", mode="expert", runs="distill-b,demo-distill")
    assert not app.exception
    rows = saved["compare-accuracy-distill-b-demo-distill"]
    assert {(r["series"][0], r["run"], r["seed"]) for r in rows} == {
        ("A", "distill-b", "0"), ("B", "demo-distill", "0"),
    }  # fmt: skip
    assert {r["images"] for r in saved["compare-loss-distill-b-demo-distill"]} == {"52"}
    letters = runs_charts.letters(["distill-b", "gone"])
    facts = provenance.of_compared(letters, "sweep-asr")
    assert facts({"series": "B"}) == {"run": "gone", "images": None, "interval": provenance.SEEDS}
