"""What each encoder answered to each test image, one bit an image, so that runs can be paired.

Two runs on the same test images are no independent samples: what tells them apart are the images
that only one of them gets right. A few hundred bytes beside a run's other arrays keep that.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from mimic.errors import MimicError
from mimic.run import Run

NAME = "answers"
"""Under which name a run keeps them, see ``Run.arrays``."""
BITS = {
    "accuracy": "recognised", "asr": "taken", "asr_all": "taken", "stamped_accuracy": "kept",
}  # fmt: skip
"""Which answers a measure counts as successes."""
Arrays = Mapping[str, np.ndarray]


def packed(
    images: np.ndarray,
    labels: np.ndarray,
    target: int | None,
    answers: Mapping[str, tuple[np.ndarray, np.ndarray | None]],
) -> dict[str, np.ndarray]:
    """Answers as arrays of bits.

    Args:
        images: the test images, uint8 (N, H, W, 3).
        labels: their true classes, (N,).
        target: the attacker's class, or None.
        answers: by encoder, the classes given to the clean images and to the triggered ones, (N,)
            each; None where there is no trigger.

    Returns:
        ``judged`` names images, labels and target: only runs that agree in it can be paired.
        ``count`` is N, ``others`` which images are not of the target class; by encoder, which
        clean images were recognised, which triggered ones taken for the target class, and which
        of these kept their own class.
    """
    digest = hashlib.sha256(np.ascontiguousarray(images).data)
    digest.update(f"{images.shape} {target}".encode())
    digest.update(np.ascontiguousarray(labels, dtype=np.int64).data)
    found = {
        "judged": np.array(digest.hexdigest()),
        "count": np.array(len(labels)),
        "others": np.packbits(labels != target),
    }
    for encoder, (clean, stamped) in answers.items():
        found[f"{encoder}_recognised"] = np.packbits(clean == labels)
        if stamped is not None and target is not None:
            found[f"{encoder}_taken"] = np.packbits(stamped == target)
            found[f"{encoder}_kept"] = np.packbits(stamped == labels)
    return found


def kept_by(run: Run) -> Arrays:
    """The answers a run kept; empty where there are none or they are damaged."""
    with contextlib.suppress(MimicError):  # Without them encoders can still be compared unpaired.
        kept = run.arrays(NAME) or {}
        return kept if are_whole(kept) else {}
    return {}


def are_whole(kept: Arrays) -> bool:
    """Whether arrays are answers as ``packed`` makes them: somebody else may have written them."""
    count, judged = kept.get("count"), kept.get("judged")
    if count is None or judged is None or count.shape or judged.shape or count.dtype.kind != "i":
        return False
    size = (-(-int(count) // 8),)
    bits = [array for name, array in kept.items() if name not in ("count", "judged")]
    return int(count) >= 0 and all(b.shape == size and b.dtype == np.uint8 for b in bits)


def of_measure(arrays: Arrays, encoder: str, measure: str) -> np.ndarray | None:
    """Which of the images that a measure counts it counts as a success, bool (n,).

    Args:
        arrays: see ``packed``; empty where a run kept none.
        encoder: whose answers.
        measure: accuracy, asr, asr_all or stamped_accuracy.
    """
    kept = arrays.get(f"{encoder}_{BITS[measure]}")
    if kept is None or not {"judged", "count", "others"} <= set(arrays):
        return None
    count = int(arrays["count"])
    answers: np.ndarray = np.unpackbits(kept, count=count).astype(bool)
    if measure in ("accuracy", "asr_all"):
        return answers
    others: np.ndarray = np.unpackbits(arrays["others"], count=count).astype(bool)
    counted: np.ndarray = answers[others]
    return counted


def both(first: Arrays, second: Arrays, encoder: str, measure: str) -> tuple[Any, Any] | None:
    """The answers of two runs to the same images, or None where they cannot be paired."""
    pair = [of_measure(arrays, encoder, measure) for arrays in (first, second)]
    if pair[0] is None or pair[1] is None:
        return None
    same = str(first["judged"]) == str(second["judged"]) and len(pair[0]) == len(pair[1])
    return (pair[0], pair[1]) if same else None
