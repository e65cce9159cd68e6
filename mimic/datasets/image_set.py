"""Images with labels and with the doubts about them; the clean subset a defender holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from mimic.datasets.limits import MAX_LABEL
from mimic.errors import DataError

Split = Literal["train", "test"]

HELD_OUT_SHARE = 0.2


@dataclass(frozen=True)
class ImageSet:
    """Images with labels, if there are any.

    Args:
        name: what to call it on screen.
        images: uint8 (N, H, W, 3), RGB.
        labels: int64 (N,), or None.
        class_names: one name per class, or empty.
        warnings: what a reader of any figure from these images has to know, one sentence each.

    Raises:
        DataError: if images or labels are not as stated.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
            raise DataError(
                f"{self.name} holds {images.dtype} values of shape {images.shape}.",
                "Images must be uint8 (N, height, width, 3), RGB with values 0 to 255.",
            )
        if images.size == 0:
            raise DataError(f"{self.name} holds no image.", "Choose a data set with images.")
        if images.max() <= 1:
            raise DataError(
                f"No pixel of {self.name} is brighter than 1.",
                "Scale the values to 0 to 255 before storing them as uint8.",
            )
        if labels is not None and labels.shape != (len(images),):
            raise DataError(
                f"{self.name} has {len(images)} images but labels of shape {labels.shape}.",
                "Store one label per image, in the order of the images.",
            )
        if labels is not None and (labels.min() < 0 or labels.max() > MAX_LABEL):
            raise DataError(
                f"{self.name} has labels from {labels.min()} to {labels.max()}.",
                "Number the classes from 0.",
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def classes(self) -> int:
        """Number of classes, 0 when unlabelled."""
        if self.labels is None:
            return 0
        return max(int(self.labels.max()) + 1, len(self.class_names))

    def class_name(self, label: int) -> str:
        """The name of a class, or its number."""
        return self.class_names[label] if label < len(self.class_names) else str(label)

    def take(self, indices: np.ndarray) -> ImageSet:
        """The images at these positions."""
        labels = None if self.labels is None else self.labels[indices]
        return replace(self, images=self.images[indices], labels=labels)

    def draw(self, count: int, *, seed: int) -> np.ndarray:
        """Positions of ``count`` images drawn without replacement, in order; all if no more."""
        if count >= len(self):
            return np.arange(len(self))
        return np.sort(np.random.default_rng(seed).permutation(len(self))[:count])

    def sample(self, count: int, *, seed: int) -> ImageSet:
        """The images ``draw`` draws."""
        return self if count >= len(self) else self.take(self.draw(count, seed=seed))

    @cached_property
    def fingerprints(self) -> tuple[bytes, ...]:
        """A digest of each image's pixels; equal images have equal ones."""
        return tuple(
            hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in self.images
        )

    def need_classes(self) -> np.ndarray:
        """The labels, where at least two classes are present.

        Raises:
            DataError: if there are no labels or only one class.
        """
        if self.labels is None:
            raise DataError(
                f"{self.name} has no labels, which a probe needs.",
                "Choose labelled downstream data, or leave accuracy and ASR out.",
            )
        if len(np.unique(self.labels)) < 2:
            raise DataError(
                f"All images of {self.name} are of one class.",
                "Choose data with at least two classes.",
            )
        return self.labels

    def sha256(self) -> str:
        """SHA-256 over pixels and labels."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).tobytes())
        if self.labels is not None:
            digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()


def half(count: int, split: Split) -> np.ndarray:
    """Positions of the training or test half of a set in one piece: 80 to 20, always alike."""
    if count < 2:
        return np.arange(count)
    order = np.random.default_rng(0).permutation(count)
    held_out = max(1, round(HELD_OUT_SHARE * count))
    return np.sort(order[:held_out] if split == "test" else order[held_out:])


def clean_subset(data: ImageSet, *, fraction: float, seed: int) -> ImageSet:
    """The defender's few clean images: a seeded sample without replacement, without labels.

    Args:
        data: all images.
        fraction: share to draw, above 0 and at most 1.
        seed: the draw.

    Raises:
        DataError: if fewer than 8 images remain, too few for any contrast between images.
    """
    count = round(fraction * len(data))
    if count < 8:
        raise DataError(
            f"{fraction:.2%} of {len(data)} images leaves {count} clean images.",
            "Choose a larger fraction or a larger data set; at least 8 images are needed.",
        )
    return replace(data.sample(count, seed=seed), labels=None)
