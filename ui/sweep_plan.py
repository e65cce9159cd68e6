"""What a sweep set out to do, and what of it has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from mimic.config import SweepConfig
from mimic.learning import least_accuracy
from mimic.run import Run
from mimic.sweep import Cell, cells, summary
from ui.subject import Subject

Scores = Mapping[str, Any] | None


@dataclass(frozen=True)
class Plan:
    """What a sweep set out to do, and what it is compared with.

    Args:
        config: its settings.
        cells: its cells.
        teacher: scores of the suspect.
        floor: scores of the clean twin, if there is one.
        untrained: scores of a student before its training; older sweeps have none.
    """

    config: SweepConfig
    cells: Sequence[Cell]
    teacher: Scores
    floor: Scores
    untrained: Scores = None

    @classmethod
    def of(cls, run: Run, subject: Subject) -> Plan:
        """The plan of a run; before it has scored the suspect, the inspection's scores stand in."""
        config = cast(SweepConfig, run.config())
        noted = run.read_json("plan.json") or {}
        before = subject.result["scores"]
        return cls(
            config,
            cells(config),
            noted.get("teacher") or before.get("teacher"),
            noted.get("floor") or before.get("clean_twin"),
            noted.get("untrained"),
        )

    def rows(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Mean and range over seeds, see ``mimic.sweep.summary``."""
        return summary(records, least_accuracy(self.teacher, self.untrained))


def ended(run: Run, plan: Plan) -> list[dict[str, Any]]:
    """Lines of the cells that have ended."""
    lines = {Cell.of(line): line for line in run.metrics()}
    return [lines[cell] for cell in plan.cells if cell in lines]
