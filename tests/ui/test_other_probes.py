from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.config import EvaluateConfig
from mimic.other_probes import ASK_OTHERS
from mimic.run import Run
from tests.mimic.test_other_probes import scores
from tests.ui.conftest import SUBJECT
from tests.ui.test_pages import open_page, without_escapes


@pytest.fixture
def probed(runs_root: Path, fabricate: Callable[[Path], None]) -> Callable[[float], Run]:
    """Writes an evaluation of the demo's cleaned encoder with a kNN that sees something."""
    fabricate(runs_root)

    def write(knn: float) -> Run:
        config = EvaluateConfig(**SUBJECT, student="demo-distill", probes=("linear", "knn"))
        run = Run.create(runs_root, "evaluate", config, run_id="evaluate-a")
        run.write_json(
            "result.json",
            {
                "probes": {
                    probe: {
                        "teacher": scores(0.99, 1.0), "student": scores(0.97, asr),
                        "clean_twin": scores(0.99, 0.005), "untrained": scores(0.9, 0.02),
                    }
                    for probe, asr in (("linear", 0.01), ("knn", knn))
                }
            },
        )  # fmt: skip
        return run

    return write


@pytest.mark.parametrize("page", ["overview", "distil"])
def test_the_verdict_is_that_of_the_classifier_that_sees_most(
    probed: Callable[[float], Run], page: str
) -> None:
    told = without_escapes(open_page(page))
    assert "No backdoor left that could be seen" in badges(open_page(page))
    assert ASK_OTHERS in told
    probed(0.3)
    app = open_page(page)
    told = without_escapes(app)
    assert "No backdoor left that could be seen" not in badges(app)
    assert "With a nearest-neighbour classifier (kNN) on top, the" in told
    assert "works on 30.0% (29.0 to 31.0%); on the clean twin on 0.5%" in told
    assert "With a linear classifier on top: before cleaning" in told
    assert ASK_OTHERS not in told


def test_one_that_sees_as_little_changes_no_verdict_but_stands_in_the_table(
    probed: Callable[[float], Run],
) -> None:
    probed(0.01)
    app = open_page("distil")
    assert not app.exception
    assert "No backdoor left that could be seen" in badges(app)
    assert "other classifiers (knn)" in without_escapes(app)
    tables = [d.value for d in app.dataframe if "classifier" in d.value]
    assert list(tables[0]["attack success"]) == ["1.0% (0.0–2.0%)"] * 2
    assert "Run evaluate-a" in without_escapes(app)


def badges(app: AppTest) -> str:
    return " ".join(str(e.value) for e in app.markdown if "-badge" in str(e.value))
