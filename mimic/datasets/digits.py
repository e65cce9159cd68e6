"""scikit-learn's handwritten digits, which are always there."""

from __future__ import annotations

import numpy as np

from mimic.datasets.image_set import ImageSet

SIDE = 16


def load_digits() -> ImageSet:
    """scikit-learn's 1,797 handwritten digits (8x8), doubled to 16x16 RGB by bilinear resizing."""
    import sklearn.datasets
    from PIL import Image

    digits = sklearn.datasets.load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)  # (N, 8, 8), stored as 0 to 16
    resized = [
        np.asarray(Image.fromarray(p).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
        for p in pixels
    ]
    images = np.repeat(np.stack(resized)[..., None], 3, axis=3)  # (N, 16, 16, 3)
    names = tuple(str(n) for n in range(10))
    return ImageSet("digits", images, digits.target.astype(np.int64), names)
