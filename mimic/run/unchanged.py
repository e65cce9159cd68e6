"""A run that is continued must be the run that began: the same settings, code and libraries.

Input files and images are compared when they are loaded, see ``mimic.verbs.work``.
"""

from __future__ import annotations

from typing import Any

from mimic.errors import RunError
from mimic.run.directory import Run
from mimic.run.versions import versions_used

BEGAN = "began.json"


def require_unchanged(run: Run) -> None:
    """Refuse to continue a run that would no longer be the same; take note of one that begins.

    Raises:
        RunError: naming the setting, the library, or the code that differs.
    """
    now = {"config": run.about()["config"], "versions": versions_used()}
    began = run.read_json(BEGAN)
    if began is None:
        run.write_json(BEGAN, now)
        return
    name = first_difference(began.get("config"), now["config"])
    if name is not None:
        raise RunError(
            f"The setting {name} of run {run.id} has changed since the run began.",
            "Restore it, or start a new run with the new settings.",
        )
    name = first_difference(began.get("versions"), now["versions"])
    if name is not None:
        what = "The code of MIMIC Studio" if name == "mimic" else f"The version of {name}"
        raise RunError(
            f"{what} has changed since run {run.id} began.",
            "Resume it with the version it began with, or start a new run.",
        )


def first_difference(before: Any, now: dict[str, Any]) -> str | None:
    """The first key whose values differ, or None."""
    if not isinstance(before, dict):
        return next(iter(now), None)
    keys = [*now, *(key for key in before if key not in now)]
    return next((key for key in keys if before.get(key) != now.get(key)), None)
