"""Accuracy and attack success rate, with the uncertainty that goes with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mimic.intervals import quantile_among, wilson_interval

Scores = dict[str, Any]


def attack_success_rate(
    predicted: np.ndarray, labels: np.ndarray, *, target: int, count_target_class: bool
) -> float:
    """Share of triggered images that are taken for the target class.

    Args:
        predicted: classes given to the triggered images, (N,).
        labels: their true classes, (N,).
        target: the attacker's class.
        count_target_class: whether images truly of the target class count. BadEncoder's and MIMIC's
            code counts them; a flawless encoder then scores their share instead of 0.
    """
    counted = np.ones(len(labels), dtype=bool) if count_target_class else labels != target
    return float((predicted[counted] == target).mean())


def score(
    clean: np.ndarray,
    stamped: np.ndarray | None,
    labels: np.ndarray,
    *,
    target: int | None,
    choices: int = 1,
) -> Scores:
    """Everything reported about one encoder.

    Args:
        clean: classes given to clean test images, (N,).
        stamped: classes given to the same images with the trigger, (N,), or None.
        labels: true classes, (N,).
        target: the attacker's class, or None.
        choices: out of how many classes the target was picked for these very answers; 1 if it was
            named beforehand.

    Returns:
        accuracy, asr (without target-class images) and asr_all (with them), each as a share of 1,
        with 95 % intervals and the number of images counted. Where the target was picked, the
        intervals of both rates allow for that, and ``picked_among`` is the number of choices.
    """
    right = int((clean == labels).sum())
    scores: Scores = {
        "accuracy": right / len(labels),
        "accuracy_interval": wilson_interval(right, len(labels)),
        "test_images": len(labels),
        "asr": None,
        "asr_interval": None,
        "asr_all": None,
        "asr_all_interval": None,
        "stamped_images": 0,
    }
    others = labels != target
    if stamped is None or target is None or not others.any():
        return scores
    hits, hits_all = int((stamped[others] == target).sum()), int((stamped == target).sum())
    z = quantile_among(choices)
    picked = {"picked_among": choices} if choices > 1 else {}
    return scores | {
        "asr": attack_success_rate(stamped, labels, target=target, count_target_class=False),
        "asr_interval": wilson_interval(hits, int(others.sum()), z=z),
        "asr_all": attack_success_rate(stamped, labels, target=target, count_target_class=True),
        "asr_all_interval": wilson_interval(hits_all, len(labels), z=z),
        "stamped_images": int(others.sum()),
        **picked,
    }


def stamped_accuracy(
    stamped: np.ndarray | None, labels: np.ndarray, *, target: int | None
) -> Scores:
    """How often the answer is right with the trigger on.

    Low attack success alone does not say that answers are right again: they may be other wrong
    ones. The images counted are those of the attack success rate, ``stamped_images``.

    Args:
        stamped: classes given to the triggered images, (N,), or None.
        labels: true classes, (N,).
        target: the attacker's class, or None.

    Returns:
        stamped_accuracy as a share of 1, with its 95 % interval; None where nothing can be counted.
    """
    others = labels != target
    if stamped is None or target is None or not others.any():
        return {"stamped_accuracy": None, "stamped_accuracy_interval": None}
    right, count = int((stamped[others] == labels[others]).sum()), int(others.sum())
    return {
        "stamped_accuracy": right / count,
        "stamped_accuracy_interval": wilson_interval(right, count),
    }
