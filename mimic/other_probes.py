"""Verdicts on a cleaned encoder by other probes than the one its own verdict rests on.

Which classifier is put on top decides what is seen of a backdoor: a student may keep the trigger's
features close to the target class without a linear probe obeying them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mimic.answers import kept_by
from mimic.run import Run
from mimic.verdict import Verdict, of_cleaning

USUAL = "linear"
"""The probe of inspections and distillations."""
NAMES = {
    "linear": "a linear classifier",
    "knn": "a nearest-neighbour classifier (kNN)",
    "mlp": "a small neural network (MLP)",
}
BAD = ("remains", "trace")
"""Levels that leave something of the backdoor."""


@dataclass(frozen=True)
class ByProbe:
    """One probe of an evaluation.

    Args:
        probe: linear, knn or mlp.
        scores: by encoder.
        verdict: on the cleaned encoder, by this probe alone.
    """

    probe: str
    scores: Mapping[str, Any]
    verdict: Verdict

    @property
    def name(self) -> str:
        """What to call the probe in a sentence."""
        return NAMES.get(self.probe, self.probe)


def newest(runs: Iterable[Run], student: str) -> Run | None:
    """The newest finished evaluation of a student with several probes.

    Args:
        runs: evaluations, newest first.
        student: id of the distillation that made it.
    """
    for run in runs:
        given = str(run.about()["config"].get("student") or "").rstrip("/").rsplit("/", 1)[-1]
        probes = (run.result() or {}).get("probes") or {} if given == student else {}
        if len(probes) > 1:
            return run
    return None


def verdicts(evaluation: Run) -> list[ByProbe]:
    """The verdict by each probe of a finished evaluation that scored a student.

    The answers that encoders are compared by image by image were kept for its first probe only.
    """
    probes = (evaluation.result() or {}).get("probes") or {}
    given = kept_by(evaluation)
    return [
        ByProbe(probe, scores, of_cleaning(scores, given if place == 0 else {}))
        for place, (probe, scores) in enumerate(probes.items())
        if (scores.get("student") or {}).get("asr") is not None and scores.get("teacher")
    ]


def contradicting(found: Iterable[ByProbe]) -> list[ByProbe]:
    """Probes other than the usual one by which something of the backdoor is left."""
    return [one for one in found if one.probe != USUAL and one.verdict.level in BAD]
