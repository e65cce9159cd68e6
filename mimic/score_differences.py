"""How far scores of runs lie apart, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mimic import answers
from mimic.intervals import Interval, difference_interval, paired_difference_interval

Values = Mapping[str, Mapping[str, Any]]


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
        if pair is None or not len(pair[0]):
            continue
        means = (float(pair[0].mean()), float(pair[1].mean()))
        if np.allclose(means, (values[first]["value"], values[run_id]["value"]), atol=1e-9):
            found[run_id] = paired(*pair)
    return found


def paired(before: np.ndarray, after: np.ndarray) -> Interval:
    """The interval of a difference from answers to the same images, bool (n,) each."""
    return paired_difference_interval(
        both=int((before & after).sum()),
        before=int((before & ~after).sum()),
        after=int((after & ~before).sum()),
        neither=int((~before & ~after).sum()),
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
