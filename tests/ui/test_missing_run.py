import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.run import Run
from tests.ui.test_pages import open_page, without_escapes
from ui import distillation

WriteRun = Callable[..., Run]
PLACES = [
    ("distil", "run"),
    ("layers", "information_run"),
    ("layers", "attention_run"),
    ("layers", "sweep_run"),
    ("embeddings", "student"),
    ("embeddings", "embed_run"),
    ("suspect", "inspect_run"),
    ("overview", "subject"),
    ("layers", "subject"),
]
NEWEST = {
    "run": "distill-b",
    "information_run": "demo-information",
    "attention_run": "demo-attention",
    "sweep_run": "sweep-a",
    "student": "demo-distill",  # The newest with a map.
    "embed_run": "demo-embed",
}
"""What each page shows of the runs in ``made`` where the address names none."""


@pytest.fixture
def made(
    runs_root: Path, fabricate: Callable[[Path], None], attention_run: WriteRun,
    distill_run: WriteRun, sweep_run: WriteRun,
) -> Path:  # fmt: skip
    """A subject with a run of each kind, and two distillations."""
    fabricate(runs_root)
    attention_run(runs_root)
    sweep_run(runs_root)
    distill_run(runs_root, "distill-b", "finished")
    return runs_root


def notes(app: AppTest) -> list[str]:
    return [note.value.replace("\\", "") for note in app.info if "The address names" in note.value]


@pytest.mark.parametrize(("page", "key"), PLACES)
def test_a_run_of_the_address_that_is_not_here_is_told_with_what_to_do(
    made: Path, page: str, key: str
) -> None:
    app = open_page(page, **{key: "long-gone-0000"})
    assert not app.exception
    (told,) = notes(app)
    assert "long-gone-0000" in told
    assert "not here" in told
    assert "on Runs" in told
    assert not notes(open_page(page))


@pytest.mark.parametrize(
    ("page", "key"), [place for place in PLACES if place[1] not in ("subject", "run")]
)
def test_the_note_outlives_a_rerun_whatever_is_shown_instead(
    made: Path, page: str, key: str
) -> None:
    app = open_page(page, **{key: "long-gone-0000"})
    assert len(notes(app.run())) == 1
    assert len(notes(app.run())) == 1


def test_a_link_to_a_map_shows_it_and_its_encoder(made: Path) -> None:
    app = open_page("embeddings", embed_run="demo-embed", student="")
    assert not notes(app)
    assert app.query_params["student"] in ("demo-distill", ["demo-distill"])


def test_the_note_outlives_a_rerun_and_goes_when_another_run_is_picked(made: Path) -> None:
    app = open_page("distil", run="long-gone-0000")
    assert len(notes(app.run())) == 1
    app.selectbox(key=distillation.RUN).set_value("demo-distill").run()
    assert not notes(app)


def repeat(root: Path, run_id: str) -> None:
    """The same run made once more, now; of a map, with the encoder made anew, too."""
    again = root / f"{run_id}-newer"
    shutil.copytree(root / run_id, again)
    about = json.loads((again / "run.json").read_text())
    about["created"] = time.time()
    if about["kind"] == "embed":
        repeat(root, about["config"]["student"])
        about["config"]["student"] += "-newer"
    (again / "run.json").write_text(json.dumps(about))


def of_address(app: AppTest, key: str) -> str:
    """The run that the address of an open page names."""
    given = app.query_params[key]
    return given[0] if isinstance(given, list) else str(given)


def is_named(app: AppTest, run_id: str) -> bool:
    """Whether a page says of a run that its numbers are shown."""
    return bool(re.search(rf"\brun {run_id}(?![\w-])", without_escapes(app), re.IGNORECASE))


@pytest.mark.parametrize(
    ("page", "key"), [place for place in PLACES if place[1] not in ("subject", "inspect_run")]
)
def test_the_newest_run_is_written_into_the_address_so_that_a_link_stays(
    made: Path, page: str, key: str
) -> None:
    first = open_page(page)
    assert of_address(first, key) == NEWEST[key]
    assert is_named(first, NEWEST[key])
    newer = f"{NEWEST[key]}-newer"
    repeat(made, "demo-embed" if key == "student" else NEWEST[key])
    without = open_page(page)
    assert of_address(without, key) == newer
    assert is_named(without, newer)
    assert not is_named(without, NEWEST[key])
    linked = open_page(page, **{key: NEWEST[key]})
    assert of_address(linked, key) == NEWEST[key]
    assert is_named(linked, NEWEST[key])
    assert not is_named(linked, newer)


def test_a_link_of_runs_keeps_the_view_for_experts(made: Path) -> None:
    expert = open_page("runs", runs="demo-distill", mode="expert")
    assert any("runs=demo-distill&mode=expert" in code.value for code in expert.code)
    simple = open_page("runs", runs="demo-distill", mode="simple")
    assert any(code.value.endswith("runs=demo-distill") for code in simple.code)
