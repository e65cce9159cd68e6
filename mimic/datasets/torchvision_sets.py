"""The sets that torchvision can fetch, and copies of them as ``NAME/train.npz``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mimic.datasets.image_file import decode, read_bounded
from mimic.datasets.image_set import ImageSet, Split
from mimic.datasets.npz import load_npz
from mimic.errors import DataError

TORCHVISION = {"cifar10": "CIFAR10", "stl10": "STL10", "svhn": "SVHN", "gtsrb": "GTSRB"}
GTSRB_SIDE = 32
SIDES = {"cifar10": 32, "stl10": 96, "svhn": 32, "gtsrb": GTSRB_SIDE}
"""Sides of their images in pixels."""


def load_torchvision(name: str, split: Split, *, data_root: Path, download: bool) -> ImageSet:
    """A torchvision data set; fetched only when ``download`` is true.

    Raises:
        DataError: if it is missing and may not or cannot be fetched.
    """
    unpacked = data_root / name / f"{split}.npz"
    if unpacked.is_file():
        return replace(load_npz(unpacked), name=TORCHVISION[name])
    import torchvision.datasets

    kind = getattr(torchvision.datasets, TORCHVISION[name])
    options: dict[str, Any] = {"train": split == "train"} if name == "cifar10" else {"split": split}
    try:
        data = kind(root=str(data_root), download=download, **options)
    except Exception as error:
        raise DataError(
            f"The data set {name} is not in '{data_root.name}' or could not be fetched.",
            "Allow the download (--download), or set the folder that holds it (--data-root).",
        ) from error
    if name == "gtsrb":
        files = [Path(p) for p, _ in data._samples]
        images = np.stack([decode(read_bounded(f), f.name, GTSRB_SIDE).pixels for f in files])
        labels = np.array([k for _, k in data._samples])
        return ImageSet("GTSRB", images, labels.astype(np.int64))
    images = np.asarray(data.data)
    if images.shape[1] == 3:  # STL-10 and SVHN store channels first.
        images = images.transpose(0, 2, 3, 1)
    labels = np.asarray(data.targets if name == "cifar10" else data.labels).astype(np.int64)
    names = tuple(getattr(data, "classes", ()))
    return ImageSet(TORCHVISION[name], np.ascontiguousarray(images), labels, names)
