"""The command line's part about runs that exist: list, note, delete, bring back, compare, report.

Each function takes parsed options and gives the JSON object that its command prints.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mimic import comparison, job, workspace
from mimic.errors import ConfigError, RunError
from mimic.reporting import make_report
from mimic.run import (
    Run,
    discard,
    empty_trash,
    find_run,
    kind_of,
    list_runs,
    restore,
    trashed,
    write_note,
)
from mimic.run.trash import KEPT_SECONDS, deleted_at


def add_parsers(verbs: Any, shared: argparse.ArgumentParser) -> None:
    """The sub-commands ``runs``, ``compare`` and ``report``."""
    told = "List runs; stop, note, repeat, delete or bring back one."
    runs = verbs.add_parser("runs", parents=[shared], help=told, description=told)
    runs.add_argument("--stop", metavar="RUN", help="ask a run to save its state and end")
    runs.add_argument(
        "--note", nargs=2, metavar=("RUN", "TEXT"), help="keep a note beside a run; '' removes it"
    )
    runs.add_argument("--rerun", metavar="RUN", help="run a run's settings once more, as a new run")
    runs.add_argument("--seed", type=int, help="with --rerun: another seed")
    runs.add_argument("--delete", metavar="RUN", help="move a run to the trash")
    runs.add_argument("--restore", metavar="RUN", help="bring a run back from the trash")
    runs.add_argument("--trash", action="store_true", help="list the runs in the trash")
    runs.add_argument("--empty-trash", action="store_true", help="remove them for good")
    runs.add_argument(
        "--tidy", action="store_true",
        help="delete uploads that no run names, and runs that were deleted over 30 days ago",
    )  # fmt: skip
    told = "Put runs side by side: settings that differ, scores, curves."
    compare = verbs.add_parser("compare", parents=[shared], help=told, description=told)
    compare.add_argument("runs", nargs="+", metavar="RUN", help="two or more runs; the first leads")
    told = "Write one self-contained HTML file about a finished distillation."
    report = verbs.add_parser("report", parents=[shared], help=told, description=told)
    report.add_argument("run", metavar="RUN", help="the distillation")
    report.add_argument("-o", "--output", type=Path, metavar="FILE", help="the HTML file to write")


def run_runs(_verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """What ``runs`` does with its options, save ``--rerun``."""
    if options["seed"] is not None:
        raise ConfigError("--seed needs --rerun.", "Add that, or leave it out.")
    for name, act in ACTS.items():
        if options[name]:
            return act(options[name], root)
    return {"runs": [summary(run) for run in list_runs(root)]}


def stop(run_id: str, root: Path) -> dict[str, Any]:
    """Ask a run to end, and wait for that."""
    run = find_run(run_id, root)
    job.stop(run, wait=True)
    return {"run": run.id, "state": run.status().state}


def note(given: list[str], root: Path) -> dict[str, Any]:
    """Keep a note beside a run."""
    run = find_run(given[0], root)
    write_note(run, given[1])
    return {"run": run.id, "note": run.note()}


def delete(run_id: str, root: Path) -> dict[str, Any]:
    """Move a run to the trash."""
    run = find_run(run_id, root)
    discard(run)
    return {"run": run.id, "state": "deleted"}


def bring_back(run_id: str, root: Path) -> dict[str, Any]:
    """Bring a run back from the trash."""
    return summary(restore(run_id, root))


def list_trash(_asked: bool, root: Path) -> dict[str, Any]:
    """The runs in the trash."""
    return {"trash": [{**summary(run), "deleted": deleted_at(run)} for run in trashed(root)]}


def empty(_asked: bool, root: Path) -> dict[str, Any]:
    """Remove the runs in the trash for good."""
    gone = empty_trash(root)
    return {"removed_runs": gone, "state": "emptied"}


def tidy(_asked: bool, root: Path) -> dict[str, Any]:
    """Remove what has lain unused for long."""
    runs = empty_trash(root, older_than=KEPT_SECONDS)
    uploads = workspace.tidy(root, older_than=workspace.JUST_CHOSEN_SECONDS)
    return {"deleted_uploads": len(uploads), "removed_runs": runs, "state": "tidied"}


ACTS: dict[str, Callable[[Any, Path], dict[str, Any]]] = {
    "stop": stop,
    "note": note,
    "delete": delete,
    "restore": bring_back,
    "trash": list_trash,
    "empty_trash": empty,
    "tidy": tidy,
}


def run_compare(_verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """Two or more runs side by side."""
    records = [comparison.record(find_run(run_id, root)) for run_id in options["runs"]]
    return comparison.compare(records)


def run_report(_verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """Write a run's report."""
    run = find_run(options["run"], root)
    file = make_report(run, options["output"], root=root)
    return {"run": run.id, "file": str(file), "bytes": file.stat().st_size}


def summary(run: Run) -> dict[str, Any]:
    """A run in a list."""
    kept = run.note()
    return {"run": run.id, "kind": kind_of(run), "state": state_of(run)} | (
        {"note": kept} if kept else {}
    )


def state_of(run: Run) -> str:
    """A run's state; one bad status file must not hide the other runs."""
    try:
        return run.status().state
    except RunError:
        return "damaged"
