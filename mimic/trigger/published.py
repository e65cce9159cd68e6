"""Reading ``t`` and ``tm`` as the published files store them: forgiving, but never silently.

What varies between BadEncoder, DRUPE and DECREE: a leading axis or none, integers or floats, and
masks that are 1 *inside* the patch.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mimic.errors import TriggerError

MOST = 0.5


def interpret(arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Bring mask and patch into the one convention.

    Args:
        arrays: ``t`` with values 0 to 255 and ``tm`` with 0 and 1, each (H, W, 3) or (N, H, W, 3).

    Returns:
        The mask and the patch, uint8 (H, W, 3), and a sentence for everything that was decided.

    Raises:
        TriggerError: if a value cannot be a pixel's or a mask's.
    """
    warnings: list[str] = []
    patch, mask = (first(arrays, key, warnings) for key in ("t", "tm"))
    if not np.array_equal(mask, np.round(mask)) or (mask.size and mask.max() > 1):
        raise TriggerError(
            "The trigger's mask tm holds values other than 0 and 1.",
            "Write 1 where the image is kept and 0 where the patch goes.",
        )
    if patch.shape != mask.shape:
        raise TriggerError(
            f"The trigger's mask {mask.shape} and patch {patch.shape} are not of one shape.",
            "Store t and tm as arrays of one shape (H, W, 3) or (1, H, W, 3).",
        )
    mask = upright(mask.astype(np.uint8), patch, warnings)
    patch = in_bytes(patch, warnings)
    return mask, patch, tuple(dict.fromkeys(warnings))


def first(arrays: Mapping[str, np.ndarray], key: str, warnings: list[str]) -> np.ndarray:
    """An array without its leading axis, its values checked."""
    array = arrays[key]
    if array.ndim == 4 and len(array):
        if len(array) > 1:
            warnings.append(
                f"The file holds {len(array)} triggers; the first is used, as in BadEncoder's "
                "evaluation."
            )
        array = array[0]
    if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
        raise TriggerError(
            f"The trigger's {key} holds something other than finite numbers.",
            "Store t as values 0 to 255 and tm as 0 and 1.",
        )
    if array.size and (array.min() < 0 or array.max() > 255):
        raise TriggerError(
            f"The trigger's {key} leaves the range 0 to 255.",
            "Store t as values 0 to 255 and tm as 0 and 1.",
        )
    return array


def upright(mask: np.ndarray, patch: np.ndarray, warnings: list[str]) -> np.ndarray:
    """The mask, turned round if it is 1 inside the patch (as DECREE's are).

    Only where the patch has values nowhere but under the 1s: a patch of zeros is a black one.
    """
    if patch[mask == 1].any() and not patch[mask == 0].any():
        warnings.append(
            "The trigger's patch has values only where its mask would keep the image; the mask was "
            "read as inverted, 1 inside the patch."
        )
        return 1 - mask
    replaced = float((mask == 0).mean()) if mask.size else 0.0
    if replaced > MOST:
        warnings.append(
            f"The trigger replaces {replaced:.0%} of the image; it is used as stored, so check "
            "that its mask is not inverted."
        )
    return mask


def in_bytes(patch: np.ndarray, warnings: list[str]) -> np.ndarray:
    """The patch as uint8, scaled if it was stored between 0 and 1."""
    if patch.size and 0 < patch.max() <= 1:
        warnings.append(
            "No value of the trigger's patch is above 1; it was read as scaled to 0 to 1 and "
            "multiplied by 255."
        )
        patch = patch.astype(np.float64) * 255
    elif not np.array_equal(patch, np.round(patch)):
        warnings.append("The trigger's patch holds fractions; they were rounded to whole values.")
    return np.round(patch).astype(np.uint8)
