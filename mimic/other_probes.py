"""Verdicts on a cleaned encoder by other probes than the one its own verdict rests on.

Which classifier is put on top decides what is seen of a backdoor: a student may keep the trigger's
features close to the target class without a linear probe obeying them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mimic.answers import kept_by
from mimic.run import Run
from mimic.subjects import student_id
from mimic.verdict import Verdict, of_cleaning, of_run
from mimic.verdict_words import Scores, between, percent

USUAL = "linear"
"""The probe of inspections and distillations."""
NAMES = {
    "linear": "a linear classifier",
    "knn": "a nearest-neighbour classifier (kNN)",
    "mlp": "a small neural network (MLP)",
}
BAD = ("remains", "trace")
"""Levels that leave something of the backdoor, the worst first."""
ASK_OTHERS = "Let other kinds of classifier judge it, too: one may see more."


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
        probes = (run.result() or {}).get("probes") or {} if student_id(run) == student else {}
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


def judged(cleaned: Run, evaluations: Iterable[Run]) -> Verdict:
    """The verdict on a cleaned encoder by all probes it was evaluated with: the worst one counts.

    Args:
        cleaned: the distillation that made it.
        evaluations: of any encoders, newest first.

    Raises:
        RunError: as ``mimic.verdict.of_run``.
    """
    usual = of_run(cleaned)
    evaluation = newest(evaluations, cleaned.id)
    if evaluation is None:
        more = (ASK_OTHERS,) if usual.level == "clean" else ()
        return replace(usual, actions=(*usual.actions, *more))
    found = verdicts(evaluation)
    tried = [one.probe for one in found if one.probe != USUAL]
    checks = (*usual.checks, f"other classifiers ({', '.join(tried)})")
    more_left = sorted(contradicting(found), key=severity)
    if not more_left or usual.level in BAD[: BAD.index(more_left[0].verdict.level) + 1]:
        return replace(usual, checks=checks)
    worst = more_left[0]
    headline, first = worst.verdict.headline, usual.reasons[0]
    return replace(
        worst.verdict,
        headline=f"With {worst.name} on top, {headline[0].lower()}{headline[1:]}",
        reasons=(
            *map(rate_by, more_left),
            f"With {NAMES[USUAL]} on top: {first[0].lower()}{first[1:]}",
            *usual.reasons[1:],
        ),
        checks=checks,
        missing=usual.missing,
    )


def severity(one: ByProbe) -> tuple[int, float]:
    """What sorts the worst first."""
    return BAD.index(one.verdict.level), -float(one.scores["student"]["asr"])


def rate_by(one: ByProbe) -> str:
    """Attack success by a probe, beside the floor and what no training brings."""
    scores = one.scores
    told = f"With {one.name} on top, the trigger works on {rate_of(scores['student'])}"
    for name, key in (
        ("the clean twin", "clean_twin"),
        ("the same network untrained", "untrained"),
    ):
        if (scores.get(key) or {}).get("asr") is not None:
            told += f"; on {name} on {rate_of(scores[key])}"
    return f"{told}."


def rate_of(scores: Scores) -> str:
    """Attack success with its interval."""
    return f"{percent(scores['asr'])} ({between(scores['asr_interval'])})"


def contradicting(found: Iterable[ByProbe]) -> list[ByProbe]:
    """Probes other than the usual one by which something of the backdoor is left."""
    return [one for one in found if one.probe != USUAL and one.verdict.level in BAD]
