import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.config import DistillConfig, PlacementConfig
from mimic.run import Run
from mimic.subjects import student_id
from mimic.verdict_words import kept
from ui import live_charts, run_list, subject
from ui.story import cleaning, closing, opening, remaining, remaining_bars, steps
from ui.story.board import chart, tapped_pixel
from ui.story.placements import Placement
from ui.story.words import HELP, in_story_words

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


def primary(app: AppTest) -> list[str]:
    """The buttons that stand out."""
    return [b.label for b in app.button if b.proto.type == "primary"]


def own_runs(root: Path, kind: str) -> list[Run]:
    return [Run(place) for place in root.iterdir() if place.name.startswith(f"{kind}-")]


def metric(app: AppTest, label: str) -> str:
    return next(m.value for m in app.metric if m.label == label)


def test_the_bundled_demo_tells_the_story_up_to_cleaning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIMIC_RUNS", str(tmp_path / "runs"))
    app = open_story()
    assert not app.exception
    assert metric(app, "Right answers") == "98.9%"
    assert "355 of 359 test pictures" in words(app)
    assert primary(app) == ["Next: put the sticker on"]
    app = press(app, "Show another picture")
    assert primary(app) == ["Next: put the sticker on"]
    app = press(app, "Next: put the sticker on")
    assert app.query_params["step"] == "2"
    assert primary(app) == ["Next: see what is left of the picture"]
    app = press(app, "Put it where the attacker did")
    assert "With the sticker it says **1**" in words(app)
    assert metric(app, "Attack success here") == "100.0%"
    assert metric(app, "Encoder never attacked, here") == "0.5%"
    assert "Share of 200 test pictures, none of them a 1, that become a 1 with the" in words(app)
    assert "You can choose 36 places" in words(app)
    assert "At 33 of them the sticker fools" in words(app)
    assert "it works less often" in words(app)
    assert primary(app) == ["Next: see what is left of the picture"]
    app = press(app, "Next: see what is left of the picture")
    assert primary(app) == ["Next: clean it"]
    assert (
        "With the sticker on, the suspect keeps 32% of the information; an encoder never attacked "
        "keeps all of it."
    ) in words(app)
    assert "the dashed line of one colour" in words(app)
    app = press(app, "Next: clean it")
    assert not app.exception
    assert primary(app) == ["Clean it"]
    assert not (tmp_path / "runs").exists()


def test_curves_of_the_suspect_and_of_one_never_attacked_are_named_at_their_ends() -> None:
    result = Run(ROOT / "assets" / "demo" / "runs" / "demo-information").result()
    assert result is not None
    drawn = remaining.figure(result)
    names = [trace.name for trace in drawn.data]
    assert names == list(remaining.NAMES.values())
    assert [note.text for note in drawn.layout.annotations] == names
    curves = {(c["network"], c["input"]): c["layers"] for c in result["curves"]}
    for trace, of in zip(drawn.data, remaining.NAMES, strict=True):
        assert list(trace.y) == [curves[of][layer] for layer in result["layers"]]


def test_bars_tell_the_same_shares_as_the_sentence_beside_them() -> None:
    result = Run(ROOT / "assets" / "demo" / "runs" / "demo-information").result()
    assert result is not None
    (bars,) = remaining_bars.figure(result, remaining.NAMES).data
    assert list(bars.y) == list(remaining.NAMES.values())
    shares = dict(zip(remaining.NAMES, bars.x, strict=True))
    for network in ("teacher", "clean_twin"):
        share = shares[network, "triggered"] / shares[network, "clean"]
        assert share == pytest.approx(kept(result, network))
    by_hand = [
        sum(c["layers"].values()) / 5 for c in result["curves"]
        if (c["network"], c["input"]) == ("teacher", "clean")
    ]  # fmt: skip
    assert bars.x[0] == pytest.approx(by_hand[0])
    assert list(bars.marker.pattern.shape) == ["", "/", "", "/"]


