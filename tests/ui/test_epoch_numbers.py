"""The CSV of a training's chart has every number that is drawn, and who it is of."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimic.run import Run
from tests.ui.test_pages import open_page
from ui import (
    agreement_chart,
    distillation,
    epoch_numbers,
    live_charts,
    picture_file,
    run_chart,
    training_charts,
)

WriteRun = Callable[..., Run]
FACTS = {"run": "r", "suspect": "teacher.pth", "seed": 3, "images": 52}
FINAL = {"accuracy": 0.47, "asr": 0.11, "test_images": 400, "stamped_images": 360}
BEFORE = {
    "teacher": {"accuracy": 0.9, "asr": 0.99, "test_images": 400, "stamped_images": 360},
    "clean_twin": {"accuracy": 0.91, "asr": 0.02, "test_images": 300, "stamped_images": 270},
}


def lines(epochs: int) -> list[dict[str, Any]]:
    """A training measured at every second epoch."""
    return [
        {"epoch": e, "epochs": epochs, "loss": 2.0 / e, "contrastive": 1.0 / e, "attention": 0.3,
         "clone": -0.5, "agreement": 1 - 1 / e,
         **({"evaluation": {"accuracy": 0.4 + 1e-3 * e, "asr": 0.15, "test_images": 200,
                           "stamped_images": 180}}
            if e % 2 == 0 else {})}
        for e in range(1, epochs + 1)
    ]  # fmt: skip


def points(figure: Any) -> set[tuple[str, Any, float]]:
    """Line, epoch and value of every point that a figure draws."""
    return {
        (trace.name, x, round(y, 12))
        for trace in figure.data
        for x, y in zip(trace.x, trace.y, strict=True)
    }


def written(rows: list[dict[str, Any]], column: str) -> set[tuple[str, Any, float]]:
    """The same of a CSV's rows."""
    return {(row["series"], row["epoch"], round(row[column], 12)) for row in rows if row["epoch"]}


def test_the_numbers_of_a_training_are_those_drawn_and_each_says_whose_it_is() -> None:
    records = lines(40)
    references = live_charts.reference_rows(BEFORE)
    losses = epoch_numbers.losses(records, FACTS)
    assert written(losses, epoch_numbers.LOSS) == points(training_charts.losses(records, 300))
    alike = epoch_numbers.agreement(records, FACTS)
    assert written(alike, epoch_numbers.AGREEMENT) == points(training_charts.agreement(records, 99))
    scored = epoch_numbers.scores(
        records, BEFORE, FINAL, {k: FACTS[k] for k in FACTS if k != "images"}
    )
    figure = training_charts.scores(records, references, 300, FINAL)
    assert written(scored, epoch_numbers.SCORE) == points(figure)
    for row in (*losses, *alike, *scored):
        assert (row["run"], row["suspect"], row["seed"]) == ("r", "teacher.pth", 3)
        assert row["images"]
    assert {row["encoder"] for row in (*losses, *alike)} == {"cleaned encoder"}
    thin = {row["series"]: row for row in scored if row["epoch"] is None}
    assert {line.y0 for line in figure.layout.shapes} == {
        row[epoch_numbers.SCORE] for row in thin.values()
    }
    assert (thin["floor (clean twin)"]["encoder"], thin["floor (clean twin)"]["images"]) == (
        "clean twin", 270,
    )  # fmt: skip
    ends = {r["series"]: r for r in scored if "final" in r["series"]}
    assert ends["attack success, final score"]["images"] == 360
    assert ends["accuracy, final score"]["images"] > 360
    assert {r["images"] for r in scored if r["series"] == "accuracy"} == {200}


def test_a_long_training_is_thinned_on_the_chart_alone() -> None:
    records = lines(3 * live_charts.MOST_POINTS)
    rows = epoch_numbers.losses(records, FACTS)
    assert {row["epoch"] for row in rows} == {r["epoch"] for r in records}
    drawn = points(training_charts.losses(records, 300))
    assert len(drawn) < len(rows)
    assert drawn <= written(rows, epoch_numbers.LOSS)
    assert len(epoch_numbers.agreement(records, FACTS)) > len(agreement_chart.rows_of(records))


@pytest.mark.parametrize("page", ["distil", "layers"])
def test_every_chart_of_a_run_has_a_csv_of_its_own_named_as_its_picture(
    runs_root: Path, fabricate: Callable[[Path], None], sweep_run: WriteRun, page: str
) -> None:
    fabricate(runs_root)
    sweep_run(runs_root)
    app = open_page(page, mode="expert")
    names = [
        json.loads(chart.proto.config)["toImageButtonOptions"]["filename"]
        for chart in app.get("plotly_chart")
    ]
    offered = {button.proto.id for button in app.get("download_button")}
    for name in names:
        assert sum(one.endswith(f"csv-{name}") for one in offered) == 1, name


def test_an_expert_can_have_the_charts_of_a_run_at_work_drawn_with_a_camera(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: WriteRun
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-a", "running")
    app = open_page("distil", mode="expert", run="distill-a")
    assert not app.get("plotly_chart")
    offered = {button.proto.id.split("csv-")[-1] for button in app.get("download_button")}
    assert {"scores-distill-a", "losses-distill-a"} <= offered
    app.toggle(key=run_chart.STILL).set_value(True).run()
    assert not app.exception
    assert not app.get("vega_lite_chart")
    saved = [json.loads(chart.proto.config) for chart in app.get("plotly_chart")]
    assert {one["toImageButtonOptions"]["filename"] for one in saved} >= {
        picture_file.file_name(name, "distill-a") for name in ("scores", "losses")
    }
    simple = open_page("distil", mode="simple", run="distill-a")
    assert run_chart.STILL not in [toggle.key for toggle in simple.toggle]
    assert simple.get("vega_lite_chart")


def test_a_chart_drawn_with_a_camera_keeps_the_epochs_that_are_shown() -> None:
    records = lines(40)
    for figure in (
        training_charts.losses(records, 300, (10, 20)),
        training_charts.agreement(records, 99, (10, 20)),
        training_charts.scores(records, [], 300, None, (10, 20)),
    ):
        assert tuple(figure.layout.xaxis.range) == (10, 20)
        assert {x for _, x, _ in points(figure)} <= set(range(10, 21))
    assert points(training_charts.losses(records[:5], 300, (10, 20)))  # None has come so far.


def test_the_clean_images_of_a_run_at_work_are_counted(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: WriteRun
) -> None:
    from mimic.run import find_run
    from ui.subject import Subject

    fabricate(runs_root)
    distill_run(runs_root, "distill-a", "running")
    inspected = find_run("demo-inspect")
    subject = Subject(inspected, inspected.result() or {}, {})
    assert distillation.Drawing(subject, "distill-a").trained_on() == 52  # 4 % of 1,300.
    assert distillation.Drawing(subject, "demo-distill").trained_on() == 52
