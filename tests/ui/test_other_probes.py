from collections.abc import Callable
from pathlib import Path

import pytest

from mimic.config import EvaluateConfig
from mimic.run import Run
from tests.mimic.test_other_probes import scores
from tests.ui.conftest import SUBJECT
from tests.ui.test_pages import open_page, without_escapes

MORE = "By another classifier more is left;"


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
def test_a_classifier_that_sees_more_is_told_beside_the_verdict(
    probed: Callable[[float], Run], page: str
) -> None:
    assert not any(MORE in e.value for e in open_page(page).warning)
    probed(0.3)
    (said,) = [e.value.replace("\\", "") for e in open_page(page).warning if MORE in e.value]
    assert "nearest-neighbour classifier (kNN)" in said
    assert "30.0% of 360 images (95% interval 29.0–31.0%)" in said
    assert "on the clean twin 0.5%" in said


def test_one_that_sees_as_little_is_no_warning_but_stands_in_the_table(
    probed: Callable[[float], Run],
) -> None:
    probed(0.01)
    app = open_page("distil")
    assert not app.exception
    assert not any(MORE in e.value for e in app.warning)
    tables = [d.value for d in app.dataframe if "classifier" in d.value]
    assert list(tables[0]["attack success"]) == ["1.0% (0.0–2.0%)"] * 2
    assert "Run evaluate-a" in without_escapes(app)
