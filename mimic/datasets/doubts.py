"""Meaning checks: what about images and labels would make a figure believable but wrong."""

from __future__ import annotations

import numpy as np

from mimic.datasets.image_set import ImageSet
from mimic.errors import DataError

FEW_IMAGES = 30
RARE_CLASS = 10
IMBALANCE = 20
DUPLICATE_SHARE = 0.2


def doubts(data: ImageSet, *, part: str) -> tuple[str, ...]:
    """Doubts about one set, one sentence each.

    Args:
        data: the images, as loaded.
        part: what to call this half, for example ``test``.
    """
    named = f"the {part} images of {data.name}"
    found = []
    if len(data) < FEW_IMAGES:
        found.append(f"There are only {len(data)} of {named}: figures from so few are rough.")
    duplicates = len(data) - len(set(data.fingerprints))
    if duplicates > DUPLICATE_SHARE * len(data):
        found.append(
            f"{duplicates} of {len(data)} of {named} are exact copies of others among them."
        )
    constant = sum(bool((image == image[0, 0]).all()) for image in data.images)
    if constant:
        found.append(f"{constant} of {len(data)} of {named} show a single colour and nothing else.")
    return (*found, *label_doubts(data, named))


def label_doubts(data: ImageSet, named: str) -> list[str]:
    """Doubts about the balance and the numbering of classes."""
    if data.labels is None:
        return []
    counts = np.bincount(data.labels, minlength=data.classes)
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return [
            f"All of {named} are of one class ({data.class_name(int(present[0]))}): neither "
            "accuracy nor attack success can be measured on them."
        ]
    found = []
    missing = len(counts) - len(present)
    if present[0] == 1 and missing == 1:
        found.append(
            f"The labels of {data.name} begin at 1: they are kept as they are, and no image is of "
            "class 0."
        )
    elif missing:
        found.append(f"{missing} of {len(counts)} classes have none of {named}.")
    rare, common = (int(present[counts[present].argmin()]), int(counts.argmax()))
    if counts[rare] < RARE_CLASS or counts[common] > IMBALANCE * counts[rare]:
        found.append(
            f"The classes of {named} are unbalanced or small: class {data.class_name(rare)} has "
            f"{counts[rare]}, class {data.class_name(common)} has {counts[common]}."
        )
    return found


def doubts_between(train: ImageSet, test: ImageSet) -> tuple[str, ...]:
    """Doubts about two halves that are to be independent, one sentence each.

    Raises:
        DataError: if they number their classes differently.
    """
    if train.class_names != test.class_names:
        raise DataError(
            f"The two halves of {test.name} name different classes, so their numbers disagree.",
            "Store labels as numbers, or use the same class names in both halves.",
        )
    found = []
    known = set(train.fingerprints)
    shared = sum(digest in known for digest in test.fingerprints)
    if shared:
        found.append(
            f"{shared} of the {len(test)} test images of {test.name} are among its training "
            "images too: scores are too good by that."
        )
    if train.labels is not None and test.labels is not None:
        unseen = np.setdiff1d(test.labels, train.labels)
        if len(unseen):
            names = ", ".join(test.class_name(int(k)) for k in unseen[:5])
            found.append(
                f"{len(unseen)} classes among the test images of {test.name} have no training "
                f"image: {names}{' and others' if len(unseen) > 5 else ''}."
            )
    if (train.labels is None) != (test.labels is None):
        found.append(f"Only one half of {test.name} has labels, so it counts as unlabelled.")
    return tuple(found)
