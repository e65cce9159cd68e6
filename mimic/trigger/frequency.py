"""CTRL's trigger: a few frequencies of the colour channels, raised (Li et al., ICCV 2023).

The repository meet-cjli/CTRL stamps in five steps, all in floating point: RGB (0 to 255) to YUV; a
two-dimensional orthonormal DCT (type II) per window; the magnitude added to chosen coefficients of
U and V; the inverse DCT; YUV to RGB, clipped. It takes the colour matrices from kornia, which are
BT.601's luma with M/PAL chroma (BT.470) rounded to three digits; its two matrices are inverse to
each other up to 0.03 grey levels, so rounding restores an image that was not changed in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mimic.errors import TriggerError
from mimic.trigger.archive import number, values
from mimic.trigger.base import Trigger

TO_YUV = np.array([[0.299, 0.587, 0.114], [-0.147, -0.289, 0.436], [0.615, -0.515, -0.100]])
TO_RGB = np.array([[1.0, 0.0, 1.14], [1.0, -0.396, -0.581], [1.0, 2.029, 0.0]])
WINDOW = 32
MAGNITUDE = 100.0


@dataclass(frozen=True, eq=False)
class FrequencyTrigger(Trigger):
    """Coefficients of U and V raised in every window.

    Args:
        magnitude: what is added; CTRL poisons with 50 or 100 and evaluates with 100.
        window: side of the windows the image is cut into.
        warnings: doubts about the file it came from.

    Raises:
        TriggerError: if magnitude or window is out of range.
    """

    kind: ClassVar[str] = "frequency"
    magnitude: float = MAGNITUDE
    window: int = WINDOW
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.magnitude <= 10_000:
            raise TriggerError(
                f"The magnitude {self.magnitude:g} is not between 0 and 10000.",
                "Choose for example 100.",
            )
        if not 4 <= self.window <= 1024 or self.window % 2:
            raise TriggerError(
                f"A window of {self.window} pixels is not an even number from 4 to 1024.",
                "Choose 32, or the images' side where that is smaller.",
            )

    @property
    def coefficients(self) -> tuple[tuple[int, int], ...]:
        """The raised coefficients: the middle and the last one, (15, 15) and (31, 31) of 32."""
        middle, last = self.window // 2 - 1, self.window - 1
        return (middle, middle), (last, last)

    @property
    def shape(self) -> None:
        """It fits every size that windows fill."""
        return

    @property
    def preview_size(self) -> tuple[int, int]:
        """One window."""
        return self.window, self.window

    def check_size(self, height: int, width: int) -> None:
        """Refuse sizes that windows do not fill: coefficients would be missing at the edge."""
        if height % self.window or width % self.window:
            raise TriggerError(
                f"Windows of {self.window}x{self.window} pixels do not fill images of "
                f"{height}x{width}.",
                "Give a window that divides the images' side, as in ctrl:100:16 for 16x16.",
            )

    def stamp(self, images: np.ndarray) -> np.ndarray:
        """Raise the coefficients, by adding to all windows what they look like as pixels.

        The DCT is linear: ``idct(dct(x) + c) = x + idct(c)``, so no image has to be transformed.
        """
        _, height, width, _ = images.shape
        times = (height // self.window, width // self.window, 1)
        there_and_back = (TO_RGB @ TO_YUV).T
        raised = images @ there_and_back + np.tile(self.added(), times)
        stamped: np.ndarray = np.rint(np.clip(raised, 0, 255)).astype(np.uint8)
        return stamped

    def added(self) -> np.ndarray:
        """The raised coefficients as a change of RGB pixels, float (window, window, 3)."""
        from scipy.fft import idctn  # Takes half a second to import.

        spectrum = np.zeros((self.window, self.window, 3))
        for row, column in self.coefficients:
            spectrum[row, column, 1:] = self.magnitude
        rgb: np.ndarray = idctn(spectrum, axes=(0, 1), norm="ortho") @ TO_RGB.T
        return rgb

    def describe(self) -> str:
        """Which coefficients are raised by how much."""
        places = " and ".join(f"({row}, {column})" for row, column in self.coefficients)
        return (
            f"In each window of {self.window}x{self.window} pixels the cosine coefficients "
            f"{places} of the colour channels U and V are raised by {self.magnitude:g} (CTRL)."
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Magnitude and window."""
        return {"magnitude": np.array(self.magnitude), "window": np.array(self.window)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from ``magnitude`` and ``window``."""
        window = values(arrays, "window")
        if window.shape or window != np.round(window):
            raise TriggerError("The trigger's window is no whole number.", "Store one, such as 32.")
        return cls(magnitude=number(arrays, "magnitude"), window=int(window))
