"""The way in for a file of one's own: what is asked, the way back, and what a refusal shows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.config import ASSETS, DistillConfig, InspectConfig
from mimic.run import Run, list_runs
from tests.mimic.datasets.pictures_on_disk import two_classes, write_tree
from tests.ui.test_pages import open_page, without_escapes

TEACHER = ASSETS / "demo" / "teacher.pth"
Fabricate = Callable[[Path], None]
Inspect = Callable[..., Run]


@pytest.fixture(autouse=True)
def simple(monkeypatch: pytest.MonkeyPatch, expert: None) -> None:
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def typed(path: Path | str) -> AppTest:
    """The page with a path typed as the encoder's."""
    app = open_page("suspect")
    app.get_by_key("suspect_source").set_value("path").run()
    app.text_input(key="suspect_encoder_path").set_value(str(path)).run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label and not b.disabled).click().run()
    assert not app.exception
    return app


def only_run(root: Path) -> Run:
    (run,) = [r for r in list_runs(root) if r.id.startswith("inspect-")]
    return run


def fail(run: Run) -> None:
    from dataclasses import replace

    run.write_status(
        replace(run.status(), state="failed", cause="'mine-0123456789abcdef.pth' is a text.",
                remedy="Supported are others.")
    )  # fmt: skip


def test_at_first_sight_an_upload_is_asked_for_and_what_is_needed_is_said(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = open_page("suspect")
    told = without_escapes(app)
    assert app.get_by_key("suspect_source").value == "upload"
    assert len(app.file_uploader) == 1
    assert "**Needed:** the encoder's file, nothing else." in told
    assert "**What happens:**" in told
    assert "An example that ships with the project" in told
    assert [b.disabled for b in app.button if b.label == "Inspect"] == [True]


def test_a_file_alone_is_enough_and_no_trigger_is_made_up(runs_root: Path) -> None:
    press(typed(TEACHER), "Inspect")
    config = only_run(runs_root).config()
    assert isinstance(config, InspectConfig)
    assert (config.encoder, config.data, config.trigger) == (str(TEACHER), "digits", "")
    assert config.target_class == -1


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere/teecher.pth", "There is no file 'teecher.pth' at that path."),
        (str(TEACHER.parent), "is a folder, not an encoder file."),
        ("~nobody-of-this-name/x.pth", "is no path of a file."),
        ("a" * 5_000, "There is no file"),
    ],
)
def test_a_slip_in_the_path_is_told_before_any_job_starts(
    runs_root: Path, path: str, said: str
) -> None:
    app = typed(path)
    assert said in without_escapes(app)
    assert app.text_input(key="suspect_encoder_path").value == path
    assert all(b.disabled for b in app.button if b.label == "Inspect")


def test_quotes_that_file_managers_copy_along_are_no_part_of_a_path(runs_root: Path) -> None:
    press(typed(f'"{TEACHER}"'), "Inspect")
    config = only_run(runs_root).config()
    assert isinstance(config, InspectConfig)
    assert config.encoder == str(TEACHER)


