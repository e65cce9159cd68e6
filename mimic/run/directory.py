"""A run: one execution of a verb, as a directory that any process may read while it is written.

run.json          id, kind, config, library versions; inputs (SHA-256) and machine, once known
began.json        the config and code that the work began with; a resumed run must have the same
process.json      the process that was started to execute the run
status.json       state, progress, message, seconds left, heartbeat, error (replaced atomically)
metrics.jsonl     one JSON object per line, append only
checkpoints.json  length and SHA-256 of the checkpoints
result.json       the outcome (exists only when the run is finished)
note.json         what a person wrote about it
deleted.json      when it was moved to the trash (exists only there)
arrays/*.npz      data behind the plots
*.safetensors     checkpoints and results
log.txt           what the process printed, and how it ended
stop              exists when someone asked the run to stop
lock              held by the process at work
"""

from __future__ import annotations

import contextlib
import json
import math
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np

from mimic.config import VERB_CONFIGS, Config
from mimic.errors import RunError
from mimic.run import durable
from mimic.run.durable import storage_errors
from mimic.run.status import RESUMABLE, Status, explain_vanished, process_lives
from mimic.run.versions import all_versions

NOTE = "note.json"
START_SECONDS = 60.0
"""A run that nobody has begun to execute after so long is not going to be."""


