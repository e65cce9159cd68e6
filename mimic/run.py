"""A run: one execution of a verb, as a directory that any process may read while it is written.

run.json        id, kind, config, inputs with SHA-256, library versions (written once)
status.json     state, progress, message, seconds left, process, error (replaced atomically)
metrics.jsonl   one JSON object per line, append only
result.json     the outcome (exists only when the run is finished)
arrays/*.npz    data behind the plots
*.safetensors   checkpoints and results
stop            exists when someone asked the run to stop
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil

from mimic.config import ASSETS, VERB_CONFIGS, Config, without_home
from mimic.errors import MimicError, RunError, StorageError

LIBRARIES = ("torch", "torchvision", "numpy", "scikit-learn", "umap-learn", "safetensors")
ACTIVE_STATES = ("starting", "queued", "running", "stopping")
RUN_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def default_root() -> Path:
    """Where runs are written: ``$MIMIC_RUNS`` or ``runs`` in the current folder."""
    return Path(os.environ.get("MIMIC_RUNS", "runs")).expanduser()


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a run stands.

    ``state`` is one of starting, queued, running, stopping, stopped, finished, failed, interrupted.
    ``progress`` is a share of 1; times are seconds since 1970.
    """

    state: str = "starting"
    progress: float = 0.0
    message: str = ""
    started: float = 0.0
    updated: float = 0.0
    seconds_left: float | None = None
    pid: int = 0
    pid_created: float = 0.0
    device: str = ""
    memory_mb: float = 0.0
    cause: str = ""
    remedy: str = ""

    @property
    def is_active(self) -> bool:
        """Whether a process is at work on the run, or about to be."""
        return self.state in ACTIVE_STATES