def test_a_refusal_stands_alone_and_the_way_back_keeps_what_was_typed(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = typed(TEACHER)
    app.selectbox(key="suspect_trigger").set_value("sinusoid").run()
    press(app, "Inspect")
    assert "Inspecting teacher.pth" in without_escapes(app)
    assert "Backdoor likely" not in without_escapes(app)
    fail(only_run(runs_root))
    app.run()
    told = without_escapes(app)
    assert "Not inspected: teacher.pth" in told
    assert "'mine.pth' is a text." in told  # Not as we stored it.
    assert "Backdoor likely" not in told
    assert "What was recognised" not in told
    assert "still speaks of the encoder chosen before, “Demo: handwritten digits”" in told
    press(app, "Change the file or the settings")
    assert app.text_input(key="suspect_encoder_path").value == str(TEACHER)
    assert app.selectbox(key="suspect_trigger").value == "sinusoid"


def test_the_encoder_chosen_before_comes_back_on_demand(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = press(typed(TEACHER), "Inspect")
    fail(only_run(runs_root))
    assert app.run().query_params["inspect_run"] == only_run(runs_root).id
    press(app, "Show the encoder chosen before")
    told = without_escapes(app)
    assert "Not inspected" not in told
    assert "Backdoor likely" in told
    assert "inspect_run" not in app.query_params
    app.run()
    assert "Not inspected" not in without_escapes(app)


def test_choosing_another_encoder_leaves_a_refusal_behind(
    runs_root: Path, fabricate: Fabricate, inspect_run: Inspect
) -> None:
    fabricate(runs_root)
    inspect_run(runs_root, "other", encoder="/x/other.pth")
    app = press(typed(TEACHER), "Inspect")
    fail(only_run(runs_root))
    app.run()
    assert "Not inspected" in without_escapes(app)
    app.selectbox(key="subject").set_value("other").run()
    assert "Not inspected" not in without_escapes(app)
    assert "other.pth · digits" in without_escapes(app)


def test_beside_an_encoder_of_ones_own_the_form_is_one_plain_button_away(
    runs_root: Path, inspect_run: Inspect
) -> None:
    inspect_run(runs_root, "other", encoder="/x/mine-0123456789abcdef.pth")
    app = open_page("suspect")
    assert not app.file_uploader
    assert "mine.pth · digits" in without_escapes(app)
    press(app, "Inspect another file")
    assert len(app.file_uploader) == 1
    assert "Inspect another file" not in labels(app)


def test_the_target_is_chosen_by_name_and_minus_one_is_shown_to_no_one(
    runs_root: Path, tmp_path: Path
) -> None:
    app = typed(TEACHER)
    assert not [s for s in app.selectbox if s.key == "suspect_target"]  # Nothing leads anywhere.
    app.selectbox(key="suspect_data").set_value("other").run()
    tree = write_tree(tmp_path / "zoo", two_classes())
    app.text_input(key="suspect_data_path").set_value(str(tree)).run()
    app.selectbox(key="suspect_trigger").set_value("sinusoid").run()
    target = app.selectbox(key="suspect_target")
    names = sorted(folder.name for folder in tree.iterdir())
    assert target.options == [
        "not known: find it by trying", *(f"{name} ({k})" for k, name in enumerate(names)),
    ]  # fmt: skip
    target.set_value(1).run()
    press(app, "Inspect")
    config = only_run(runs_root).config()
    assert isinstance(config, InspectConfig)
    assert config.target_class == 1


def test_where_classes_are_unknown_the_target_may_stay_empty(runs_root: Path) -> None:
    app = typed(TEACHER)
    app.selectbox(key="suspect_trigger").set_value("sinusoid").run()
    app.selectbox(key="suspect_downstream").set_value("svhn").run()
    asked = app.number_input(key="suspect_target_number")
    assert asked.value is None
    assert asked.placeholder == "found, as the most frequent answer"
    assert "-1" not in f"{asked.help}"
    press(app, "Inspect")
    config = only_run(runs_root).config()
    assert isinstance(config, InspectConfig)
    assert config.target_class == -1


def test_expert_settings_left_empty_are_what_the_library_takes_for_not_given(
    runs_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.mode.DEFAULT", "expert")
    app = typed(TEACHER)
    for key in ("suspect_input_size", "suspect_heads", "suspect_image_size"):
        assert app.number_input(key=key).value is None
    app.number_input(key="suspect_input_size").set_value(64).run()
    press(app, "Inspect")
    config = only_run(runs_root).config()
    assert isinstance(config, InspectConfig)
    assert (config.input_size, config.heads, config.image_size) == (64, 0, 0)


def test_simple_says_in_words_what_the_file_is(runs_root: Path, inspect_run: Inspect) -> None:
    run = inspect_run(runs_root, "other", encoder="/x/mine.pth")
    result = run.result()
    assert result is not None
    ignored = [{"name": "g.0.weight", "why": "head"}]
    match = {"matched": ["a", "b"], "ignored": ignored, "missing": [], "mismatched": []}
    run.write_json("result.json", {
        **result, "encoder": {**result["encoder"], "match": match}, "warnings": ["It is odd."],
    })  # fmt: skip
    app = open_page("suspect")
    told = without_escapes(app)
    assert [m.value.replace("\\", "") for m in app.metric][:3] == [
        "ResNet-10",
        "16 × 16 px",
        "1.2 MB",
    ]
    assert "**Every part of the network is there and fits** (2 parts). 1 more lies" in told
    assert "3f" * 32 in [c.value for c in app.code]
    for word in ("BadEncoder SimCLR", "cifar stem", "Max-pool", "Family"):
        assert word not in told
    assert not app.dataframe
    assert "It is odd." in told


def test_an_own_file_is_cleaned_for_as_many_updates_as_suit_its_images(
    runs_root: Path, inspect_run: Inspect
) -> None:
    inspect_run(runs_root, "other", encoder="/x/mine.pth")
    app = open_page("distil")
    told = without_escapes(app)
    assert "52 clean images, 100 rounds. This length suits that many images; it was not" in told
    assert "No backdoor was seen" not in told
    press(app, "Start")
    (run,) = [r for r in list_runs(runs_root) if r.kind == "distill"]
    config = run.config()
    assert isinstance(config, DistillConfig)
    assert config.epochs == 100


def folds(app: AppTest) -> list[str]:
    return [fold.label.replace("\\", "") for fold in app.expander if "Earlier" in fold.label]


def test_the_result_of_another_file_lies_under_a_fold_of_its_name(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = open_page("suspect")
    assert folds(app) == []
    app = typed(ASSETS / "demo" / "clean_twin.safetensors")
    assert folds(app) == ["Earlier result: Demo: handwritten digits"]
    press(app, "Inspect")
    assert folds(app) == []


def test_a_refusal_of_the_file_before_lies_under_a_fold(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = press(typed(TEACHER), "Inspect")
    fail(only_run(runs_root))
    press(app.run(), "Change the file or the settings")
    assert folds(app) == []
    other = ASSETS / "demo" / "clean_twin.safetensors"
    app.text_input(key="suspect_encoder_path").set_value(str(other)).run()
    assert folds(app) == ["Earlier result: teacher.pth"]


def test_a_trigger_is_tested_on_the_encoder_at_hand(
    runs_root: Path, tmp_path: Path, inspect_run: Inspect
) -> None:
    file = runs_root / "uploads" / "mine-0123456789abcdef.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    inspect_run(runs_root, "other", encoder=str(file), trigger="", target_class=-1)
    app = press(open_page("suspect"), "Test a trigger on this encoder")
    told = without_escapes(app)
    assert "In use: mine.pth" in told
    assert app.selectbox(key="suspect_trigger").value == "square"
    assert folds(app) == ["Earlier result: mine.pth · digits"]
    press(app, "Inspect")
    (run,) = [r for r in list_runs(runs_root) if r.id.startswith("inspect-")]
    config = run.config()
    assert isinstance(config, InspectConfig)
    assert config.encoder.endswith("mine-0123456789abcdef.pth")
    assert config.trigger.startswith("square:")


def test_a_trigger_is_tested_with_the_encoder_s_own_settings_and_no_other_s(
    runs_root: Path, tmp_path: Path, inspect_run: Inspect
) -> None:
    other, tree = ASSETS / "demo" / "clean_twin.safetensors", tmp_path / "tree"
    write_tree(tree, two_classes())
    inspect_run(
        runs_root, "other", encoder=str(TEACHER), trigger="", target_class=-1,
        downstream=str(tree), normalization="cifar10", input_size=64, clean_twin="", heads=3,
    )  # fmt: skip
    app = open_page("suspect")
    for key, value in {
        "suspect_twin": "path", "suspect_twin_file_path": str(other), "suspect_target": 4,
        "suspect_normalization": "none", "suspect_max_pool": "yes", "suspect_input_size": 32,
        "suspect_downstream": "cifar10", "suspect_data": "gtsrb", "suspect_image_size": 48,
    }.items():  # fmt: skip
        app.session_state[key] = value
    app.session_state["mode"] = "expert"
    press(press(app.run(), "Test a trigger on this encoder"), "Inspect")
    (run,) = [r for r in list_runs(runs_root) if r.id.startswith("inspect-")]
    config = run.config()
    assert isinstance(config, InspectConfig)
    assert (config.encoder, config.data, config.downstream) == (str(TEACHER), "digits", str(tree))
    assert (config.clean_twin, config.target_class, config.max_pool) == ("", -1, "auto")
    assert (config.normalization, config.input_size, config.heads) == ("cifar10", 64, 3)
    assert config.image_size == 0
    assert config.trigger.startswith("square:")


@pytest.mark.parametrize("path", ["/proc/1/cwd/enc.pth", "/tmp/" + "x" * 300 + ".pth"])
def test_a_path_that_the_system_will_not_look_at_is_no_file(
    runs_root: Path, fabricate: Fabricate, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    fabricate(runs_root)
    is_file = Path.is_file

    def guarded(self: Path) -> bool:
        if str(self).startswith("/proc/1/"):
            raise PermissionError(13, "Permission denied", str(self))  # As for all but root.
        return is_file(self)

    monkeypatch.setattr(Path, "is_file", guarded)
    assert "There is no file" in without_escapes(typed(path))


def test_where_a_trigger_was_given_or_the_example_stands_none_is_asked_for(
    runs_root: Path, fabricate: Fabricate, inspect_run: Inspect
) -> None:
    fabricate(runs_root)
    assert "Test a trigger on this encoder" not in labels(open_page("suspect"))
    inspect_run(runs_root, "other", encoder="/x/mine.pth")
    app = open_page("suspect")
    app.selectbox(key="subject").set_value("other").run()
    assert "Test a trigger on this encoder" not in labels(app)


@pytest.mark.parametrize("given", [3, -1])
def test_a_class_that_no_one_named_is_not_called_the_attackers(
    runs_root: Path, inspect_run: Inspect, given: int
) -> None:
    inspect_run(runs_root, "other", encoder="/x/mine.pth", target_class=given)
    told = without_escapes(open_page("suspect"))
    assert ("found by trying all ten classes" in told) == (given < 0)


def test_before_cleaning_what_seems_sound_its_price_is_told(
    runs_root: Path, inspect_run: Inspect
) -> None:
    run = inspect_run(runs_root, "other", encoder="/x/mine.pth")
    result = run.result()
    assert result is not None
    sound = {
        "teacher": result["scores"]["clean_twin"],
        "clean_twin": result["scores"]["clean_twin"],
    }
    run.write_json("result.json", {**result, "scores": sound})
    assert "No backdoor was seen; cleaning usually costs accuracy." in without_escapes(
        open_page("distil")
    )
