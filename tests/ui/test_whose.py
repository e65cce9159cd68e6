import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mimic.run import Run
from tests.ui.test_pages import open_page, without_escapes
from ui import whose

WriteRun = Callable[..., Run]


@pytest.fixture
def looked(runs_root: Path, fabricate: Callable[[Path], None], attention_run: WriteRun) -> Run:
    """A look into the layers beside the student of ``demo-distill``."""
    fabricate(runs_root)
    run = attention_run(runs_root)
    configure(run, student="demo-distill", seed=7)
    configure(Run(runs_root / "demo-distill"), seed=5)
    return run


def configure(run: Run, **settings: object) -> None:
    path = run.directory / "run.json"
    about = json.loads(path.read_text())
    about["config"] |= settings
    path.write_text(json.dumps(about))


def test_maps_name_their_run_seed_suspect_and_student(looked: Run) -> None:
    told = without_escapes(open_page("layers", mode="expert"))
    assert f"Run {looked.id} · seed 7 · suspect teacher.pth" in told
    assert "cleaned encoder of run demo-distill (seed 5)" in told
    simple = without_escapes(open_page("layers", mode="simple"))
    assert "“Cleaned” is the encoder of the cleaning demo-distill" in simple
    assert "seed 7" not in simple


@pytest.mark.parametrize("page", ["layers", "distil", "embeddings"])
def test_run_and_seed_stand_beside_the_numbers_for_experts_only(looked: Run, page: str) -> None:
    shown = {"layers": "demo-information", "distil": "demo-distill", "embeddings": "demo-embed"}
    assert f"Run {shown[page]} · seed" in without_escapes(open_page(page, mode="expert"))
    assert f"Run {shown[page]} · seed" not in without_escapes(open_page(page, mode="simple"))


def test_a_student_that_is_gone_or_a_file_is_called_what_it_is(looked: Run) -> None:
    configure(looked, student="uploads/cleaned.safetensors")
    assert "cleaned encoder cleaned.safetensors" in whose.in_full(looked).replace("\\", "")
    configure(looked, student="distill-x")
    assert "distill-x, an encoder whose run is not here" in whose.in_full(looked).replace("\\", "")
    assert "not here any more" in whose.in_short(looked)
    configure(looked, student="")
    assert whose.in_short(looked) == ""
