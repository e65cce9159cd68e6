"""The demo's figures: means over seeds, and what is printed of them for a person."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mimic import demo, demo_table
from mimic.cli import main
from mimic.run import find_run


@pytest.fixture
def result() -> dict[str, Any]:
    """What the demo's own distillation found."""
    return find_run("demo-distill").result() or {}


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch, result: dict[str, Any]) -> None:
    """Distillations that end at once; each seed leaves a tenth more of the backdoor."""

    def perform(_verb: str, config: Any, **_: Any) -> Any:
        student = {**result["scores"]["student"], "asr": 0.1 * config.seed}
        told = {**result, "scores": {**result["scores"], "student": student}}
        return SimpleNamespace(id=f"distill-{config.seed}", result=lambda: told)

    monkeypatch.setattr(demo, "perform", perform)


@pytest.mark.usefixtures("performed")
def test_the_demo_is_told_in_a_table_with_seeds_intervals_and_floor(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, result: dict[str, Any]
) -> None:
    assert main(["demo", "--seeds", "3", "--root", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "{" not in out
    rows = [re.split(r"\s{2,}", line) for line in out.splitlines()]
    named = [row[0] for row in rows[1:7]]
    assert named == ["suspect", *["cleaned"] * 3, "cleaned, mean of 3", "clean twin (floor)"]
    seeds = [row[1] for row in rows[2:5]]
    assert seeds == ["0", "1", "2"]
    low, high = result["scores"]["clean_twin"]["asr_interval"]
    assert f"{low:.1%} to {high:.1%}" in rows[6]
    assert rows[5][4] == "10.0%"
    assert f"{result['scores']['student']['stamped_accuracy']:.1%}" in rows[5]
    assert "Over the seeds the ASR lies between 0.0% and 20.0%." in out
    assert "Run of seed 2: distill-2" in out
    assert re.search(r"layer4 +10\.09 +2\.92", out)
    assert not re.search(r"\d\.\d{4}", out)


@pytest.mark.usefixtures("performed")
def test_json_has_every_figure_and_its_interval(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, result: dict[str, Any]
) -> None:
    assert main(["demo", "--seeds", "2", "--root", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["student_asr"] == pytest.approx(0.05)
    assert found["teacher"] == result["scores"]["teacher"]
    assert found["seeds"][1]["asr_interval"] == result["scores"]["student"]["asr_interval"]
    assert "printed" not in found


@pytest.mark.usefixtures("performed")
def test_one_seed_has_no_mean(tmp_path: Path) -> None:
    told = demo_table.told(demo.show(seeds=1, device="cpu", root=tmp_path))
    assert "mean of" not in told
    assert "Over the seeds" not in told
