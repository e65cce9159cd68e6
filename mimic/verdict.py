"""The verdict: what was found about an encoder, how sure that is, and what to do.

The level of a verdict and its headline come from ``mimic.judgement``, its other sentences from
``mimic.verdict_words``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from mimic.answers import Arrays, kept_by
from mimic.errors import RunError
from mimic.judgement import judge_cleaning, judge_suspect
from mimic.run import Run
from mimic.score_differences import is_paired, with_pairs
from mimic.verdict_words import (
    ACTIONS,
    ASK,
    Scores,
    information_sentence,
    kept,
    percent,
    rate_sentence,
    restored_sentence,
    stamped_loss,
    stops_looking,
    untrained_clause,
)

NOT_KEPT: Arrays = MappingProxyType({})
"""The answers of runs that kept none."""
TITLES = {
    "backdoor": "Backdoor likely",
    "not_seen": "No backdoor seen",
    "unknown": "Cannot tell",
    "broken": "Broken encoder",
    "clean": "No backdoor left that could be seen",
    "trace": "Nearly clean: a trace may be left",
    "weak": "Too weak to judge",
    "nothing": "No backdoor to remove",
    "remains": "The backdoor is still there",
}
"""What each level is called on screen."""


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Args:
        level: one of the keys of ``TITLES``.
        headline: the finding in one sentence.
        reasons: the figures it rests on, one sentence each.
        confidence: how sure it is and on how many images, in one sentence.
        checks: the checks made, a few words each.
        missing: checks that were not possible, with what they would need.
        actions: what to do, one sentence each.
    """

    level: str
    headline: str
    reasons: tuple[str, ...]
    confidence: str
    checks: tuple[str, ...]
    missing: tuple[str, ...]
    actions: tuple[str, ...]

    @property
    def title(self) -> str:
        """The level in words."""
        return TITLES[self.level]

    def to_json(self) -> dict[str, Any]:
        """All fields, and the title, as JSON-ready values."""
        return {"title": self.title, **asdict(self)}


def of_suspect(
    inspection: Mapping[str, Any],
    information: Mapping[str, Any] | None = None,
    given: Arrays = NOT_KEPT,
) -> Verdict:
    """The verdict on a suspect encoder.

    Args:
        inspection: the result of ``inspect``.
        information: the result of ``information`` for the same encoder, if there is one.
        given: the inspection's answers to each image, see ``mimic.answers``: with them, encoders
            are compared image by image.
    """
    scores = with_pairs(inspection["scores"], given)
    teacher, twin = scores.get("teacher") or {}, scores.get("clean_twin") or {}
    health = inspection["health"]
    checks, missing = checks_made(teacher, twin, information)
    reasons = [rate_sentence(teacher, twin)] if teacher.get("asr") is not None else []
    told = information_sentence(information)
    reasons += [told] if told else []
    if teacher.get("accuracy") is not None:
        reasons.append(
            f"On clean images it is right {percent(teacher['accuracy'])} of the time "
            f"({teacher['test_images']} test images)."
        )
    second = stops_looking(kept(information, "teacher"), kept(information, "clean_twin"))
    level, headline = judge_suspect(inspection, teacher, twin)
    return Verdict(
        level=level,
        headline=headline,
        reasons=(*health.get("faults", ()), *reasons),
        confidence=confidence(level, teacher, twin, second),
        checks=checks,
        missing=missing,
        actions=ACTIONS[level] if teacher.get("asr") is not None or level == "broken" else ASK,
    )