class Run:
    """A run directory. Reading never fails on a half-written run: writes replace whole files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def id(self) -> str:
        """The directory's name."""
        return self.directory.name

    @classmethod
    def create(
        cls,
        root: Path,
        kind: str,
        config: Config,
        *,
        run_id: str | None = None,
        inputs: Mapping[str, dict[str, str]] | None = None,
    ) -> Self:
        """Make a new run directory under ``root``.

        Args:
            root: folder of runs.
            kind: the verb.
            config: its settings.
            run_id: the directory's name; by default one that no other run has.
            inputs: files whose SHA-256 the run is bound to, see ``mimic.inspected``.

        Raises:
            StorageError: if it cannot be written.
        """
        with storage_errors():
            durable.make_folder(root)
            directory = new_folder(root, kind) if run_id is None else root / run_id
            if run_id is not None:
                directory.mkdir()
            durable.sync_folder(root)
        run = cls(directory)
        run.write_json(
            "run.json",
            {
                "id": run.id,
                "kind": kind,
                "created": time.time(),
                "config": config.to_json(),
                "inputs": dict(inputs or {}),
                "versions": all_versions(),
            },
        )
        run.write_status(Status(updated=time.time()))
        return run

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open an existing run.

        Raises:
            RunError: if the directory holds no readable run.
        """
        run = cls(directory)
        run.about()
        return run

    # Reading ---------------------------------------------------------------------------------

    def read_json(self, name: str) -> dict[str, Any] | None:
        """A JSON file of the run, or None where it does not exist.

        Raises:
            RunError: if the file is damaged.
        """
        try:
            value = json.loads((self.directory / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise RunError(
                f"{name} of run {self.id} is damaged.", "Delete the run or start it again."
            ) from error
        return value if isinstance(value, dict) else None

    def about(self) -> dict[str, Any]:
        """``run.json``: kind, config, inputs, versions."""
        about = self.read_json("run.json")
        if about is None:
            raise RunError(
                f"There is no run called '{self.id}'.", "List the runs with: python -m mimic runs"
            )
        return about

    @property
    def kind(self) -> str:
        """The verb that made the run."""
        about = self.about()
        if about.get("kind") not in VERB_CONFIGS or not isinstance(about.get("config"), dict):
            raise RunError(
                f"The record of run {self.id} is damaged.", "Delete the run or start it again."
            )
        return str(about["kind"])

    def config(self) -> Config:
        """The run's settings."""
        return VERB_CONFIGS[self.kind].from_json(self.about()["config"])

    def status(self) -> Status:
        """The run's state; a run whose process is gone reads as interrupted."""
        try:
            status = Status(**(self.read_json("status.json") or {}))
        except TypeError as error:
            raise RunError(
                f"The status of run {self.id} is damaged.", "Delete the run or start it again."
            ) from error
        if status.state == "starting" and not status.pid:
            started = self.read_json("process.json")
            if started is None:
                late = time.time() - status.updated > START_SECONDS
                return self._vanished(status) if late else status
            status = replace(
                status, pid=started.get("pid", 0), pid_created=started.get("pid_created", 0.0)
            )
        if status.is_active and not process_lives(status.pid, status.pid_created):
            return self._vanished(status)
        if status.state in ("starting", "queued", "running") and self.stop_requested():
            return replace(status, state="stopping", seconds_left=None)
        return status

    def _vanished(self, status: Status) -> Status:
        """The status of a run that no process is at work on, although it has not ended."""
        config = self.about().get("config")
        batch = config.get("batch_size") if isinstance(config, dict) else None
        cause, remedy = explain_vanished(
            status,
            batch if isinstance(batch, int) else None,
            resumable=self.about().get("kind") in RESUMABLE,
        )
        return replace(status, state="interrupted", seconds_left=None, cause=cause, remedy=remedy)

    def metrics(self) -> list[dict[str, Any]]:
        """All complete metric lines so far."""
        try:
            text = (self.directory / "metrics.jsonl").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        records = []
        for line in text.split("\n")[:-1]:  # The piece after the last newline is unfinished.
            with contextlib.suppress(ValueError):
                records.append(json.loads(line))
        return records

    def result(self) -> dict[str, Any] | None:
        """The outcome, or None while there is none."""
        return self.read_json("result.json")

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        """The arrays saved as ``name``, or None where there are none."""
        path = self.directory / "arrays" / f"{name}.npz"
        if not path.is_file():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return dict(stored)
        except Exception as error:  # Damage shows as several kinds of exception.
            raise RunError(
                f"The plot data '{name}' of run {self.id} is damaged.", "Run the verb again."
            ) from error

    def note(self) -> str:
        """What a person wrote about the run, or nothing; a damaged note reads as none."""
        try:
            return str((self.read_json(NOTE) or {}).get("text") or "")
        except RunError:
            return ""

    def stop_requested(self) -> bool:
        """Whether someone asked the run to stop."""
        return (self.directory / "stop").exists()

    # Writing ---------------------------------------------------------------------------------

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        """Replace a JSON file atomically; NaN becomes null, so any reader can parse it."""
        text = json.dumps(finite(value), indent=1)
        self.write_file(name, lambda path: path.write_text(text + "\n", encoding="utf-8"))

    def write_file(self, name: str, write: Callable[[Path], object]) -> None:
        """Let ``write`` fill a temporary file, then move it into place durably.

        Raises:
            StorageError: if the disk is full or the directory cannot be written.
        """
        durable.replace_file(self.directory / name, write)

    def write_arrays(self, name: str, **arrays: np.ndarray) -> None:
        """Save the data behind a plot."""

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, **arrays)

        self.write_file(f"arrays/{name}.npz", write)

    def write_status(self, status: Status) -> None:
        """Replace the status."""
        self.write_json("status.json", asdict(status))

    def record(self, values: dict[str, Any]) -> None:
        """Append one line of metrics."""
        durable.append_line(self.directory / "metrics.jsonl", json.dumps(finite(values)))

    def sync_metrics(self) -> None:
        """Flush the metrics to the disk, before something is written that relies on them."""
        with storage_errors():
            durable.sync_file(self.directory / "metrics.jsonl")

    def keep_metrics(self, keep: Callable[[dict[str, Any]], bool]) -> None:
        """Drop metric lines, for example those written after the checkpoint a run resumes from."""
        lines = "".join(json.dumps(m) + "\n" for m in self.metrics() if keep(m))
        self.write_file("metrics.jsonl", lambda path: path.write_text(lines, encoding="utf-8"))

    def request_stop(self) -> None:
        """Ask the run's process to save its state and end."""
        with storage_errors():
            (self.directory / "stop").touch()

    def log(self, sentence: str) -> None:
        """Add a line to log.txt with the time and the run's id; a failure to do so is ignored."""
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        with contextlib.suppress(OSError), (self.directory / "log.txt").open("a") as file:
            file.write(f"{stamp} run {self.id}: {sentence}\n")

    def delete(self) -> None:
        """Remove the run and all it holds."""
        shutil.rmtree(self.directory, ignore_errors=True)


def finite(value: Any) -> Any:
    """Replace NaN and infinities by None, at any depth; arrays' numbers become Python numbers."""
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def new_folder(root: Path, kind: str) -> Path:
    """Make a run's folder under a name that no other run has, however many begin at once."""
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        folder = root / f"{kind}-{stamp}-{secrets.token_hex(2)}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
