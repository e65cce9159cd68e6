"""Images as uint8 arrays, from wherever users keep them.

A data set is named by one word: ``digits`` (scikit-learn's handwritten digits, always there), a
torchvision set (also found as ``NAME/train.npz`` under the data folder), or the path of

- an ``.npz`` of arrays (``mimic.datasets.npz``) or a folder of two such files,
- a folder of images, or a zip of one (``mimic.datasets.tree``),
- a list of paths and labels (``mimic.datasets.table``).

What a file is gets decided from its first bytes. Doubts about the images (``ImageSet.warnings``)
travel with them.
"""

from __future__ import annotations

from mimic.datasets.doubts import doubts_between
from mimic.datasets.image_set import ImageSet, Split, clean_subset
from mimic.datasets.load import load_images
from mimic.datasets.npz import load_npz
from mimic.datasets.torchvision_sets import TORCHVISION

__all__ = [
    "TORCHVISION",
    "ImageSet",
    "Split",
    "clean_subset",
    "doubts_between",
    "load_images",
    "load_npz",
]
