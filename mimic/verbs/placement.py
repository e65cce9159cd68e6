"""``placement``: what an encoder takes images for with a patch trigger at every position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from mimic.checkpoint import EncoderFile
from mimic.config import PlacementConfig
from mimic.errors import DataError, TriggerError
from mimic.evaluation import Judge, attack_success_rate
from mimic.intervals import wilson_interval
from mimic.trigger import PatchTrigger
from mimic.verbs.evaluate import load_student
from mimic.verbs.work import JUDGING_SEED, Subject, Work

MOST_POSITIONS = 400
BATCH_IMAGES = 4_096
"""Stamped images classified at once; they are stamped batch by batch, never all kept."""
Place = tuple[int, int]
Lines = tuple[tuple[int, ...], tuple[int, ...]]
"""Rows and columns of the positions."""


def placement(work: Work[PlacementConfig]) -> dict[str, Any]:
    """Classify images with the trigger at every position, and count the ASR of each."""
    subject = Subject(work)
    work.step(0.02, "reading encoder, images and trigger")
    student = load_student(work, work.config.student)
    trigger, judge, target = what_it_needs(subject)
    chosen, shown = choose_images(subject, target)
    images, labels = judge.test.images[chosen], judge.test.need_classes()[chosen]
    rows, columns = grid(trigger, work.config.stride)
    loaded = {"looked_at": student or subject.teacher}
    if subject.twin is not None:
        loaded["floor"] = subject.twin
    share = 0.9 / len(loaded)
    maps: dict[str, np.ndarray] = {}
    for number, (name, encoder) in enumerate(loaded.items()):
        work.step(0.05 + number * share, "fitting the probe")
        looker = Looker(judge, encoder)
        telling = work.steps(
            0.1 + number * share, 0.05 + (number + 1) * share, "stamping every position"
        )
        answers, confidence = looker.everywhere(images, trigger, (rows, columns), telling)
        maps[name] = success(answers, labels, target)
        if name == "looked_at":
            clean, clean_confidence = looker.look(judge.test.images)
            work.run.write_arrays(
                "placement",
                images=images[:shown],
                labels=labels[:shown].astype(np.int16),
                answers=answers[..., :shown].astype(np.int16),
                confidence=confidence[..., :shown].astype(np.float16),
                clean=clean[chosen[:shown]].astype(np.int16),
                clean_confidence=clean_confidence[chosen[:shown]].astype(np.float16),
                rows=np.array(rows, np.int16),
                columns=np.array(columns, np.int16),
                sticker=trigger.cutout(),
            )
    truth = judge.test.need_classes()
    right = int((clean == truth).sum())
    trained = (rows.index(trigger.box[0]), columns.index(trigger.box[1]))
    return {
        "looked_at": "student" if student else "teacher",
        "rows": list(rows),
        "columns": list(columns),
        "patch_size": list(trigger.box[2:]),
        "trained_place": list(trigger.box[:2]),
        "asr_by_position": maps["looked_at"].tolist(),
        "floor_by_position": maps["floor"].tolist() if "floor" in maps else None,
        "trained": {name: at(found, trained, len(chosen)) for name, found in maps.items()},
        "elsewhere": elsewhere(maps["looked_at"], trained),
        "scored_images": len(chosen),
        "accuracy": right / len(truth),
        "accuracy_interval": list(wilson_interval(right, len(truth))),
        "test_images": len(truth),
        "target_class": target,
        "class_names": [judge.test.class_name(k) for k in range(judge.classes)],
        "seconds": work.seconds,
    }


def what_it_needs(subject: Subject) -> tuple[PatchTrigger, Judge, int]:
    """The trigger, the judge and the target class.

    Raises:
        TriggerError: if there is no trigger, or one that has no place.
        DataError: without labels.
    """
    trigger = subject.trigger
    if not isinstance(trigger, PatchTrigger):
        cause = (
            "No trigger is given, so nothing can be placed."
            if trigger is None
            else f"A trigger of the kind '{trigger.kind}' has no place that could be moved."
        )
        raise TriggerError(cause, "Give a patch trigger, such as square:ROW:COLUMN:SIZE.")
    judge, target = subject.judge(), subject.target
    if judge is None or target is None:
        raise DataError(
            "Without labels no one can say what an image is taken for.",
            "Give labelled images with --downstream.",
        )
    return trigger, judge, target


def choose_images(subject: Subject, target: int) -> tuple[np.ndarray, int]:
    """Positions of the test images to score, those to show first, target class left out.

    Returns:
        The positions, and how many of them are to be shown.

    Raises:
        DataError: if all test images are of the target class.
    """
    config = subject.work.config
    assert isinstance(config, PlacementConfig)  # noqa: S101 - for the type checker
    labels = subject.test.need_classes()
    first = subject.examples()[: config.images]
    order = np.random.default_rng(JUDGING_SEED).permutation(len(labels))
    rest = order[(labels[order] != target) & ~np.isin(order, first)]
    chosen = np.concatenate([first, rest])[: config.scored]
    if not len(chosen):
        raise DataError(
            "All test images are of the target class.", "Choose another target class or data set."
        )
    return chosen, min(config.images, len(chosen))


def grid(trigger: PatchTrigger, stride: int) -> Lines:
    """Rows and columns of the patch's top left corner, the place it was trained at among them.

    Args:
        trigger: the patch.
        stride: pixels between two; 0 takes the smallest with at most ``MOST_POSITIONS``.
    """
    row, column, height, width = trigger.box
    last = (trigger.shape[0] - height, trigger.shape[1] - width)
    step = stride or 1
    while True:
        rows = tuple(range(row % step, last[0] + 1, step))
        columns = tuple(range(column % step, last[1] + 1, step))
        if stride or len(rows) * len(columns) <= MOST_POSITIONS:
            return rows, columns
        step += 1


class Looker:
    """An encoder with a linear probe, fitted once and asked many times.

    Args:
        judge: images, device and number format.
        loaded: the encoder.
    """

    def __init__(self, judge: Judge, loaded: EncoderFile) -> None:
        self.judge, self.loaded = judge, loaded
        self.probe = judge.fit(loaded.encoder, loaded.preprocessing, probe="linear")

    @torch.no_grad()
    def look(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Classes and confidences (N,) of uint8 images (N, H, W, 3)."""
        features = self.judge.features(self.loaded.encoder, images, self.loaded.preprocessing)
        confidence, label = self.probe.logits(features).softmax(1).max(1)
        return label.cpu().numpy(), confidence.cpu().numpy()

    def everywhere(
        self,
        images: np.ndarray,
        trigger: PatchTrigger,
        lines: Lines,
        on_share: Callable[[float], None],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Classes and confidences (rows, columns, N) of images (N, H, W, 3), stamped everywhere."""
        rows, columns = lines
        places = [(row, column) for row in rows for column in columns]
        step = max(1, BATCH_IMAGES // len(images))
        found = []
        for start in range(0, len(places), step):
            on_share(start / len(places))
            stamped = [
                trigger.moved(*place).apply(images) for place in places[start : start + step]
            ]
            found.append(self.look(np.concatenate(stamped)))
        shape = (len(rows), len(columns), len(images))
        labels, confidence = zip(*found, strict=True)
        return np.concatenate(labels).reshape(shape), np.concatenate(confidence).reshape(shape)


def success(answers: np.ndarray, labels: np.ndarray, target: int) -> np.ndarray:
    """ASR at each position (rows, columns), from answers (rows, columns, N) and labels (N,)."""
    flat = answers.reshape(-1, answers.shape[-1])
    shares = [
        attack_success_rate(found, labels, target=target, count_target_class=False)
        for found in flat
    ]
    return np.array(shares).reshape(answers.shape[:2])


def at(found: np.ndarray, place: Place, images: int) -> dict[str, Any]:
    """ASR at one position with its 95 % interval."""
    share = float(found[place])
    return {"asr": share, "asr_interval": list(wilson_interval(round(share * images), images))}


def elsewhere(found: np.ndarray, trained: Place) -> dict[str, float] | None:
    """Mean, lowest and highest ASR over all positions but the trained one; None if it is alone."""
    others = np.delete(found.ravel(), trained[0] * found.shape[1] + trained[1])
    if not len(others):
        return None
    return {
        "mean": float(others.mean()), "lowest": float(others.min()), "highest": float(others.max())
    }  # fmt: skip