class Run:
    """A run directory. Reading never fails on a half-written run: writes replace whole files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def id(self) -> str:
        """The directory's name."""
        return self.directory.name

    @classmethod
    def create(cls, root: Path, kind: str, config: Config, *, run_id: str | None = None) -> Self:
        """Make a new run directory under ``root``.

        Raises:
            StorageError: if it cannot be written.
        """
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        directory = root / (run_id or f"{kind}-{stamp}-{secrets.token_hex(2)}")
        with storage_errors():
            directory.mkdir(parents=True)
        run = cls(directory)
        run.write_json(
            "run.json",
            {
                "id": run.id,
                "kind": kind,
                "created": time.time(),
                "config": config.to_json(),
                "inputs": {},
                "versions": {"python": platform.python_version(), **library_versions()},
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
            late = time.time() - status.updated > 60
            return replace(status, state="interrupted") if late else status
        if status.is_active and not process_lives(status.pid, status.pid_created):
            return replace(status, state="interrupted", seconds_left=None)
        if status.state == "running" and self.stop_requested():
            return replace(status, state="stopping")
        return status

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
        target = self.directory / name
        with storage_errors():
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
            os.close(handle)
            try:
                write(Path(temporary))
                with Path(temporary).open("rb") as written:
                    os.fsync(written.fileno())
                Path(temporary).chmod(0o644)
                Path(temporary).replace(target)
            finally:
                Path(temporary).unlink(missing_ok=True)

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
        line = json.dumps(finite(values)) + "\n"
        with storage_errors(), (self.directory / "metrics.jsonl").open("a") as file:
            file.write(line)

    def keep_metrics(self, keep: Callable[[dict[str, Any]], bool]) -> None:
        """Drop metric lines, for example those written after the checkpoint a run resumes from."""
        lines = "".join(json.dumps(m) + "\n" for m in self.metrics() if keep(m))
        self.write_file("metrics.jsonl", lambda path: path.write_text(lines, encoding="utf-8"))

    def note_input(self, name: str, path: Path) -> None:
        """Record an input file with its SHA-256."""
        about = self.about()
        about["inputs"][name] = {"path": portable(path), "sha256": file_sha256(path)}
        self.write_json("run.json", about)

    def request_stop(self) -> None:
        """Ask the run's process to save its state and end."""
        with storage_errors():
            (self.directory / "stop").touch()

    def delete(self) -> None:
        """Remove the run and all it holds."""
        shutil.rmtree(self.directory, ignore_errors=True)


class Progress:
    """What the process at work tells about itself: state, share done, time left.

    Status files are replaced at most twice a second, however often ``update`` is called.
    """

    def __init__(self, run: Run, *, device: str = "") -> None:
        self.run = run
        process = psutil.Process()
        now = time.time()
        self.status = Status(
            state="running",
            started=now,
            updated=now,
            pid=process.pid,
            pid_created=process.create_time(),
            device=device,
        )
        self._process = process
        self._first = (now, 0.0)
        self._written = 0.0
        self._write()

    def update(self, share: float, message: str = "") -> None:
        """Tell how much is done (0 to 1) and what is being done now."""
        now = time.time()
        if self.status.progress == 0.0 and share > 0:
            self._first = (now, share)  # Start-up time says nothing about the time left.
        since, first = self._first
        pace = (now - since) / (share - first) if share > first else None
        self.status = replace(
            self.status,
            progress=min(max(share, 0.0), 1.0),
            message=message or self.status.message,
            updated=now,
            seconds_left=None if pace is None else max(0.0, (1 - share) * pace),
        )
        if now - self._written > 0.5 or share >= 1:
            self._write()

    def set_device(self, device: str) -> None:
        """Tell which device does the work."""
        self.status = replace(self.status, device=device)
        self._write()

    def set_state(self, state: str, *, message: str = "", error: MimicError | None = None) -> None:
        """Tell of a change of state at once."""
        self.status = replace(
            self.status,
            state=state,
            message=message or self.status.message,
            updated=time.time(),
            progress=1.0 if state == "finished" else self.status.progress,
            seconds_left=None,
            cause=error.cause if error else "",
            remedy=error.remedy if error else "",
        )
        self._write()

    def _write(self) -> None:
        memory = self._process.memory_info().rss / 2**20
        self.status = replace(self.status, memory_mb=max(self.status.memory_mb, memory))
        self.run.write_status(self.status)
        self._written = time.time()


def list_runs(root: Path | None = None, *, kind: str | None = None) -> list[Run]:
    """Readable runs, newest first; bundled runs (made for the demo) come last."""
    found = []
    for folder in (root or default_root(), *sorted(ASSETS.glob("*/runs"))):
        if folder.is_dir():
            runs = [Run(d) for d in folder.iterdir() if (d / "run.json").is_file()]
            readable = [run for run in runs if kind_of(run) and run_created(run) > 0]
            readable.sort(key=run_created, reverse=True)
            found += [run for run in readable if kind in (None, kind_of(run))]
    return found


def find_run(run_id: str, root: Path | None = None) -> Run:
    """Open a run by id: a run of ``root``, a bundled run, or a run directory's path.

    Raises:
        RunError: if there is no such run.
    """
    if RUN_ID.fullmatch(run_id):
        for folder in (root or default_root(), *sorted(ASSETS.glob("*/runs"))):
            if (folder / run_id / "run.json").is_file():
                return Run.open(folder / run_id)
    elif (Path(run_id) / "run.json").is_file():
        return Run.open(Path(run_id))
    raise RunError(
        f"There is no run called '{run_id}'.", "List the runs with: python -m mimic runs"
    )


def kind_of(run: Run) -> str:
    """The run's kind, or nothing where its record is damaged."""
    try:
        return run.kind
    except RunError:
        return ""


def run_created(run: Run) -> float:
    """When the run was made, or 0 where its record is damaged."""
    try:
        return float(run.about()["created"])
    except (RunError, KeyError, TypeError, ValueError):
        return 0.0


def is_bundled(run: Run) -> bool:
    """Whether the run ships with the project and must not be changed."""
    return ASSETS in run.directory.resolve().parents


def process_lives(pid: int, created: float) -> bool:
    """Whether the process with this id, started at this time, still runs."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < 2
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def library_versions() -> dict[str, str]:
    """Versions of the libraries that numbers depend on."""
    versions = {}
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def portable(path: Path) -> str:
    """The path as stored in runs: ``asset:...`` inside ``assets/``, ``~/...`` at home."""
    resolved = path.resolve()
    if ASSETS in resolved.parents:
        return f"asset:{resolved.relative_to(ASSETS).as_posix()}"
    return without_home(str(path))


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


@contextlib.contextmanager
def storage_errors() -> Iterator[None]:
    """Turn operating-system errors on writing into a StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                "The disk is full.", "Free some space, then resume or repeat the run."
            ) from error
        reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise StorageError(
            f"The run directory cannot be written ({reason}).",
            "Choose a folder you may write to with --root or MIMIC_RUNS.",
        ) from error


def python_command(*arguments: str) -> list[str]:
    """A command line that runs this library's CLI with the same interpreter."""
    return [sys.executable, "-m", "mimic", *arguments]
