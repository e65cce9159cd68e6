from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mimic.config import DistillConfig
from mimic.run import Run
from ui import subject
from ui.story import own_pace

Write = Callable[..., Run]
Fabricate = Callable[[Path], None]


@pytest.fixture
def demo(runs_root: Path, fabricate: Fabricate, monkeypatch: pytest.MonkeyPatch) -> subject.Subject:
    monkeypatch.setattr(own_pace, "is_bundled", lambda run: run.id.startswith("demo-"))
    fabricate(runs_root)
    found = subject.named("demo-inspect")
    assert found is not None
    return found


def begun(run: Run, seconds: float) -> None:
    run.write_json("result.json", {**(run.result() or {}), "seconds": seconds})


def test_the_last_own_job_with_such_settings_tells_how_long_it_takes(
    demo: subject.Subject, runs_root: Path, distill_run: Write
) -> None:
    settings = DistillConfig(**demo.fields)
    told = own_pace.about(demo, "distill", settings, "30")
    assert told == "about 30 seconds"  # The demo's own ran on another machine.
    begun(distill_run(runs_root, "distill-20260101-000000-aaaa"), 66)
    told = own_pace.about(demo, "distill", replace(settings, seed=3), "30")
    assert told == "about 66 seconds, as the last one on this machine took"
    longer = replace(settings, epochs=settings.epochs + 1)
    assert own_pace.about(demo, "distill", longer, "30") == "about 30 seconds"


def test_one_that_did_not_finish_tells_nothing(
    demo: subject.Subject, runs_root: Path, distill_run: Write
) -> None:
    distill_run(runs_root, "distill-20260101-000000-aaaa", "stopped")
    assert own_pace.last(demo, "distill", DistillConfig(**demo.fields)) is None


def test_other_jobs_at_work_are_told(
    demo: subject.Subject, runs_root: Path, distill_run: Write
) -> None:
    assert own_pace.crowded() == ""
    distill_run(runs_root, "distill-a", "running")
    assert "Another job is at work" in own_pace.crowded()
    distill_run(runs_root, "distill-b", "running")
    assert "2 other jobs are at work" in own_pace.crowded()
