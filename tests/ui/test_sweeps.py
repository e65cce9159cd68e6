from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mimic.config import SweepConfig
from mimic.run import Run
from mimic.sweep import cells, summary
from tests.ui.test_pages import open_page, without_escapes
from ui import palette, sweep_inputs, sweep_map

EVERY = ("layer1", "layer2", "layer3", "layer4")
Write = Callable[..., Run]
SMALL: dict[str, Any] = {
    "layer_sets": ("layer1", "all", "none"), "scales": ("10", "3500"), "seeds": ("2",)
}  # fmt: skip


@pytest.fixture
def layers_page(runs_root: Path, fabricate: Callable[[Path], None]) -> Callable[..., AppTest]:
    """Opens the Layers page on the fabricated subject."""
    fabricate(runs_root)
    return lambda **query: open_page("layers", **query)


def measured(**values: Any) -> dict[str, Any]:
    """A row of a summary."""
    row = {"layers": ["layer1"], "scale": 10.0, "losses": "all", "seeds": [0], "failed": 0}
    for measure in ("asr", "accuracy"):
        row |= {measure: 0.25, f"{measure}_range": [0.25, 0.25]}
    return row | values


def tiles(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    planned = cells(SweepConfig(**SMALL))
    return sweep_map.tiles(planned, rows, "asr", every=EVERY, losses="all")


def test_the_map_has_a_tile_for_everything_planned_and_holes_where_nothing_is_known() -> None:
    found = tiles(measured(seeds=[0], asr=0.123, asr_range=[0.1, 0.15]))
    assert [(t["set"], t["scale"]) for t in found] == [
        (name, scale) for name in ("layer1", "all", "none") for scale in ("10", "3,500")
    ]
    assert (found[0]["percent"], found[0]["label"]) == (pytest.approx(12.3), "12%")
    assert (found[0]["range"], found[0]["seeds"]) == ("10.0–15.0%", "1 of 2")
    assert found[0]["reach"] == "10–15"
    assert tiles(measured(asr_range=[0.251, 0.249]))[0]["reach"] == ""  # Both are 25 %.
    assert all(t["percent"] is None and t["label"] == "" for t in found[1:])
    assert all(t["range"] == "not measured yet" for t in found[1:])


def test_a_weak_students_tile_says_so() -> None:
    weak, fine = (tiles(measured(is_weak=is_weak))[0] for is_weak in (True, False))
    assert (weak["weak"], weak["reach"]) == (True, "weak")
    assert (fine["weak"], fine["reach"]) == (False, "")
    wide = tiles(measured(is_weak=True, asr_range=[0.1, 0.15]))[0]
    assert wide["reach"] == "10–15, weak"
    drawn = str(sweep_map.heat_map([weak]).to_dict())
    assert "datum.weak" in drawn


def test_without_attention_one_measurement_fills_the_row() -> None:
    found = tiles(measured(layers=[], scale=0.0, asr=0.5, asr_range=[0.5, 0.5]))
    assert [t["label"] for t in found if t["set"] == "none"] == ["50%", "50%"]


def test_a_map_speaks_of_one_choice_of_losses() -> None:
    row = measured(losses="no-clone", asr=0.9)
    planned = cells(SweepConfig(**{**SMALL, "losses": ("all", "no-clone")}))
    labels = [
        sweep_map.tiles(planned, [row], "asr", every=EVERY, losses=losses)[0]["label"]
        for losses in ("all", "no-clone")
    ]
    assert labels == ["", "90%"]


def test_a_failed_cell_is_no_hole() -> None:
    row = measured(seeds=[], failed=2, asr=None, asr_range=None)
    assert (tiles(row)[0]["label"], tiles(row)[0]["percent"]) == ("failed", None)


def test_both_maps_share_one_scale_and_fit_a_phone() -> None:
    drawn = sweep_map.heat_map(tiles(measured())).to_dict()
    fills = [
        layer["encoding"]["color"]["scale"]
        for layer in drawn["layer"]
        if "scale" in layer["encoding"].get("color", {}) and layer["encoding"]["color"]["scale"]
    ]
    assert fills[0]["range"] == list(palette.SEQUENTIAL)
    assert (fills[0]["domain"][0], fills[0]["domain"][-1]) == (0, 100)
    assert "width" not in drawn  # The container decides, down to 390 px.
    y = drawn["layer"][0]["encoding"]["y"]["axis"]
    assert y["labelLimit"] <= 100  # Leaves five columns of 50 px beside it.


def test_a_finished_sweep_shows_maps_sentence_and_references(
    layers_page: Callable[..., AppTest], runs_root: Path, sweep_run: Write
) -> None:
    sweep_run(runs_root, **SMALL)
    app = layers_page()
    assert not app.exception
    told = without_escapes(app)
    assert "At a weight of 3,500 per layer, all carries the backdoor over (ASR 75%)" in told
    assert "Means over 2 seeds, whose ASR differs by up to 10 points." in told
    assert "suspect 99.8%, floor (clean twin) 1.8%" in told
    told = [chart.proto.alt for chart in app.get("plotly_chart") if "layer set" in chart.proto.alt]
    assert [words.split(" by ")[0] for words in told] == ["Attack success", "Accuracy"]
    assert all("all carries the backdoor over" in words for words in told)
    assert "Sweep again" in [e.label for e in app.expander]


def test_without_a_sweep_the_page_names_the_form_as_it_is_called(
    layers_page: Callable[..., AppTest],
) -> None:
    app = layers_page()
    assert "Open “Sweep layers and scales” above and press Sweep." in without_escapes(app)
    assert "Sweep layers and scales" in [e.label for e in app.expander]


def test_a_sweep_is_told_one_scale_to_a_line() -> None:
    told = "At a weight of 10 per layer, a does. At a weight of 1.5 per layer, b does. Two seeds."
    assert sweep_map.sentences(told) == [
        "At a weight of 10 per layer, a does.", "At a weight of 1.5 per layer, b does.",
        "Two seeds.",
    ]  # fmt: skip


def test_a_sweep_at_work_shows_what_it_has_and_can_be_stopped(
    layers_page: Callable[..., AppTest], runs_root: Path, sweep_run: Write
) -> None:
    run = sweep_run(runs_root, state="running", done=3, **SMALL)
    app = layers_page()
    assert not app.exception
    told = without_escapes(app)
    assert "So far 3 of 10 cells have ended." in told
    assert "One seed each: a lead, not a result." in told
    assert app.progress[0].value == 50
    next(b for b in app.button if b.key == f"stop-{run.id}").click().run()
    assert run.stop_requested()


def test_a_stopped_sweep_can_be_resumed(
    layers_page: Callable[..., AppTest],
    runs_root: Path,
    sweep_run: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = sweep_run(runs_root, state="stopped", done=1, **SMALL)
    resumed: list[str] = []
    monkeypatch.setattr("mimic.job.spawn", lambda r: resumed.append(r.id))
    app = layers_page()
    next(b for b in app.button if b.key == f"resume-{run.id}").click().run()
    assert not app.exception
    assert resumed == [run.id]


@pytest.mark.parametrize("state", ["queued", "failed", "running"])
def test_a_sweep_without_a_cell_opens_in_any_state(
    state: str, layers_page: Callable[..., AppTest], runs_root: Path, sweep_run: Write
) -> None:
    run = sweep_run(runs_root, state=state, done=0, **SMALL)
    (run.directory / "plan.json").unlink()
    app = layers_page()
    assert not app.exception
    assert "Traceback" not in without_escapes(app)


def test_the_form_starts_a_sweep_with_what_was_chosen(
    layers_page: Callable[..., AppTest], runs_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    app = layers_page()
    app.multiselect(key="SweepConfig_layer_sets").set_value(["layer1+layer2", "none"])
    app.multiselect(key="SweepConfig_scales").set_value(["10", "350"])
    app.number_input(key="sweep_seed_count").set_value(3).run()
    assert not app.exception
    told = without_escapes(app)
    assert "9 cells, about 6 min" in told  # 100 epochs of 0.4 s tell of 40 s per cell.
    next(b for b in app.button if b.label == "Sweep").click().run()
    (folder,) = [r for r in runs_root.iterdir() if r.name.startswith("sweep-")]
    config = Run(folder).config()
    assert isinstance(config, SweepConfig)
    assert (config.layer_sets, config.scales, config.seeds) == (
        ("layer1+layer2", "none"), ("10", "350"), ("3",)
    )  # fmt: skip
    assert config.encoder == "asset:demo/teacher.pth"


def test_words_that_make_no_sense_become_a_card(layers_page: Callable[..., AppTest]) -> None:
    app = layers_page()
    app.multiselect(key="SweepConfig_scales").set_value(["-4"]).run()
    assert not app.exception
    assert "The scale '-4' is no positive number." in without_escapes(app)


def test_the_estimate_follows_the_newest_run_that_tells(runs_root: Path, sweep_run: Write) -> None:
    run = sweep_run(runs_root, **SMALL)
    same = SweepConfig(**SMALL)
    assert "10 cells, about 1 min 00 s" in sweep_inputs.estimate(same, [run], [])
    longer = SweepConfig(**SMALL, epochs=120)
    assert "about 2 min 00 s" in sweep_inputs.estimate(longer, [run], [])
    empty = sweep_run(runs_root, "sweep-b", state="queued", done=0)
    assert sweep_inputs.estimate(same, [empty], []) == "10 cells, one short distillation each."


def test_the_table_names_every_tile(runs_root: Path, sweep_run: Write) -> None:
    from ui.sweep_plan import Plan
    from ui.sweep_table import table

    run = sweep_run(runs_root, **SMALL)
    config = SweepConfig(**SMALL)
    rows = table(summary(run.metrics()), Plan(config, cells(config), None, None))
    assert [(r["layers"], r["weight per layer"]) for r in rows] == [
        ("layer1", "10"), ("all", "10"), ("none", "0"), ("layer1", "3,500"), ("all", "3,500")
    ]  # fmt: skip
    assert rows[-1]["ASR, range over seeds"] == "70.0–80.0%"


@pytest.mark.parametrize("done", [2, 6])
@pytest.mark.parametrize("measure", ["asr", "accuracy"])
def test_each_map_has_a_csv_with_the_numbers_of_its_tiles(
    runs_root: Path, sweep_run: Write, measure: str, done: int
) -> None:
    from ui.report.tiles import heat_map
    from ui.sweep_plan import Plan
    from ui.sweep_table import of_map

    run = sweep_run(runs_root, done=done, **SMALL)
    teacher = {"test_images": 497, "stamped_images": 450}
    plan = Plan(SweepConfig(**SMALL), cells(SweepConfig(**SMALL)), teacher, None)
    found = sweep_map.tiles(
        plan.cells, plan.rows(run.metrics()), measure, every=EVERY, losses="all"
    )
    rows = of_map(found, measure, plan, run, "all")
    title = {"asr": "attack success (%)", "accuracy": "accuracy (%)"}[measure]
    drawn = [value for line in heat_map(found).data[0].z for value in line]
    assert [row[title] for row in rows] == drawn[:-1]  # None is drawn twice.
    assert [tile["percent"] for tile in sweep_map.heat_map(found).datasets["tiles"]] == drawn
    for row, tile in zip(rows, found[:-1], strict=True):
        assert (row["run"], row["losses"], row["training images"]) == (run.id, "all", 52)
        assert (row["images"], row["suspect"]) == (450 if measure == "asr" else 497, "teacher.pth")
        assert row["encoder"] == "cleaned encoder"
        assert bool(row["seed"]) == (tile["percent"] is not None)
        assert ("interval" in row) == (tile["percent"] is not None)
        if tile["percent"] is not None:
            assert row["interval from"] <= tile["percent"] <= row["interval to"]
    assert rows[0]["seed"] == {2: "0", 6: "0, 1"}[done]
    assert all(row["seed"] for row in rows) == (done == 6)  # Else there are holes.
    assert [r["weight per layer"] for r in rows if r["layers"] == "none"] == [0]
    alone = of_map([tile for tile in found if tile["set"] == "none"], measure, plan, run, "all")
    assert [row["layers"] for row in alone] == ["none"]


def test_maps_of_several_losses_are_saved_under_names_that_tell_them_apart(
    layers_page: Callable[..., AppTest], runs_root: Path, sweep_run: Write
) -> None:
    sweep_run(runs_root, **SMALL, losses=("all", "no-clone"))
    app = layers_page()
    offered = {b.proto.id.split("csv-")[-1] for b in app.get("download_button")}
    assert {"sweep-asr-all-sweep-a", "sweep-accuracy-all-sweep-a"} <= offered
    control = next(c for c in app.segmented_control if c.label == "Losses")
    offered = {
        b.proto.id.split("csv-")[-1]
        for b in control.set_value("no-clone").run().get("download_button")
    }
    assert {"sweep-asr-no-clone-sweep-a", "sweep-accuracy-no-clone-sweep-a"} <= offered
