import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mimic.config import DistillConfig
from mimic.run import Run, find_run

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("overview", "suspect", "layers", "distil", "embeddings", "runs")
WriteRun = Callable[..., Run]


def open_page(name: str, **query: str) -> AppTest:
    """A page, reached the way a visitor reaches it: through the shell."""
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=20)
    app.run()
    if name != "overview":
        app.switch_page(f"../pages/{name}.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def words(app: AppTest) -> str:
    """All text of a page."""
    kinds: tuple[Any, ...] = (app.title, app.header, app.subheader, app.markdown, app.caption)
    kinds += (app.error, app.info, app.success, app.warning, app.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def without_escapes(app: AppTest) -> str:
    return words(app).replace("\\", "")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_the_runs_that_ship_with_the_project(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIMIC_RUNS", str(tmp_path / "runs"))
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert "What you see" in words(app)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_what_to_do_when_there_is_nothing(name: str, runs_root: Path) -> None:
    app = open_page(name)
    assert not app.exception
    assert not app.error
    told = words(app)
    assert "No encoder is chosen." in told or "Nothing has been inspected yet." in told
    assert not list(runs_root.iterdir())


def test_overview_gives_a_verdict_with_numbers(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    told = words(open_page("overview"))
    assert "Backdoor likely" in told
    assert r"99\.8% of 447 images" in told
    assert "the suspect takes it for **1**" in told
    assert "the cleaned encoder takes it for" in told


def test_the_cleaned_encoders_sureness_is_told_where_it_was_kept(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    assert words(open_page("overview")).count("sure)") == 2  # A run of before.
    run = find_run("demo-distill", runs_root)
    arrays = run.arrays("examples")
    assert arrays is not None
    run.write_arrays("examples", **arrays, after_stamped_confidence=np.full(12, 0.625))
    assert "the cleaned encoder takes it for" in words(open_page("overview"))
    assert "(62.5% sure)" in words(open_page("overview"))


def test_overview_steps_through_examples(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("overview")
    before = words(app)
    app.get_by_key("overview_example").set_value(4).run()
    assert not app.exception
    assert words(app) != before


def test_suspect_page_shows_what_was_recognised(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("suspect")
    assert not app.exception
    assert [m.value for m in app.metric][:3] == ["resnet10", "307,000", "128"]
    assert "3f" * 32 in [c.value for c in app.code]
    assert "Only 497 test images" in words(app)


def test_own_weights_travel_from_layers_to_distil(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("layers")
    app.checkbox(key="layer_on_layer4").uncheck().run()
    button = next(b for b in app.button if b.label == "Use these weights")
    button.click().run()
    app.switch_page("../pages/distil.py").run()
    assert not app.exception
    command = next(c.value for c in app.code if "distill" in c.value)
    assert "--weights" in command
    assert "layer3=" in command
    assert "layer4=" not in command


def test_changing_a_setting_changes_the_command(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("distil")
    app.number_input(key="DistillConfig_epochs_100").set_value(7).run()
    app.checkbox(key="distil_loss_clone").uncheck().run()
    command = next(c.value for c in app.code if "distill" in c.value)
    assert "--epochs 7" in command
    assert "--clone-weight 0.0" in command


def test_settings_outlive_a_page_switch(runs_root: Path, fabricate: Callable[[Path], None]) -> None:
    fabricate(runs_root)
    app = open_page("distil")
    app.number_input(key="DistillConfig_epochs_100").set_value(7).run()
    app.switch_page("../pages/layers.py").run()
    app.switch_page("../pages/distil.py").run()
    assert app.number_input(key="DistillConfig_epochs_100").value == 7


def test_impossible_settings_become_a_card(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("distil")
    for name in ("contrastive", "attention", "clone"):
        app.checkbox(key=f"distil_loss_{name}").uncheck()
    app.run()
    assert not app.exception
    assert "Every loss is switched off" in without_escapes(app)


def test_start_creates_a_run_with_the_subjects_settings(
    runs_root: Path, fabricate: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    app = open_page("distil")
    next(b for b in app.button if b.label == "Start").click().run()
    assert not app.exception
    (run,) = [r for r in runs_root.iterdir() if r.name.startswith("distill-")]
    config = Run(run).config()
    assert isinstance(config, DistillConfig)
    assert (config.encoder, config.trigger) == ("asset:demo/teacher.pth", "square:10:10:5")
    assert app.query_params["run"] == run.name


def test_a_running_run_shows_progress_and_stop(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: WriteRun
) -> None:
    fabricate(runs_root)
    run = distill_run(runs_root, "distill-a", "running", message="epoch 24", seconds_left=42.0)
    app = open_page("distil")
    assert not app.exception
    assert app.progress[0].value == 40
    assert "less than a minute left" in app.progress[0].text
    assert "memory at most" in without_escapes(app)
    next(b for b in app.button if b.label == "Stop").click().run()
    assert run.stop_requested()


def test_a_failed_run_shows_cause_and_remedy_and_no_traceback(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: WriteRun
) -> None:
    fabricate(runs_root)
    distill_run(
        runs_root,
        "distill-a",
        "failed",
        cause="The loss is infinite.",
        remedy="Lower the rate.",
    )
    app = open_page("distil")
    assert not app.exception
    told = without_escapes(app)
    assert "The loss is infinite." in told
    assert "Lower the rate." in told
    assert "Traceback" not in told
    assert "Resume" in [b.label for b in app.button]


def test_an_interrupted_run_can_be_resumed(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: WriteRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fabricate(runs_root)
    run = distill_run(runs_root, "distill-a", "running")
    run.write_status(replace(run.status(), pid=2**22 + 1, pid_created=1.0))
    resumed: list[str] = []
    monkeypatch.setattr("mimic.job.spawn", lambda r: resumed.append(r.id))
    app = open_page("distil")
    assert not app.exception
    assert "process ended before its work was done" in without_escapes(app)
    next(b for b in app.button if b.label == "Resume").click().run()
    assert resumed == ["distill-a"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("state", ["running", "failed", "stopped", "queued"])
def test_every_page_opens_beside_a_run_in_any_state(
    name: str,
    state: str,
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: WriteRun,
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-a", state)
    assert not open_page(name).exception


def test_a_link_opens_the_run_it_names(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: WriteRun
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-a", "stopped")
    app = open_page("distil", run="demo-distill")
    assert "run demo-distill" in without_escapes(app)
    assert app.query_params["run"] == "demo-distill"


def test_an_unknown_run_in_the_address_is_ignored(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("distil", run="../../etc/passwd", subject="nobody")
    assert not app.exception
    assert "run demo-distill" in without_escapes(app)


def test_a_damaged_run_becomes_a_card(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: WriteRun
) -> None:
    fabricate(runs_root)
    run = distill_run(runs_root, "distill-a", "running")
    (run.directory / "status.json").write_text("{broken")
    for name in ("overview", "distil"):
        app = open_page(name)
        assert not app.exception
    assert "is damaged" in without_escapes(app)


def test_pages_without_work_answer_within_a_second(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    import time

    fabricate(runs_root)
    for name in PAGES:
        app = open_page(name)
        spans = []
        for _ in range(3):
            start = time.monotonic()
            app.run()
            spans.append(time.monotonic() - start)
        assert min(spans) < 1, name


def test_an_upload_is_stored_under_a_made_up_name_and_inspected_from_there(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("suspect")
    app.get_by_key("suspect_source").set_value("upload").run()
    assert "An encoder's file is needed" in words(app)
    app.file_uploader[0].upload("../../**evil**.pth", b"PK\x03\x04 and no encoder").run()
    assert not app.exception
    (stored,) = (runs_root / "uploads").iterdir()
    assert re.fullmatch(r"[A-Za-z0-9]{1,24}-[0-9a-f]{16}\.pth", stored.name)
    command = next(c.value for c in app.code if "inspect" in c.value)
    assert f"--encoder {stored}" in command
    assert "**evil**" not in words(app)


def test_a_square_that_leaves_the_image_becomes_a_card(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("suspect")
    app.get_by_key("suspect_source").set_value("path").run()
    app.selectbox(key="suspect_trigger").set_value("square").run()
    app.number_input(key="suspect_square_row_16").set_value(14).run()
    assert not app.exception
    assert "does not lie within" in without_escapes(app)
