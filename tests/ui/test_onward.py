from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.run import Run
from mimic.verdict import TITLES
from ui import onward

ROOT = Path(__file__).resolve().parents[2]
Write = Callable[..., Run]


def links(page: str, step: str = "") -> list[str]:
    """What the links in the middle of a page are called."""
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=20)
    app.run()
    app.switch_page(f"../pages/{page}.py")
    if step:
        app.query_params["step"] = step
    app.run()
    assert not app.exception
    return [link.proto.label for link in app.main.get("page_link")]


def rescore(run: Run, encoder: str, **scores: object) -> None:
    """Give an encoder of a run other scores."""
    result = run.result()
    assert result
    result["scores"][encoder] |= scores
    run.write_json("result.json", result)


def test_a_backdoored_encoder_is_to_be_cleaned(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    assert links("suspect")[-2:] == ["Next: clean it", "See what its layers know"]


def test_where_no_backdoor_was_seen_no_link_says_clean_it(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    rescore(Run(runs_root / "demo-inspect"), "teacher", asr=0.01, asr_interval=[0.004, 0.02])
    found = links("suspect")
    assert found[-1] == "Next: measure its layers"
    assert not [label for label in found if "clean it" in label.lower()]


@pytest.mark.parametrize(
    ("asr", "first"), [(0.02, "Inspect your own file"), (0.9, "See in detail")]
)
def test_the_storys_end_leads_on_only_where_the_cleaning_went_well(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Write,
    placement_run: Write,
    asr: float,
    first: str,
) -> None:
    fabricate(runs_root)
    run = distill_run(runs_root, "distill-own")
    placement_run(runs_root, "placement-own", student="distill-own")
    rescore(run, "student", asr=asr, asr_interval=[asr - 0.01, asr + 0.01])
    assert links("story", "5")[0].startswith(first)


def test_every_level_of_a_suspect_has_its_links() -> None:
    assert set(onward.AFTER_INSPECTION) <= set(TITLES)
    assert set(onward.AFTER_INSPECTION) == {"backdoor", "unknown", "not_seen", "broken"}
