import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.run import Run
from ui import same_file

ROOT = Path(__file__).resolve().parents[2]
Write = Callable[..., Run]


def page(name: str, run: Run) -> AppTest:
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=20)
    app.run()
    if name != "overview":
        app.switch_page(f"../pages/{name}.py")
    app.query_params["subject"] = run.id
    app.run()
    assert not app.exception
    return app


def untested(run: Run) -> Run:
    """The same inspection as it is without a trigger: no attack success."""
    result = run.result()
    assert result is not None
    for scores in result["scores"].values():
        for name in ("asr", "asr_interval", "asr_all"):
            scores.pop(name)
    run.write_json("result.json", result)
    return run


def told(app: AppTest) -> list[str]:
    return [e.value.replace("\\", "") for e in (*app.warning, *app.info) if "same file" in e.value]


@pytest.mark.parametrize("name", ["overview", "suspect"])
def test_a_file_found_backdoored_before_is_recognised_by_its_bytes(
    runs_root: Path, inspect_run: Write, name: str
) -> None:
    inspect_run(runs_root)
    mine = untested(
        inspect_run(
            runs_root, "mine", encoder="/x/harmless-0123456789abcdef.pth", trigger="",
            clean_twin="", normalization="0.5,0.5,0.5/1,1,1",
        )
    )  # fmt: skip
    app = page(name, mine)
    (said,) = told(app)
    assert said in {e.value.replace("\\", "") for e in app.warning}
    assert "byte for byte, as “Demo: handwritten digits”" in said
    assert "Backdoor" in said
    for setting in ("trigger", "clean twin", "normalisation"):
        assert setting in said
    assert "images" not in said.split("settings")[1].split(")")[0]  # Those are the same.
    next(b for b in app.button if b.label == "Show that inspection").click().run()
    assert app.session_state["subject"] == "demo-inspect"
    assert not told(app)  # The demo needs no other.


def test_other_bytes_and_the_same_settings_are_no_news(runs_root: Path, inspect_run: Write) -> None:
    inspect_run(runs_root)
    other = inspect_run(runs_root, "other", encoder="/x/other.pth", trigger="")
    result = other.result()
    assert result is not None
    result["encoder"]["sha256"] = "ab" * 32
    other.write_json("result.json", result)
    assert not told(page("suspect", other))


def test_what_was_found_with_a_trigger_is_told_beside_the_inspection_without(
    runs_root: Path, inspect_run: Write
) -> None:
    plain = untested(inspect_run(runs_root, "plain", encoder="/x/a.pth", trigger="", clean_twin=""))
    assert not told(page("suspect", plain))
    found = inspect_run(runs_root, "found", encoder="/x/a.pth")
    assert told(page("suspect", plain))
    assert not told(page("suspect", found))  # It tells more than the other.


def test_only_settings_that_differ_are_named() -> None:
    here = {"data": "digits", "trigger": "", "max_pool": "auto"}
    assert same_file.differing(here, dict(here)) == ""
    said = same_file.differing(here, {**here, "trigger": "square:1:1:2"})
    assert said == "It was inspected with other settings (trigger), so its figures may differ."


def test_a_file_that_served_as_a_clean_twin_is_recognised(
    runs_root: Path, inspect_run: Write
) -> None:
    demo = inspect_run(runs_root)
    about = json.loads((demo.directory / "run.json").read_text())
    about["inputs"] = {"clean_twin": {"path": "x", "sha256": "cd" * 32}}
    (demo.directory / "run.json").write_text(json.dumps(about))
    mine = inspect_run(runs_root, "mine", encoder="/x/b.pth", trigger="", clean_twin="")
    result = mine.result()
    assert result is not None
    result["encoder"]["sha256"] = "cd" * 32
    mine.write_json("result.json", result)
    (said,) = told(page("suspect", mine))
    assert "as the clean twin** with which “Demo: handwritten digits” was compared" in said
