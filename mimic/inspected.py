"""A run is made for the encoder as it was inspected, so that figures on one page are of one file.

The SHA-256 that the inspection saw is written into the new run. So the work, which may wait in a
queue for hours, is refused as well if the file is exchanged before it begins.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mimic import fingerprint
from mimic.config import PUBLIC_PREFIX, Config, resolve_path
from mimic.errors import MimicError, RunError
from mimic.paths import real
from mimic.run import Run, list_runs
from mimic.run.origins import INSPECTED, changed_input
from mimic.subjects import DEFAULT, fields_of, identity, settled


def create_run(kind: str, config: Config, root: Path, *, run_id: str | None = None) -> Run:
    """Make the run of a verb, bound to the encoder as it was inspected, if it was.

    Raises:
        RunError: see ``bound_inputs``.
        StorageError: if the run cannot be written.
    """
    return Run.create(root, kind, config, run_id=run_id, inputs=bound_inputs(kind, config, root))


def bound_inputs(kind: str, config: Config, root: Path) -> dict[str, dict[str, str]]:
    """The encoder with the SHA-256 that its inspection saw; empty where there was none.

    An inspection itself is never bound: it is the remedy.

    Raises:
        RunError: if the file has other bytes now.
    """
    encoder = getattr(config, "encoder", "")
    seen = inspection_of(config, root) if encoder and kind != "inspect" else None
    if seen is None:
        return {}
    known = {**seen.about()["inputs"]["encoder"], INSPECTED: seen.id}
    path = resolve_path(known["path"] if encoder.startswith(PUBLIC_PREFIX) else encoder)
    found = fingerprint.of_file(path)
    if found not in (None, known["sha256"]):  # What cannot be read is told by who has to read it.
        raise changed_input("encoder", known)
    return {"encoder": known}


def inspection_of(config: Config, root: Path) -> Run | None:
    """The newest finished inspection of the subject, or else of the encoder's file, if any."""
    stored = config.to_json()
    wanted = place_of(stored)
    newest = None
    for run in list_runs(root, kind="inspect") if wanted else ():
        with contextlib.suppress(RunError):  # A damaged record must not stand in the way of others.
            if wanted in places_of(run) and run.status().state == "finished":
                if is_about(run, stored):
                    return run
                newest = newest or run
    return newest


def is_about(run: Run, stored: Mapping[str, Any]) -> bool:
    """Whether an inspection of the right file speaks of the subject that settings name."""
    asked = identity({**stored, "encoder": ""})
    told = (fields_of(run), settled(run, run.result() or {}))
    return any(asked == identity({**fields, "encoder": ""}) for fields in told)


def places_of(run: Run) -> Iterator[str]:
    """Where the encoder of an inspection lies: by its settings, and by what was noted."""
    noted = run.about().get("inputs", {}).get("encoder")
    if isinstance(noted, dict) and {"path", "sha256"} <= set(noted):
        yield place_of({**run.about()["config"], **fields_of(run)})
        yield place_of({"encoder": noted["path"]})


def place_of(stored: Mapping[str, Any]) -> str:
    """Where an encoder lies, however its path is written; nothing where it may not be named."""
    text = str(stored.get("encoder") or "")
    try:
        if text.startswith(PUBLIC_PREFIX):
            return f"{text} {real(resolve_path(stored.get('data_root', DEFAULT.data_root)))}"
        return str(real(resolve_path(text))) if text else ""
    except MimicError:
        return ""
