"""What several seeds of one setting come to: one run's interval does not know of other seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mimic.verdict import TITLES, Verdict

FREE = {"seed", "information"}
"""Settings in which repetitions may differ: each seed brings its own measurement of the layers."""
WORST_FIRST = (
    "remains", "backdoor", "broken", "weak", "unknown", "trace", "nothing", "not_seen", "clean",
)  # fmt: skip
"""Levels of verdicts; of several seeds the worst one counts."""
MEASURES = ("accuracy", "asr", "asr_all", "stamped_accuracy")


def are_repetitions(configs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether settings differ in the seed, and in nothing that does not follow from it."""
    kept = [{k: v for k, v in config.items() if k not in FREE} for config in configs]
    drawn = {config.get("seed") for config in configs}
    differ = None not in drawn and len(drawn) == len(kept)
    return len(kept) > 1 and all(k == kept[0] for k in kept) and differ


def summary(
    seeds: Mapping[str, int],
    scores: Mapping[str, Mapping[str, Any]],
    verdicts: Mapping[str, Verdict],
) -> dict[str, Any]:
    """What repetitions come to.

    Args:
        seeds: by run, its seed.
        scores: by run, the student's scores.
        verdicts: by run, its verdict, where attack success was measured.

    Returns:
        ``seeds`` by run; ``student``: by measure the ``mean``, ``lowest`` and ``highest`` over the
        runs, shares of 1; ``verdicts``: by level, worst first, the runs; ``worst``, the first
        level of these, and its ``title``, None where no run has a verdict.
    """
    student = {}
    for measure in MEASURES:
        found = [own[measure] for own in scores.values() if own.get(measure) is not None]
        if len(found) == len(seeds):
            mean = sum(found) / len(found)
            student[measure] = {"mean": mean, "lowest": min(found), "highest": max(found)}
    levels = {
        level: [run for run, found in verdicts.items() if found.level == level]
        for level in WORST_FIRST
    }
    reached = {level: runs for level, runs in levels.items() if runs}
    worst = next(iter(reached), None)
    return {
        "seeds": dict(seeds), "student": student, "verdicts": reached, "worst": worst,
        "title": None if worst is None else TITLES[worst],
    }  # fmt: skip
