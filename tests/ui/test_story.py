from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.config import DistillConfig, PlacementConfig
from mimic.run import Run
from ui.story import steps
from ui.story.board import figure
from ui.story.placements import Placement

ROOT = Path(__file__).resolve().parents[2]
Write = Callable[..., Run]


@pytest.fixture(autouse=True)
def simple(monkeypatch: pytest.MonkeyPatch, expert: None) -> None:
    """The story is for those who never leave Simple."""
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")


def open_story(step: int = 1) -> AppTest:
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=20)
    app.run()
    app.switch_page("../pages/story.py")
    if step > 1:
        app.query_params["step"] = str(step)
    return app.run()


def words(app: AppTest) -> str:
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.error)
    return "\n".join(str(e.value) for kind in kinds for e in kind).replace("\\", "")


def press(app: AppTest, label: str) -> AppTest:
    found = [b for b in app.button if b.label == label]
    assert found, [b.label for b in app.button]
    return found[0].click().run()


def metric(app: AppTest, label: str) -> str:
    return next(m.value for m in app.metric if m.label == label)


def test_the_bundled_demo_tells_the_story_up_to_cleaning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIMIC_RUNS", str(tmp_path / "runs"))
    app = open_story()
    assert not app.exception
    assert metric(app, "Right answers") == "98.9%"
    assert "355 of 359 test images" in words(app)
    app = press(press(app, "Show another image"), "Next: put the sticker on")
    assert app.query_params["step"] == "2"
    app = press(app, "Put it where the attacker did")
    assert "With the sticker it says **1**" in words(app)
    assert metric(app, "Attack success here") == "100.0%"
    assert metric(app, "Encoder never attacked, here") == "0.5%"
    app = press(app, "Next: where the picture gets lost")
    assert not app.get("plotly_chart")
    app = press(app, "Show the measurement")
    assert "32% of the information is left; an encoder never attacked keeps 110%" in words(app)
    app = press(app, "Next: clean it")
    assert not app.exception
    assert "Clean it" in [b.label for b in app.button]
    assert not (tmp_path / "runs").exists()


def test_numbers_place_the_sticker_without_a_mouse(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_story(2)
    assert "Without the sticker it says" in words(app)
    app.number_input(key="story_row").set_value(4).run()
    assert not app.exception
    assert "With the sticker it says **1**" in words(app)
    app.number_input(key="story_column").set_value(3).run()
    assert app.session_state["story_place"] == (4, 2)
    app = press(app, "Take it off")
    assert "Without the sticker it says" in words(app)


def test_the_sticker_stays_where_it_is_while_other_pages_are_read(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = press(open_story(2), "Put it where the attacker did")
    app.switch_page("../pages/layers.py").run()
    app.switch_page("../pages/story.py").run()
    assert app.session_state["step"] == "2"
    assert "With the sticker it says" in words(app)


def test_cleaning_starts_the_recommended_distillation(
    runs_root: Path, fabricate: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    Run(runs_root / "demo-distill").delete()
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    app = press(open_story(4), "Clean it")
    assert not app.exception
    (run,) = [r for r in runs_root.iterdir() if r.name.startswith("distill-")]
    config = Run(run).config()
    assert isinstance(config, DistillConfig)
    assert (config.information, config.preset, config.seed) == ("demo-information", "gentle", 0)
    assert "Stop" in [b.label for b in app.button]


def test_an_earlier_cleaning_is_offered_and_the_sticker_tried_by_itself(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    distill_run(runs_root, "distill-own")
    app = open_story(4)
    assert not app.exception
    assert "Cleaned just now" in words(app)
    app.run()
    (run,) = [r for r in runs_root.iterdir() if r.name.startswith("placement-")]
    config = Run(run).config()
    assert isinstance(config, PlacementConfig)
    assert (config.student, config.stride) == ("distill-own", 2)


def test_the_last_step_compares_both_encoders_and_gives_a_verdict(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Write, placement_run: Write
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-own")
    placement_run(runs_root, "placement-own", student="distill-own")
    app = press(open_story(5), "Put the sticker on")
    assert not app.exception
    told = words(app)
    assert "fools the suspect on 100.0% of 200 images, the cleaned encoder on 0.0%" in told
    assert metric(app, "Attack success after cleaning") == "3.1%"
    assert "No backdoor left that could be seen" in told


def test_the_last_step_alone_leads_back_to_cleaning(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    for run in ("demo-distill", "demo-embed"):
        Run(runs_root / run).delete()
    app = press(open_story(5), "Clean it first")
    assert "Clean it" in [b.label for b in app.button]


def test_an_unknown_step_in_the_address_is_ignored(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_story(9)
    assert not app.exception
    assert steps.TITLES["1"] in words(app)


def test_without_the_demo_the_page_says_so(runs_root: Path) -> None:
    app = open_story()
    assert not app.exception
    assert "The demo is not installed" in words(app)


def test_the_sticker_is_centred_on_the_tapped_pixel(runs_root: Path, placement_run: Write) -> None:
    run = placement_run(runs_root)
    seen = Placement(run, run.arrays("placement") or {}, run.result() or {})
    assert seen.around(6, 8) == (4, 6)
    assert seen.around(0, 15) == (0, 10)
    picture = seen.picture(0, (4, 6))
    assert (picture[4:9, 6:11] == 255).all()
    assert (picture[:4] == seen.arrays["images"][0][:4]).all()
    assert len(figure(picture).data[0].customdata) == 256
