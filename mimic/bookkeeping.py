"""The command line's part about runs that exist: list, note, delete, bring back, compare, report.

Each function takes parsed options and gives the JSON object that its command prints; what it says
to a person instead is under ``printed``, as text or as a function that makes it.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mimic import comparison, job, tables, workspace
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
    run_created,
    trashed,
    write_note,
)
from mimic.run.trash import KEPT_SECONDS, deleted_at
from mimic.subjects import subject_words


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
    found = list_runs(root)
    printed = functools.partial(told, found, "No run yet; start one with: python -m mimic inspect")
    return {"runs": [{**summary(run), **scores(run)} for run in found], "printed": printed}


def stop(run_id: str, root: Path) -> dict[str, Any]:
    """Ask a run to end, and wait for that."""
    run = find_run(run_id, root)
    job.stop(run, wait=True)
    state = run.status().state
    return {"run": run.id, "state": state, "printed": f"Run {run.id} is {state}."}


def note(given: list[str], root: Path) -> dict[str, Any]:
    """Keep a note beside a run."""
    run = find_run(given[0], root)
    write_note(run, given[1])
    done = "Noted beside" if run.note() else "Removed the note of"
    return {"run": run.id, "note": run.note(), "printed": f"{done} run {run.id}."}


def delete(run_id: str, root: Path) -> dict[str, Any]:
    """Move a run to the trash."""
    run = find_run(run_id, root)
    discard(run)
    back = f"Run {run.id} is in the trash; python -m mimic runs --restore {run.id} brings it back."
    return {"run": run.id, "state": "deleted", "printed": back}


def bring_back(run_id: str, root: Path) -> dict[str, Any]:
    """Bring a run back from the trash."""
    run = restore(run_id, root)
    return {**summary(run), "printed": f"Run {run.id} is back."}


def list_trash(_asked: bool, root: Path) -> dict[str, Any]:
    """The runs in the trash."""
    found = trashed(root)
    return {
        "trash": [{**summary(run), "deleted": deleted_at(run)} for run in found],
        "printed": functools.partial(told, found, "The trash is empty."),
    }


def empty(_asked: bool, root: Path) -> dict[str, Any]:
    """Remove the runs in the trash for good."""
    gone = empty_trash(root)
    said = f"Removed {counted(len(gone), 'run')} for good."
    return {"removed_runs": gone, "state": "emptied", "printed": said}


def tidy(_asked: bool, root: Path) -> dict[str, Any]:
    """Remove what has lain unused for long."""
    runs = empty_trash(root, older_than=KEPT_SECONDS)
    uploads = workspace.tidy(root, older_than=workspace.JUST_CHOSEN_SECONDS)
    said = f"Removed {counted(len(uploads), 'upload')} and {counted(len(runs), 'deleted run')}."
    return {
        "deleted_uploads": len(uploads), "removed_runs": runs, "state": "tidied", "printed": said,
    }  # fmt: skip


def counted(count: int, word: str) -> str:
    """A number of things."""
    return f"{count} {word}{'' if count == 1 else 's'}"


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
    found = comparison.compare(records)
    return {**found, "printed": functools.partial(tables.comparison, found)}


def run_report(_verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """Write a run's report."""
    run = find_run(options["run"], root)
    file = make_report(run, options["output"], root=root)
    size = file.stat().st_size
    return {
        "run": run.id, "file": str(file), "bytes": size,
        "printed": f"Wrote {file} ({size / 1e6:.1f} MB).",
    }  # fmt: skip


def summary(run: Run) -> dict[str, Any]:
    """A run in a list."""
    kept = run.note()
    return {"run": run.id, "kind": kind_of(run), "state": state_of(run)} | (
        {"note": kept} if kept else {}
    )


def told(runs: Sequence[Run], nothing: str) -> str:
    """Runs as a table, or the word that there are none."""
    return tables.runs([line(run) for run in runs]) if runs else nothing


def line(run: Run) -> dict[str, Any]:
    """A run with its key figures, for a person; what is damaged stays empty."""
    started = 0.0
    with contextlib.suppress(RunError):
        started = run.status().started
    return {
        **summary(run),
        "subject": " · ".join(subject_words(run.about()["config"])),
        "started": run_created(run) or started,
        "note": run.note(),
        **scores(run),
    }


def scores(run: Run) -> dict[str, Any]:
    """A run's key figures, see ``mimic.comparison.key_scores``."""
    result = None
    with contextlib.suppress(RunError):
        result = run.result()
    return comparison.key_scores(result or {})


def state_of(run: Run) -> str:
    """A run's state; one bad status file must not hide the other runs."""
    try:
        return run.status().state
    except RunError:
        return "damaged"
