"""What scores were measured with: test images, trigger, target class.

Where runs differ in one of these, their scores may lie apart for that alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONDITIONS = ("test images", "trigger", "target class")
"""What a score depends on besides the encoder."""
TO_BE_FOUND = -1
"""As a setting: no target class was named."""
WITHOUT_TRIGGER = ("accuracy",)
"""Measures in which neither the trigger nor its class has a part."""


def of_run(
    config: Mapping[str, Any], inputs: Mapping[str, Any], result: Mapping[str, Any]
) -> dict[str, Any]:
    """The conditions of one run, by the names in ``CONDITIONS``.

    Args:
        config: its settings.
        inputs: what it noted of the files and data it read: their SHA-256 counts, not their path.
        result: its outcome, which tells the target class where that had to be found; older
            distillations do not, so theirs is None, unknown.
    """
    images = config.get("downstream") or config.get("data")
    target = result.get("target_class")
    if target is None:
        target = config.get("target_class")
    return {
        "test images": (
            content(inputs, f"{images} (test)", images), config.get("test_images"),
            config.get("image_size"),
        ),
        "trigger": content(inputs, "trigger", config.get("trigger")),
        "target class": None if target == TO_BE_FOUND else target,
    }  # fmt: skip


def content(inputs: Mapping[str, Any], name: str, otherwise: Any) -> Any:
    """The hash of what was read under a name, or what the settings say of it."""
    noted = inputs.get(name)
    return (noted.get("sha256") if isinstance(noted, Mapping) else None) or otherwise


def unlike(one: Mapping[str, Any], other: Mapping[str, Any], measure: str) -> list[str]:
    """In which known conditions two runs differ, as far as a measure depends on them."""
    counted = CONDITIONS[:1] if measure in WITHOUT_TRIGGER else CONDITIONS
    known = [name for name in counted if None not in (one.get(name), other.get(name))]
    return [name for name in known if one[name] != other[name]]