def of_cleaning(scores: Mapping[str, Scores | None], given: Arrays = NOT_KEPT) -> Verdict:
    """The verdict on a cleaned encoder.

    Args:
        scores: of ``teacher``, ``student`` and, where there are any, ``clean_twin`` and
            ``untrained``, the student before its training.
        given: the run's answers to each image, see ``mimic.answers``: with them, encoders are
            compared image by image.
    """
    pairs = with_pairs(scores, given)
    before, after, twin = (pairs.get(k) or {} for k in ("teacher", "student", "clean_twin"))
    untrained = pairs.get("untrained") or {}
    checks, missing = checks_made(after, twin, None)
    level, headline = judge_cleaning(before, after, twin, untrained)
    reasons = []
    if after.get("asr") is not None and before.get("asr") is not None:
        was = percent(before["asr"])
        reasons.append(f"Before cleaning {was}, now {rate_sentence(after, twin)}")
    if after.get("accuracy") is not None and before.get("accuracy") is not None:
        reasons.append(
            f"Accuracy went from {percent(before['accuracy'])} to {percent(after['accuracy'])}."
            + untrained_clause(untrained)
        )
    restored = restored_sentence(before, after, twin, untrained)
    reasons += [restored] if restored else []
    return Verdict(
        level=level,
        headline=headline,
        reasons=tuple(reasons),
        confidence=confidence(level, after, twin, None),
        checks=checks,
        missing=missing,
        actions=advice(level, after, twin) if after.get("asr") is not None else ASK,
    )


def advice(level: str, after: Scores, twin: Scores) -> tuple[str, ...]:
    """What to do with a cleaned encoder, also where answers under the trigger are not right yet."""
    known = None not in (after.get("stamped_accuracy"), twin.get("stamped_accuracy"))
    if level not in ("clean", "trace") or not known or stamped_loss(twin, after)[0] <= 0:
        return ACTIONS[level]
    return (
        *ACTIONS[level],
        "Expect more wrong answers than from a clean encoder on images that carry the trigger.",
    )


def of_run(run: Run, information: Mapping[str, Any] | None = None) -> Verdict:
    """The verdict a finished inspection or distillation allows.

    Args:
        run: the inspection or distillation.
        information: of an inspection, the result of ``information`` for the same encoder.

    Raises:
        RunError: if it is of another kind or not finished.
    """
    if run.kind not in ("inspect", "distill"):
        raise RunError(
            f"A run of the kind {run.kind} allows no verdict.",
            "Name an inspection or distillation.",
        )
    result = run.result()
    if result is None:
        raise RunError(f"Run {run.id} is not finished.", "Wait for it, or resume it.")
    given = kept_by(run)
    if run.kind == "inspect":
        return of_suspect(result, information, given)
    return of_cleaning(result["scores"], given)


def confidence(level: str, scores: Scores, twin: Scores, second: bool | None) -> str:
    """How sure the verdict is, in one sentence."""
    if scores.get("asr") is None:
        return "Not sure at all: the main check was not possible."
    images = f"{scores['stamped_images']} triggered images"
    if level in ("unknown", "broken"):
        return f"Not sure: {images}."
    if level == "weak":
        return f"Not sure at all about the backdoor, whatever the rate on {images}."
    if level == "backdoor":
        sure = "Very sure that it works: the intervals lie far apart"
        if twin.get("asr") is None:
            sure = "Fairly sure that it works: there is no clean twin to compare with"
        agrees = ", and the information left in its layers agrees" if second else ""
        return f"{sure}{agrees} ({images})."
    if level in ("not_seen", "nothing"):
        return f"Sure for this one trigger only; another may exist ({images})."
    if level == "clean":
        most = percent(scores["asr_interval"][1])
        return (
            f"Fairly sure, for this one trigger and a linear classifier on top: it may work on up "
            f"to {most} ({images})."
        )
    return f"Sure for this one trigger, by 95% intervals on {images}."


def checks_made(
    scores: Scores, twin: Scores, information: Mapping[str, Any] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The checks made, and those that were not possible with what they need."""
    checks, missing = [], []
    for made, name, needs in (
        (scores.get("accuracy") is not None, "accuracy", "labelled images"),
        (scores.get("asr") is not None, "attack success", "a trigger and labelled images"),
        (
            twin.get("asr") is not None,
            "comparison with a clean twin"
            + (", image by image" if twin and is_paired(twin, scores, "asr") else ""),
            "an encoder of the same kind, never attacked",
        ),
    ):
        if made:
            checks.append(name)
        else:
            missing.append(f"{name} (needs {needs})")
    if information is not None:
        checks.append("information per layer")
    return tuple(checks), tuple(missing)
