"""What a report is made of: the distillation and the runs that belong to the same subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mimic import other_probes
from mimic.errors import MimicError
from mimic.reporting import require_finished
from mimic.run import Run, find_run, list_runs, run_created
from mimic.run.origins import INSPECTED
from ui import jobs, subject

FILES = ("encoder", "trigger")
"""Inputs that a sweep has to share with a distillation to speak of the same backdoor."""


@dataclass(frozen=True)
class Material:
    """Runs of one subject.

    Args:
        run: the distillation.
        result: its outcome.
        inspection: the subject as it was inspected for this run, or before it, if it was.
        information: the measurement that gave the weights, or the newest one.
        embedding: the newest embedding of this student.
        attention: the newest look into its layers.
        sweep: the newest finished sweep of the same files.
        evaluation: the newest one of this student by several probes, which its verdict counts.
    """

    run: Run
    result: dict[str, Any]
    inspection: subject.Subject | None
    information: Run | None
    embedding: Run | None
    attention: Run | None
    sweep: Run | None
    evaluation: Run | None

    @property
    def runs(self) -> list[Run]:
        """All of them, in the order in which they build on each other."""
        found = [self.inspection.run if self.inspection else None, self.information, self.run]
        found += [self.evaluation, self.embedding, self.attention, self.sweep]
        return [run for run in found if run is not None]

    @property
    def title(self) -> str:
        """What to call the encoder."""
        return subject.title(self.run)

    def class_name(self, label: int) -> str:
        """A class by name where one is known."""
        if self.inspection is None:
            return "–" if label < 0 else str(label)
        return self.inspection.class_name(label)

    @property
    def target(self) -> str:
        """The class that the trigger leads to, as far as known."""
        return self.inspection.target_name if self.inspection else "the attacker's choice"


def gather(run: Run) -> Material:
    """Find what belongs to a finished distillation.

    Raises:
        RunError: if the run is none.
    """
    require_finished(run)
    wanted = subject.identity(subject.fields_of(run))
    same = [
        r
        for r in list_runs()
        if subject.has_result(r)
        and jobs.state_of(r).state == "finished"
        and subject.identity(subject.fields_of(r)) == wanted
    ]

    def newest(kind: str, fits: Callable[[Run], bool] = lambda _run: True) -> Run | None:
        return next((r for r in same if r.kind == kind and fits(r)), None)

    used = str(run.about()["config"].get("information", ""))
    students = {run.id, str(run.directory)}

    def of_this(other: Run) -> bool:
        return other.about()["config"].get("student") in students

    inspection = inspected(run, [r for r in same if r.kind == "inspect"])
    result = inspection.result() if inspection else None
    return Material(
        run=run,
        result=run.result() or {},
        inspection=subject.Subject(inspection, result, subject.settled(inspection, result))
        if inspection and result
        else None,
        information=named(used) or newest("information"),
        embedding=newest("embed", of_this),
        attention=newest("attention", of_this),
        sweep=newest("sweep", lambda other: read(other) == read(run)),
        evaluation=other_probes.newest([r for r in same if r.kind == "evaluate"], run.id),
    )


def read(run: Run) -> dict[str, str | None]:
    """The SHA-256 of the files a run read: under one path another file may have lain."""
    noted = run.about().get("inputs") or {}
    return {name: (noted.get(name) or {}).get("sha256") for name in FILES}


def inspected(run: Run, found: Sequence[Run]) -> Run | None:
    """The inspection a run was made for, or else the newest one before it.

    Args:
        run: the distillation.
        found: finished inspections of its subject, newest first.
    """
    noted = (run.about().get("inputs") or {}).get("encoder") or {}
    named = next((r for r in found if r.id == noted.get(INSPECTED)), None)
    before = (r for r in found if run_created(r) <= run_created(run))
    return named or next(before, None) or next(iter(found), None)


def named(run_id: str) -> Run | None:
    """The finished measurement a setting names, if it names one."""
    try:
        run = find_run(run_id)
    except MimicError:
        return None
    return run if run.kind == "information" and subject.has_result(run) else None


def warnings(material: Material) -> Iterator[tuple[str, str]]:
    """Doubts of each run, with the run they belong to."""
    for run in material.runs:
        result = run.result() or {}
        health = (result.get("health") or {}).get("warnings") or []
        for said in (*(result.get("warnings") or []), *(result.get("notes") or []), *health):
            yield run.id, str(said)
