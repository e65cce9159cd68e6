"""The line on running jobs, which every page has."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mimic.run import Run
from ui import run_list

Write = Callable[..., Run]


def test_the_line_on_running_jobs_looks_again_by_itself(
    runs_root: Path, distill_run: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fragment's function is what the browser asks for again, without the rest of the page."""
    made: list[tuple[Callable[[], None], float]] = []

    def fragment(line: Callable[[], None], run_every: float) -> Callable[[], None]:
        made.append((line, run_every))
        return line

    told: list[str] = []
    monkeypatch.setattr(run_list.st, "fragment", fragment)
    monkeypatch.setattr(run_list.st, "caption", lambda said, **_: told.append(said))
    monkeypatch.setattr(run_list, "way", lambda *_: None)
    run_list.news()
    assert made == []  # On Overview a line that comes by itself would push the page down.
    run_list.news(waits=True)
    (line, pace), *_ = made
    assert (pace, told) == (run_list.CALM, [])
    run = distill_run(runs_root, "distill-own", "running")
    distill_run(runs_root, "distill-done", "finished")
    line()
    assert "running, 40" in told[-1]
    run.write_status(replace(run.status(), state="stopped"))
    line()
    assert told[-1].endswith(": stopped.")
    distill_run(runs_root, "distill-next", "running")
    line()
    assert "running" in told[-1]
    shutil.rmtree(runs_root / "distill-next")
    count = len(told)
    line()
    assert len(told) == count
