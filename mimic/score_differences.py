"""How far scores of runs lie apart, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mimic import answers
from mimic.intervals import (
    QUANTILE,
    Interval,
    difference_interval,
    paired_difference_interval,
    quantile_among,
)

Values = Mapping[str, Mapping[str, Any]]
PAIRED_MEASURES = ("asr", "stamped_accuracy")
"""What verdicts compare between the encoders of one run."""


def target_shares(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Lowest and highest share of target-class images behind the ``asr_all`` of score rows."""
    held = [
        share
        for row in rows
        for own in row["values"].values()
        if (share := own.get("target_share")) is not None
    ]
    return (min(held), max(held)) if held else None


def pairs_of(
    held: Mapping[str, answers.Arrays], encoder: str, measure: str, values: Values
) -> dict[str, Interval]:
    """The paired interval of each later value to the first, where both runs kept their answers.

    Answers that do not give the score they stand beside are passed over: a wrong pairing would
    tell more than is known.

    Args:
        held: by run, its answers, see ``mimic.answers``.
        encoder: whose answers.
        measure: accuracy, asr, asr_all or stamped_accuracy.
        values: by run, ``value`` and ``interval``.
    """
    first, *others = values
    found = {}
    for run_id in others:
        pair = answers.both(held[first], held[run_id], encoder, measure)
        ends = values[first]["value"], values[run_id]["value"]
        if pair and gives(pair[0], ends[0]) and gives(pair[1], ends[1]):
            found[run_id] = paired(*pair)
    return found


def with_pairs(
    scores: Mapping[str, Mapping[str, Any] | None], kept: answers.Arrays
) -> dict[str, dict[str, Any] | None]:
    """Scores of one run, with the paired intervals of how they differ.

    Args:
        scores: by encoder.
        kept: the run's answers, see ``mimic.answers``; empty in runs that kept none.

    Returns:
        The scores, each with its encoder's name; where answers were kept, ``above`` holds by other
        encoder and measure the 95 % interval of this encoder's share less the other's.
    """
    return {
        name: None
        if own is None
        else {**own, "encoder": name, "above": above(name, own, scores, kept)}
        for name, own in scores.items()
    }


def above(
    name: str,
    own: Mapping[str, Any],
    scores: Mapping[str, Mapping[str, Any] | None],
    kept: answers.Arrays,
) -> dict[str, dict[str, Interval]]:
    """The paired intervals of one encoder's shares less each other's, by encoder and measure."""
    found: dict[str, dict[str, Interval]] = {}
    for other, theirs in scores.items():
        for measure in PAIRED_MEASURES if theirs and other != name else ():
            given = answers.of_measure(kept, name, measure)
            against = answers.of_measure(kept, other, measure)
            if given is None or against is None:
                continue
            if gives(given, own.get(measure)) and gives(against, (theirs or {}).get(measure)):
                z = quantile_among(max(s.get("picked_among", 1) for s in (own, theirs or {})))
                found.setdefault(other, {})[measure] = paired(against, given, z=z)
    return found


def gives(given: np.ndarray, value: float | None) -> bool:
    """Whether answers give the score they stand beside; a wrong pairing would tell too much."""
    if value is None or not len(given):
        return False
    return bool(np.isclose(given.mean(), value, rtol=0.0, atol=1e-9))


def is_paired(before: Mapping[str, Any], after: Mapping[str, Any], measure: str) -> bool:
    """Whether two encoders' answers to the same images are known, see ``with_pairs``."""
    return measure in after.get("above", {}).get(before.get("encoder"), {})


def interval_between(before: Mapping[str, Any], after: Mapping[str, Any], measure: str) -> Interval:
    """The 95 % interval of one encoder's share less another's, paired where both answers are kept.

    Args:
        before: scores of the one that is subtracted.
        after: scores of the other one, of the same run where they are to be paired.
        measure: asr or stamped_accuracy; both scores have it, with its interval.
    """
    if is_paired(before, after, measure):
        low, high = after["above"][before["encoder"]][measure]
        return low, high
    return difference_interval(
        before[measure], before[f"{measure}_interval"],
        after[measure], after[f"{measure}_interval"],
    )  # fmt: skip


def paired(before: np.ndarray, after: np.ndarray, *, z: float = QUANTILE) -> Interval:
    """The interval of a difference from answers to the same images, bool (n,) each."""
    return paired_difference_interval(
        both=int((before & after).sum()),
        before=int((before & ~after).sum()),
        after=int((after & ~before).sum()),
        neither=int((~before & ~after).sum()),
        z=z,
    )


def score_differences(values: Values, pairs: Mapping[str, Interval]) -> Iterable[dict[str, Any]]:
    """Each later value's difference to the first; paired where ``pairs`` has its interval."""
    (first, base), *others = values.items()
    for run_id, found in others:
        interval = pairs.get(run_id)
        if interval is None and base["interval"] and found["interval"]:
            interval = difference_interval(
                base["value"], base["interval"], found["value"], found["interval"]
            )
        yield {
            "run": run_id,
            "against": first,
            "difference": found["value"] - base["value"],
            "interval": interval,
            "paired": run_id in pairs,
            "exceeds": None if interval is None else not interval[0] <= 0.0 <= interval[1],
        }


PAIRED = (
    "Intervals of differences are of paired answers to the same test images (Newcombe 1998, paired "
    "data, method 10)."
)
UNPAIRED = (
    "Intervals of differences treat the runs as independent (Newcombe 1998, method 10), as they "
    "kept no answers to the same test images; on the same images the true interval is usually "
    "narrower."
)
MIXED = (
    "Intervals of differences are of paired answers to the same test images (Newcombe 1998, paired "
    "data, method 10), save those marked as unpaired: they treat the runs as independent, and on "
    "the same images the true interval is usually narrower."
)


def about_pairs(rows: Sequence[Mapping[str, Any]]) -> str:
    """How the intervals of the differences were made; nothing where there is none."""
    kinds = {d["paired"] for row in rows for d in row["differences"] if d["interval"] is not None}
    if not kinds:
        return ""
    return MIXED if len(kinds) > 1 else PAIRED if True in kinds else UNPAIRED
