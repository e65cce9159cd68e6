from collections.abc import Callable
from pathlib import Path

import pytest

from mimic.run import Run
from ui import lasting

Write = Callable[..., Run]


def test_the_last_job_of_a_kind_tells_how_long_the_next_may_take(
    runs_root: Path, inspect_run: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting, "is_bundled", lambda run: run.id.startswith("demo-"))
    assert lasting.told("inspect", "Inspection") == ""
    inspect_run(runs_root)
    said = lasting.told("inspect", "Inspection")
    assert said.startswith("The demo's took 4 s on the machine that made it;")
    mine = inspect_run(runs_root, "inspect-a", encoder="/x/mine.pth")
    mine.write_json("result.json", {**(mine.result() or {}), "seconds": 71.0})
    said = lasting.told("inspect", "Inspection")
    said = said.replace("\\", "")
    assert said.startswith("The last inspection on this machine, of mine.pth · digits, took 1 min")
    assert lasting.told("embed", "Embedding") == ""
