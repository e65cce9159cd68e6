"""The Suspect page's match report, variants and red flags."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimic.run import Run
from tests.ui.test_pages import open_page, without_escapes
from ui import file_match, subject

MATCH: dict[str, Any] = {
    "matched": ["f.f.0.weight", "f.f.1.weight"],
    "ignored": [{"name": "g.0.weight<b>", "why": "head"}, {"name": "q", "why": "queue"}],
    "missing": ["layer3.1.bn2.running_var"],
    "mismatched": [{"name": "f.f.6.0.conv2.weight", "expected": None, "found": [3, 4]}],
}
WHOLE = {**MATCH, "missing": [], "mismatched": []}


def change_result(run: Run, **changes: Any) -> None:
    result = run.result()
    assert result is not None
    run.write_json("result.json", {**result, **changes})


def test_rows_put_first_what_does_not_fit_and_strip_foreign_names() -> None:
    outcomes = {row["tensor"]: row["outcome"] for row in file_match.rows(MATCH)}
    assert list(outcomes) == [
        "layer3.1.bn2.running_var", "f.f.6.0.conv2.weight", "g.0.weight‹b›", "q", "f.f.0.weight",
        "f.f.1.weight",
    ]  # fmt: skip
    assert outcomes["f.f.6.0.conv2.weight"] == "expected nothing, found 3×4"
    assert outcomes["q"] == "left aside: queue"


def test_the_page_shows_match_variants_family_and_red_flags(
    runs_root: Path, inspect_run: Callable[..., Run]
) -> None:
    run = inspect_run(runs_root)
    result = run.result()
    assert result is not None
    change_result(
        run,
        encoder={
            **result["encoder"], "match": WHOLE,
            "family": {"id": "N", "title": "encoder of some trainer"},
            "max_pool": {"value": True, "source": "the better of both"},
            "input_size_source": "given by hand",
        },
        variants=[
            {"max_pool": "no", "knn_accuracy": 0.5, "chosen": False},
            {"max_pool": "yes", "knn_accuracy": 0.75, "chosen": True},
        ],
        health={**result["health"], "faults": ["All images get nearly the same features."],
                "constant_features": 3},
    )  # fmt: skip
    app = open_page("suspect")
    assert not app.exception
    told = without_escapes(app)
    assert "2 tensors fill the whole network; left aside: 1 head, 1 queue" in told
    assert "No code found and none run; read as weights only." in told
    assert "safe file" not in told
    assert "encoder of some trainer (N)" in told
    assert "both were tried" in told
    assert [error.value.replace("\\", "") for error in app.error] == [
        "All images get nearly the same features."
    ]


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_what_was_found_by_trying_is_handed_on_to_further_runs(
    runs_root: Path, inspect_run: Callable[..., Run], answer: str
) -> None:
    run = inspect_run(runs_root)
    change_result(run, variants=[
        {"max_pool": "yes", "knn_accuracy": 0.5, "chosen": answer == "yes"},
        {"max_pool": "no", "knn_accuracy": 0.5, "chosen": answer == "no"},
    ])  # fmt: skip
    result = run.result()
    assert result is not None
    chosen = subject.Subject(run=run, result=result, fields=subject.settled(run, result))
    assert chosen.settings["max_pool"] == answer
    assert subject.fields_of(run)["max_pool"] == "auto"
