"""What a run's numbers come from: the bytes of its inputs and the machine it worked on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mimic import fingerprint
from mimic.config import ASSETS, without_home
from mimic.errors import RunError
from mimic.run.directory import Run
from mimic.run.versions import all_versions

INSPECTED = "inspected"
"""Under this key an input names the inspection whose bytes its run is bound to."""


def note_input(
    run: Run, name: str, path: Path, *, check: Callable[[], object] | None = None
) -> None:
    """Record an input file with its SHA-256; what no one could hash is left to its reader.

    Args:
        run: the run.
        name: what the file is to it.
        path: the file.
        check: called while a long file is read; what it raises ends the reading.

    Raises:
        RunError: if the run is to work, or has worked, with other bytes.
    """
    found = fingerprint.of_file(path, check)
    if found is None:
        return
    about = run.about()
    known = about["inputs"].get(name)
    if known is not None and known["sha256"] != found:
        raise changed_input(name, known)
    noted = {"path": portable(path.absolute()), "sha256": found}
    about["inputs"][name] = (known or {}) | noted
    run.write_json("run.json", about)


def note_machine(run: Run, facts: dict[str, Any]) -> None:
    """Record what the work is done on and with; a run continued elsewhere tells of both machines.

    Versions that decide a training's numbers are the same in all its processes, see
    ``mimic.run.unchanged``.
    """
    about = run.about()
    known = about.get("machine") or {}
    about["machine"] = {name: in_turn(known.get(name), now) for name, now in facts.items()}
    # Made by a server that may have been started with older code, the run is computed with ours.
    about["versions"] = all_versions()
    run.write_json("run.json", about)


def changed_input(name: str, known: Mapping[str, str]) -> RunError:
    """The refusal of an input that has other bytes than those known of it."""
    if known.get(INSPECTED):
        return RunError(
            f"The file given as {name} has changed since run {known[INSPECTED]} inspected it.",
            "Inspect it again, then start a new run.",
        )
    return RunError(
        f"The file given as {name} has changed since the run began.",
        "Restore the file, or start a new run.",
    )


def portable(path: Path) -> str:
    """The path as stored in runs: ``asset:...`` inside ``assets/``, ``~/...`` at home."""
    resolved = path.resolve()
    if ASSETS in resolved.parents:
        return f"asset:{resolved.relative_to(ASSETS).as_posix()}"
    return without_home(str(path))


def in_turn(known: Any, now: Any) -> Any:
    """A fact about the machine, with what it was before where that was another."""
    if known is None or str(known).split(", then ")[-1] == str(now):
        return now if known is None else known
    return f"{known}, then {now}"