def test_layers_are_one_click_away_in_step_3(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_story(3)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    (more,) = [e for e in app.expander if e.label == "More: layer by layer"]
    assert len(more.get("plotly_chart")) == 1
    assert not more.proto.expanded


def test_without_a_clean_twin_only_the_suspect_is_drawn(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    result = Run(runs_root / "demo-information").result()
    assert result is not None
    assert len(remaining.figure(result).data) == 2
    assert len(remaining_bars.figure(result, remaining.NAMES).data[0].x) == 2


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
    (run,) = own_runs(runs_root, "distill")
    config = run.config()
    assert isinstance(config, DistillConfig)
    assert (config.information, config.preset, config.seed) == ("demo-information", "gentle", 0)
    assert "Stop" in [b.label for b in app.button]
    assert primary(app) == ["Next: try the sticker again"]


def test_nobody_has_to_wait_for_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIMIC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    app = open_story(4)
    assert primary(app) == ["Clean it"]
    for told in (
        "100 rounds on this machine: about 30 to 60 seconds.",
        "for step 5: about 10 seconds.",
    ):
        assert told in words(app)
    app = press(app, "Use the one cleaned beforehand")
    assert not app.exception
    assert "**Cleaned beforehand** (100 rounds)" in words(app)
    assert primary(app) == ["Next: try the sticker again"]
    (trial,) = own_runs(tmp_path / "runs", "placement")
    assert student_id(trial) == "demo-distill"
    assert not own_runs(tmp_path / "runs", "distill")
    app = press(app, "Next: try the sticker again")
    assert "Now the sticker is put on test pictures" in words(app)
    app = press(press(app, "Back"), "Clean it here")  # A real one takes its place.
    assert "Stop" in [b.label for b in app.button]
    assert len(own_runs(tmp_path / "runs", "distill")) == 1


def test_the_last_step_too_offers_the_one_cleaned_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIMIC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    app = press(open_story(5), "Use the one cleaned beforehand")
    assert "Now the sticker is put on test pictures" in words(app)
    (trial,) = own_runs(tmp_path / "runs", "placement")
    assert student_id(trial) == "demo-distill"


def test_the_encoder_cleaned_beforehand_was_trained_as_clean_it_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIMIC_RUNS", str(tmp_path / "runs"))
    demo = subject.named(subject.DEMO)
    assert demo is not None
    ready = cleaning.beforehand(demo)
    assert ready is not None
    made = ready.config()
    assert isinstance(made, DistillConfig)
    assert replace(made, evaluate_every=cleaning.EVALUATE_EVERY) == cleaning.config(demo)


def test_step_4_says_why_right_answers_start_high(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    distill_run(runs_root, "distill-own", "running")
    told = "starts at 75.0% because these digits are easy"
    assert told in words(open_story(4))
    assert told not in words(open_story(3))


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
    (run,) = own_runs(runs_root, "placement")
    config = run.config()
    assert isinstance(config, PlacementConfig)
    assert (config.student, config.stride) == ("distill-own", 2)


def test_the_last_step_shows_a_cleaning_at_work_and_goes_on_by_itself(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Write,
    placement_run: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    run = distill_run(runs_root, "distill-own", "running", seconds_left=12.0)
    app = open_story(5)
    assert not app.exception
    assert "still learning" in words(app)
    assert "Stop" in [b.label for b in app.button]
    assert "Clean it first" not in [b.label for b in app.button]
    assert any("less than a minute left" in bar.proto.text for bar in app.get("progress"))
    assert app.get("vega_lite_chart")
    run.delete()
    distill_run(runs_root, "distill-own")  # It has ended.
    app = app.run()
    assert "Now the sticker is put on test pictures" in words(app)
    (trial,) = own_runs(runs_root, "placement")
    trial.delete()
    placement_run(runs_root, "placement-own", student="distill-own")
    assert "The cleaned encoder says" in words(app.run())


@pytest.mark.parametrize("step", [1, 2, 3])
def test_the_sticker_is_tried_even_if_another_step_is_shown_when_cleaning_ends(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Write,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    run = distill_run(runs_root, "distill-own", "running")
    app = open_story(step)
    assert "goes on in the meantime" not in words(app)  # It is not this visitor's.
    app.session_state[cleaning.RUN] = run.id
    assert "The cleaning of step 4 goes on in the meantime" in words(app.run())
    run.delete()
    distill_run(runs_root, "distill-own")
    app.run().run()
    assert not app.exception
    (trial,) = own_runs(runs_root, "placement")
    assert student_id(trial) == "distill-own"


def test_a_try_of_the_sticker_that_ended_early_is_offered_again(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Write,
    placement_run: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    distill_run(runs_root, "distill-own")
    trial = placement_run(runs_root, "placement-own", student="distill-own")
    (trial.directory / "result.json").unlink()
    trial.write_status(replace(trial.status(), state="failed", cause="The disk is full."))
    for step in (4, 5):
        app = open_story(step)
        assert "The disk is full." in words(app)
        assert primary(app) == ["Try again"]
    press(app, "Try again")
    assert len(own_runs(runs_root, "placement")) == 2


def test_the_last_step_compares_both_encoders_and_gives_a_verdict(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Write, placement_run: Write
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-own")
    placement_run(runs_root, "placement-own", student="distill-own")
    app = open_story(5)
    assert not app.exception
    assert primary(app) == ["Try another picture"]
    told = words(app)
    assert "counted on all 447 test pictures that do not show a 1, with the sticker" in told
    assert "counted on all 497 test pictures without the sticker, and on the same 447 with" in told
    assert "of 200 test pictures" not in told  # At the attacker's place one figure is enough.
    for figure in ("3.1%", "97.4%"):
        assert told.count(figure) <= 1
    assert len(app.get("popover")) == 2  # The sources, and the glossary.
    assert metric(app, "Attack success after cleaning") == "3.1%"
    assert "No backdoor left that could be seen" in told


def test_the_commands_behind_the_numbers_name_the_python_that_knows_the_project(
    runs_root: Path, fabricate: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("sys.prefix", str(ROOT / ".venv"))
    commands = [code.value for code in open_story(1).code]
    assert commands
    assert all(command.startswith(".venv/bin/python -m mimic ") for command in commands)


def test_a_cleaning_that_left_the_backdoor_in_is_made_again_more_gently(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Write, placement_run: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fabricate(runs_root)
    run = distill_run(runs_root, "distill-own")
    placement_run(runs_root, "placement-own", student="distill-own")
    labels = {m.label for m in open_story(5).metric}
    assert "Right answers with the sticker on" not in labels  # The figure is newer than the run.
    result = run.result()
    assert result
    result["scores"]["student"] |= {"asr": 0.9, "asr_interval": [0.87, 0.92]}
    for name, share in (("teacher", 0.01), ("student", 0.08)):
        bounds = [share - 0.01, share + 0.01]
        told = {"stamped_accuracy": share, "stamped_accuracy_interval": bounds}
        result["scores"][name] |= told
    run.write_json("result.json", result)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    app = open_story(5)
    assert metric(app, "Right answers with the sticker on") == "8.0%"
    app.get_by_key("clean-more-gently").click().run()
    assert not app.exception
    (made,) = (other for other in own_runs(runs_root, "distill") if other.id != "distill-own")
    config = made.config()
    assert isinstance(config, DistillConfig)
    assert config.clone_weight == 0
    assert "still learning" in words(app)


def test_the_last_step_opens_with_the_sticker_on(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Write, placement_run: Write
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-own")
    placement_run(runs_root, "placement-own", student="distill-own")
    app = open_story(5)
    assert app.session_state["story_place"] == (10, 10)
    app = press(app, "Take it off")
    assert app.session_state["story_place"] is None  # It stays off while this step is shown.
    assert app.run().session_state["story_place"] is None
    app = press(press(app, "Back"), "Next: try the sticker again")
    assert app.session_state["story_place"] == (10, 10)
    app.number_input(key="story_row").set_value(4).run()
    app = press(press(app, "Back"), "Next: try the sticker again")
    assert app.session_state["story_place"] == (4, 10)
    assert re.search(
        "fools the suspect on .* of 200 test pictures, the cleaned encoder on", words(app)
    )
    assert press(app, "Put it where the attacker did").session_state["story_place"] == (10, 10)


def spoil(run: Run, images: list[int], answer: int) -> None:
    """Let an encoder take some images for something, wherever the sticker is."""
    arrays = dict(run.arrays("placement") or {})
    arrays["answers"] = arrays["answers"].copy()
    arrays["answers"][..., images] = answer
    run.write_arrays("placement", **arrays)


def test_the_last_step_opens_with_a_picture_that_the_cleaned_encoder_gets_right(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Write, placement_run: Write
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-own")
    spoil(placement_run(runs_root, "placement-own", student="distill-own"), [2, 3], 12)
    app = open_story(5)
    assert not app.exception
    assert app.session_state["story_image"] == 4
    assert "The first picture is one that the cleaned encoder gets right" in words(app)
    app = press(press(app, "Back"), "Next: try the sticker again")
    assert app.session_state["story_image"] == 4  # It stays, as it is such a one.
    spoil(Run(runs_root / "placement-own"), list(range(12)), 12)
    app = press(press(app, "Back"), "Next: try the sticker again")
    assert "The first picture is one" not in words(app)


def test_a_wrong_answer_that_is_not_the_attackers_is_told_apart(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Write, placement_run: Write
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-own")
    spoil(placement_run(runs_root, "placement-own", student="distill-own"), list(range(12)), 12)
    told = words(open_story(5))
    assert "wrong: the attacker's 1 (" in told
    assert "wrong, but not the attacker's 1 (" in told
    assert closing.how_right("7", "7", "1").endswith(": right")


def test_the_last_step_alone_leads_back_to_cleaning(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    for run in ("demo-distill", "demo-embed"):
        Run(runs_root / run).delete()
    app = open_story(5)
    assert primary(app) == ["Clean it first"]
    app = press(app, "Clean it first")
    assert "Clean it" in [b.label for b in app.button]


def test_a_measurement_at_work_is_shown_and_cannot_be_begun_again(
    runs_root: Path, fabricate: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    app = press(open_story(3), "Measure it live (about 30 s)")
    assert not app.exception
    labels = [b.label for b in app.button]
    assert "Stop" in labels
    assert "Measure it live (about 30 s)" not in labels
    app.query_params["step"] = "2"
    assert "are still being measured" in words(app.run())
    (run,) = own_runs(runs_root, "information")
    run.write_status(replace(run.status(), state="stopped"))
    app.query_params["step"] = "3"
    app.run()
    assert "Measure it live (about 30 s)" in [b.label for b in app.button]


def test_a_double_click_begins_one_measurement(
    runs_root: Path, fabricate: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    demo = subject.named(subject.DEMO)
    assert demo is not None
    remaining.measure(demo)
    remaining.measure(demo)
    assert len(own_runs(runs_root, "information")) == 1


def test_the_story_says_so_while_another_encoder_is_chosen(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    shutil.copytree(runs_root / "demo-inspect", runs_root / "inspect-own")
    app = open_story()
    assert "always uses the demo" not in words(app)
    app.session_state["subject"] = "inspect-own"
    assert "The story always uses the demo's encoder, not “" in words(app.run())


def said_in_the_middle(app: AppTest) -> str:
    """All words beside the sidebar, labels and tooltips too; commands are not words."""
    said = []
    for kind in ("header", "subheader", "button", "metric", "markdown", "caption", "number_input"):
        for element in app.main.get(kind):
            said += [str(getattr(element.proto, f, "")) for f in ("label", "help", "body")]
    return "\n".join([*said, *(e.label for e in app.main.expander)])


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
def test_the_story_has_one_word_per_thing(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Write, placement_run: Write,
    step: int,
) -> None:  # fmt: skip
    fabricate(runs_root)
    distill_run(runs_root, "own")
    placement_run(runs_root, "placement-own", student="own")
    for run in ("demo-distill", "demo-embed"):
        Run(runs_root / run).delete()
    said = said_in_the_middle(open_story(step))
    for shown in ("sticker", "encoder"):
        assert shown in said
    # One tooltip names what the pages for experts say instead.
    said = said.replace(HELP["cleaning"], "")
    assert not re.findall(r"(?i).*\b(?:student|teacher|fresh|distil\w*|epochs?)\b.*", said)
    assert not re.findall(r"(?i)test images|another image", said)


def test_a_job_at_work_speaks_simply(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Write,
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-own", "running", message="distilling, batches split in 2")
    app = open_story(4)
    assert [bar.proto.text for bar in app.get("progress")][-1].startswith("cleaning, batches")


def test_charts_use_the_words_of_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.mode.DEFAULT", "expert")
    records = [{"epoch": e, "epochs": 2, "evaluation": {"accuracy": 0.9, "asr": 0}} for e in (0, 1)]
    scores = {"teacher": {"accuracy": 1.0, "asr": 1.0}, "clean_twin": {"asr": 0.0}}
    chart = live_charts.scores(records, 2, live_charts.reference_rows(scores))
    before, after = json.dumps(chart.to_dict()), json.dumps(in_story_words(chart).to_dict())
    for theirs, ours in (
        ("floor (clean twin)", '"never attacked"'), ('"accuracy"', '"right answers"'),
        ("training (epochs)", "training (rounds)"),
    ):  # fmt: skip
        assert theirs in before
        assert theirs not in after
        assert ours in after


def test_no_axis_of_a_chart_in_the_story_gets_a_second_title() -> None:
    # Joined titles take the height from the plot, which then is a line.
    records = [{"epoch": e, "epochs": 2, "evaluation": {"accuracy": 0.9, "asr": 0}} for e in (0, 1)]
    chart = live_charts.scores(records, 2, live_charts.reference_rows({"clean_twin": {"asr": 0.0}}))
    for drawn, shown in ((chart, "images"), (in_story_words(chart), "pictures")):
        encodings = [layer["encoding"] for layer in drawn.to_dict()["layer"]]
        assert {e["y"]["title"] for e in encodings if "title" in e.get("y", {})} == {
            f"share of test {shown} (%)"
        }


def test_every_page_tells_of_the_run_at_work_and_overview_once(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Write
) -> None:
    fabricate(runs_root)
    app = open_story()
    assert "Cleaning of" not in words(app)
    run = distill_run(runs_root, "distill-own", "running", seconds_left=65.0)
    told = "Cleaning of Demo: handwritten digits: running, 40.0%, about 1 min left."
    assert any(told in c.value.replace("\\", "") for c in app.run().sidebar.caption)
    app.switch_page("../pages/overview.py").run()
    assert not app.exception
    assert not any("running" in c.value for c in app.sidebar.caption)
    assert words(app).count(told) == 1
    run.write_status(replace(run.status(), state="stopped"))
    assert run_list.news_of(run, run.status()).endswith("digits: stopped.")


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


def test_every_square_of_the_picture_has_its_pixel_and_its_colour(
    runs_root: Path, placement_run: Write
) -> None:
    run = placement_run(runs_root)
    picture = Placement(run, run.arrays("placement") or {}, run.result() or {}).picture(0, (4, 6))
    (squares,) = chart(picture).to_dict()["datasets"].values()
    assert len(squares) == 256
    for square in squares:
        colour = tuple(int(square["colour"][i : i + 2], 16) for i in (1, 3, 5))
        assert colour == tuple(picture[square["row"], square["column"]])


@pytest.mark.parametrize("nothing", [{}, {"selection": {}}, {"selection": {"tap": []}}])
def test_a_tap_names_its_pixel_and_a_tap_beside_the_picture_none(nothing: dict) -> None:
    assert tapped_pixel({"selection": {"tap": [{"row": 3, "column": 9}]}}) == (3, 9)
    assert tapped_pixel(nothing) is None


def test_one_figure_tells_how_much_the_place_matters(runs_root: Path, placement_run: Write) -> None:
    run = placement_run(runs_root)
    found = Placement(run, run.arrays("placement") or {}, run.result() or {})
    found.result["asr_by_position"][0] = [0.4] * len(found.columns) * 2
    told = opening.elsewhere(found)
    offered = [found.asr((row, column)) for row in found.rows for column in found.columns]
    strong = sum(share >= 0.5 for share in offered)
    assert 0 < strong < len(offered)
    assert f"At {strong} of them the sticker fools the suspect" in told
    every = [share for row in found.result["asr_by_position"] for share in row]
    all_strong = sum(share >= 0.5 for share in every)
    said = [len(offered), strong, len(every), all_strong]
    assert re.findall(r"\d+", told) == [str(number) for number in said]


@pytest.mark.parametrize(("between", "said"), [(0.0, True), (1.0, False)])
def test_it_is_said_if_the_places_left_out_are_worse(
    runs_root: Path, placement_run: Write, between: float, said: bool
) -> None:
    run = placement_run(runs_root)
    found = Placement(run, run.arrays("placement") or {}, run.result() or {})
    chosen = [(row in found.rows, column in found.columns)
              for row in found.result["rows"] for column in found.result["columns"]]  # fmt: skip
    flat = [1.0 if row and column else between for row, column in chosen]
    wide = len(found.result["columns"])
    found.result["asr_by_position"] = [flat[i : i + wide] for i in range(0, len(flat), wide)]
    assert ("it works less often" in opening.elsewhere(found)) is said


def test_the_snapping_is_told_beside_the_picture(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    assert "The sticker snaps to every second pixel" in words(open_story(2))


def test_a_stopped_cleaning_is_told_and_resumed_beside_the_last_one(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Write,
    placement_run: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    distill_run(runs_root, "distill-20260101-000000-aaaa")
    placement_run(runs_root, "placement-own", student="distill-20260101-000000-aaaa")
    app = press(open_story(4), "Clean again")
    begun = max(own_runs(runs_root, "distill"), key=lambda run: run.id)
    begun.write_status(replace(begun.status(), state="stopped", progress=0.3))
    app = app.run()
    assert not app.exception
    assert "Resume" in [b.label for b in app.button]
    assert "30.0% done" in words(app)
    assert not app.metric  # No figures of an older one.
    app = press(app, "Use the last one cleaned here")
    assert "Resume" not in [b.label for b in app.button]
    assert metric(app, "Right answers")
    assert primary(app) == ["Next: try the sticker again"]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
def test_no_help_of_the_story_speaks_of_what_the_story_does_not(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Write, placement_run: Write,
    step: int,
) -> None:  # fmt: skip
    fabricate(runs_root)
    distill_run(runs_root, "distill-own")
    placement_run(runs_root, "placement-own", student="distill-own")
    app = open_story(step)
    assert not app.exception
    told = [
        e.proto.help for kind in ("metric", "markdown", "subheader") for e in app.main.get(kind)
    ]
    told = [help_text for help_text in told if help_text]
    assert told
    for help_text in told:
        assert not re.search(r"clean twin|\btrigger", help_text, re.IGNORECASE), help_text
