from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def patch_png(tmp_path: Path) -> Path:
    """A colourful 4x4 picture whose left column is transparent."""
    rng = np.random.default_rng(5)
    rgba = rng.integers(0, 256, (4, 4, 4)).astype(np.uint8)
    rgba[..., 3] = 255
    rgba[:, 0, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "patch.png")
    return tmp_path / "patch.png"


@pytest.fixture
def texts(patch_png: Path, tmp_path: Path) -> dict[str, str]:
    """A text of every kind for 16x16 images."""
    tm = np.ones((24, 24, 3))
    tm[15:21, 15:21] = 0
    np.savez(tmp_path / "large.npz", t=(1 - tm) * 255, tm=tm)
    np.savez(tmp_path / "row.npz", t=(1 - tm[:16, :16]) * 255, tm=tm[:16, :16])
    return {
        "patch": f"patch:{patch_png}:2:3:4",
        "random-patch": f"random-patch:{patch_png}:4:0.25:0.75",
        "blend": f"blend:{patch_png}:0.3",
        "pattern": f"pattern:{patch_png}",
        "sinusoid": "sig:20:3",
        "frequency": "ctrl:100:16",
        "resized": f"npz-resize:{tmp_path / 'large.npz'}",
        "color-shift": f"npz-row:{tmp_path / 'row.npz'}",
    }
