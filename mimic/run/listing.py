"""Finding runs: those of a folder, and those that ship with the project."""

from __future__ import annotations

import re
from pathlib import Path

from mimic.config import ASSETS
from mimic.errors import RunError
from mimic.paths import runs_folder
from mimic.run.directory import Run

RUN_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def default_root() -> Path:
    """Where runs are written: ``$MIMIC_RUNS`` or ``runs`` in the current folder."""
    return runs_folder()


def list_runs(root: Path | None = None, *, kind: str | None = None) -> list[Run]:
    """Readable runs, newest first; bundled runs (made for the demo) come last."""
    found = []
    for folder in (root or default_root(), *sorted(ASSETS.glob("*/runs"))):
        if folder.is_dir():
            runs = [Run(d) for d in folder.iterdir() if (d / "run.json").is_file()]
            readable = [run for run in runs if kind_of(run) and run_created(run) > 0]
            readable.sort(key=run_created, reverse=True)
            found += [run for run in readable if kind in (None, kind_of(run))]
    return found


def find_run(run_id: str, root: Path | None = None) -> Run:
    """Open a run by id: a run of ``root``, a bundled run, or a run directory's path.

    Raises:
        RunError: if there is no such run.
    """
    if RUN_ID.fullmatch(run_id):
        for folder in (root or default_root(), *sorted(ASSETS.glob("*/runs"))):
            if (folder / run_id / "run.json").is_file():
                return Run.open(folder / run_id)
    elif (Path(run_id) / "run.json").is_file():
        return Run.open(Path(run_id))
    raise RunError(
        f"There is no run called '{run_id}'.", "List the runs with: python -m mimic runs"
    )


def kind_of(run: Run) -> str:
    """The run's kind, or nothing where its record is damaged."""
    try:
        return run.kind
    except RunError:
        return ""


def run_created(run: Run) -> float:
    """When the run was made, or 0 where its record is damaged."""
    try:
        return float(run.about()["created"])
    except (RunError, KeyError, TypeError, ValueError):
        return 0.0


def is_bundled(run: Run) -> bool:
    """Whether the run ships with the project and must not be changed."""
    return ASSETS in run.directory.resolve().parents
