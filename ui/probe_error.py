"""How far a probe's accuracy in each layer can be trusted: its 95% interval, from its count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mimic.config.information import PROBE_IMAGES
from mimic.intervals import wilson_interval

WHOLE = 0.01
"""How far a share times its count may lie from a whole number, for rounding in files."""
Row = Mapping[str, Any]


def with_intervals(rows: Sequence[Row], inspection: Mapping[str, Any] | None) -> list[Row]:
    """Companions with ``probe_interval`` wherever the count of scored images is known.

    Args:
        rows: companions of a measurement. Older ones do not hold their count.
        inspection: result of the subject's inspection, which knows how many test images there are.
    """
    likely = scored_images(inspection)
    found = []
    for row in rows:
        interval = interval_of(row.get("probe_accuracy"), row.get("probe_images") or likely)
        found.append({**row, "probe_interval": interval} if interval else row)
    return found


def scored_images(inspection: Mapping[str, Any] | None) -> int | None:
    """Test images that a measurement of this subject scores its probes on."""
    count = ((inspection or {}).get("downstream") or {}).get("test_images")
    return min(count, PROBE_IMAGES) if isinstance(count, int) else None


def interval_of(share: Any, images: Any) -> tuple[float, float] | None:
    """The interval of a share of some images; None where the count cannot be the right one."""
    if not isinstance(share, float | int) or not isinstance(images, int) or images < 1:
        return None
    right = share * images
    if not 0 <= share <= 1 or abs(right - round(right)) > WHOLE:
        return None
    return wilson_interval(round(right), images)
