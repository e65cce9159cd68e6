"""Reports: one HTML file about a distillation and all that belongs to its subject.

The file is drawn by ``python -m ui.report``, a process of its own, as this library does not plot.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mimic.errors import MimicError, RunError
from mimic.run import Run, default_root, is_bundled, list_runs
from mimic.run.durable import file_sha256

CODE_ROOT = Path(__file__).resolve().parent.parent
NAME = "report.html"
BUNDLED = ".reports"
"""Folder, among the runs, of reports about runs that ship with the project: those stay as made."""
PATIENCE_SECONDS = 120.0


def report_path(run: Run, root: Path | None = None) -> Path:
    """Where a run's report lies once it has been made."""
    if is_bundled(run):
        return (root or default_root()) / BUNDLED / f"{run.id}.html"
    return run.directory / NAME


def sources_stamp(root: Path | None = None) -> str:
    """Changes whenever a report may read differently: with any run's outcome, note or the code."""
    digest = hashlib.sha256()
    for run in list_runs(root):
        for name in ("result.json", "note.json", "status.json"):
            path = run.directory / name
            if path.is_file():
                digest.update(f"{run.id}/{name}/{path.stat().st_mtime_ns}".encode())
    for path in sorted((CODE_ROOT / "ui").rglob("*.py")):
        digest.update(f"{path.name}{path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def make_report(run: Run, output: Path | None = None, *, root: Path | None = None) -> Path:
    """Draw the report of a finished distillation.

    Args:
        run: the distillation.
        output: the HTML file to write; by default in the run's own directory.
        root: folder of the runs among which those of the same subject are found.

    Returns:
        The written file.

    Raises:
        RunError: if the run is no finished distillation, or the report could not be drawn.
        StorageError: if it cannot be written.
    """
    require_finished(run)
    folder = (root or default_root()).resolve()
    target = (output or report_path(run, folder)).absolute()
    words = [sys.executable, "-m", "ui.report", str(run.directory.resolve()), "--output"]
    try:
        done = subprocess.run(
            [*words, str(target)],
            cwd=CODE_ROOT,
            env={**os.environ, "MIMIC_RUNS": str(folder)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RunError(
            f"Drawing the report took longer than {PATIENCE_SECONDS:.0f} seconds.",
            "Try again when the machine is less busy.",
        ) from error
    if done.returncode != 0:
        raise refusal(done.stdout, run)
    return target


def require_finished(run: Run) -> None:
    """Refuse runs that a report is not about."""
    if run.kind != "distill":
        raise RunError(
            f"A report is about a distillation; run {run.id} is none.",
            "Name a distillation: python -m mimic runs lists them.",
        )
    if run.result() is None:
        raise RunError(f"Run {run.id} has no outcome yet.", "Wait until it is finished.")


def refusal(printed: str, run: Run) -> MimicError:
    """What the drawing process said about its failure."""
    try:
        told = json.loads(printed.strip().split("\n")[-1])
        return RunError(str(told["error"]), str(told["remedy"]))
    except (ValueError, KeyError, TypeError):
        return RunError(
            f"The report of run {run.id} could not be drawn.", "Run the distillation again."
        )


def current_report(run: Run, *, root: Path | None = None) -> Path:
    """The run's report, drawn anew only where something it tells has changed since.

    Raises:
        MimicError: see ``make_report``.
    """
    target, stamp = report_path(run, root), sources_stamp(root)
    noted = target.with_suffix(".json")
    if target.is_file() and noted.is_file():
        known: Any = None
        try:
            known = json.loads(noted.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = None
        if known == {"stamp": stamp, "sha256": file_sha256(target)}:
            return target
    make_report(run, target, root=root)
    Run(target.parent).write_json(noted.name, {"stamp": stamp, "sha256": file_sha256(target)})
    return target
