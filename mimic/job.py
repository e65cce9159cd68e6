"""Jobs: runs executed in a process of their own, so that no page has to stay open for them.

A job does not end with the server that started it: any later server finds it by its run directory,
process id and start time, follows it and can stop it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from dataclasses import fields, replace
from pathlib import Path

import psutil

from mimic import fingerprint, workspace
from mimic.config import Config, resolve_path, without_home
from mimic.errors import RunError, StorageError
from mimic.inspected import bound_inputs, create_run
from mimic.run import RESUMABLE as RESUMABLE
from mimic.run import (
    Run,
    default_root,
    is_bundled,
    library_versions,
    list_runs,
    process_lives,
    python_command,
    require_space,
    storage_errors,
)
from mimic.run.durable import remove_unfinished
from mimic.run.unchanged import require_unchanged
from mimic.subjects import recommended_distillation

STOP_GRACE_SECONDS = 10.0
CODE_ROOT = Path(__file__).resolve().parent.parent
REPEATABLE = ("embed",)
"""Verbs whose finished run answers the same question again: seeded, and slow to warm up."""


def start(kind: str, config: Config, *, root: Path | None = None) -> Run:
    """Create a run and start a process that executes it; returns at once.

    A repeatable verb that has been run before with the same settings, files and library versions
    gives back that finished run instead.

    Raises:
        RunError: if the encoder's file has changed since its inspection.
        StorageError: if the runs folder is full or cannot be written.
    """
    folder = (root or default_root()).resolve()
    known = repeat_of(kind, config, root=folder)
    if known is not None:
        return known
    return begin(kind, config, folder)


def rerun(run: Run, *, seed: int | None = None, root: Path | None = None) -> Run:
    """Start a new run with the settings of another, by default with its seed too.

    Args:
        run: the run whose settings are taken.
        seed: another seed.
        root: folder of runs.

    Raises:
        MimicError: if its settings can no longer be read, or the new run cannot be written.
    """
    return begin(run.kind, rerun_config(run, seed), (root or default_root()).resolve())


def rerun_config(run: Run, seed: int | None = None) -> Config:
    """The settings of a run to be made anew, with another seed if one is given."""
    config = run.config()
    return config if seed is None else replace(config, seed=seed)


def begin(kind: str, config: Config, folder: Path) -> Run:
    """Create a run in a folder that has room for it, and start its process."""
    require_space(folder)
    workspace.preflight(folder)
    run = create_run(kind, config, folder)
    spawn(run)
    return run


def repeat_of(kind: str, config: Config, *, root: Path) -> Run | None:
    """A finished run that a repetition would reproduce, or None.

    Raises:
        RunError: if the encoder's file has changed since its inspection.
    """
    data = {getattr(config, "data", ""), getattr(config, "downstream", "")}
    if kind not in REPEATABLE or data - {"", "digits"}:  # Other images may have changed on disk.
        return None
    settings, versions = config.to_json(), library_versions()
    for run in list_runs(root, kind=kind):
        about = run.about()
        same = about["config"] == settings and about["versions"].items() >= versions.items()
        if same and run.status().state == "finished" and inputs_unchanged(about["inputs"]):
            bound_inputs(kind, config, root)
            return run
    return None


def inputs_unchanged(inputs: dict[str, dict[str, str]]) -> bool:
    """Whether every input file still has the recorded SHA-256."""
    files = [(resolve_path(i["path"]), i["sha256"]) for i in inputs.values() if "path" in i]
    return all(fingerprint.of_file(path) == known for path, known in files)


def resume(run: Run) -> Run:
    """Start a process that continues a stopped, interrupted or failed run.

    Raises:
        RunError: see ``prepare_resume``.
    """
    prepare_resume(run)
    spawn(run)
    return run


def prepare_resume(run: Run) -> None:
    """Make a run ready to be executed once more.

    Raises:
        RunError: if the run is finished, at work, bundled, or no longer the run that began.
        StorageError: if the disk is nearly full.
    """
    if is_bundled(run):
        raise RunError("This run ships with the project.", "Start a new run instead.")
    if run.status().is_active:
        raise RunError(f"Run {run.id} is at work already.", "Wait for it or stop it first.")
    if run.status().state == "finished":
        raise RunError(f"Run {run.id} is finished.", "Start a new run instead.")
    require_unchanged(run)
    require_space(run.directory)
    with storage_errors():
        for name in ("stop", "process.json"):
            (run.directory / name).unlink(missing_ok=True)
        remove_unfinished(run.directory)
    now = time.time()
    ended = run.status()
    run.write_status(
        replace(
            ended, state="starting", cause="", remedy="", pid=0, beat=0.0, updated=now, started=0.0,
            worked=ended.lasted if run.kind in RESUMABLE else 0.0,
        )
    )  # fmt: skip


def spawn(run: Run) -> None:
    """Execute a run directory in a new process, in a session of its own."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    paths = [str(CODE_ROOT), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(p for p in paths if p)
    with storage_errors(), (run.directory / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            python_command("execute", str(run.directory.resolve())),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
        )
    CHILDREN.append(process)
    reap()
    # In a file of its own: the new process may be writing its status at this moment.
    with contextlib.suppress(psutil.Error, StorageError):
        created = psutil.Process(process.pid).create_time()
        run.write_json("process.json", {"pid": process.pid, "pid_created": created})


CHILDREN: list[subprocess.Popen[bytes]] = []
"""Processes started here, kept so that finished ones are reaped instead of staying zombies."""


def reap() -> None:
    """Collect finished child processes."""
    CHILDREN[:] = [child for child in CHILDREN if child.poll() is None]


def stop(run: Run, *, wait: bool = False) -> None:
    """Ask a run to save its state and end; with ``wait``, end it by force after a grace period."""
    if is_bundled(run) or not run.status().is_active:
        return
    run.request_stop()
    if not wait:
        return
    status = run.status()
    deadline = time.monotonic() + STOP_GRACE_SECONDS
    while time.monotonic() < deadline and process_lives(status.pid, status.pid_created):
        time.sleep(0.1)
    if process_lives(status.pid, status.pid_created):
        with contextlib.suppress(ProcessLookupError):
            os.kill(status.pid, signal.SIGKILL)
    reap()


def command_line(kind: str, config: Config) -> str:
    """The command that repeats this job in a terminal: only settings that differ from defaults."""
    words = ["python", "-m", "mimic", kind]
    suited = recommended_distillation(getattr(config, "subject", ""), kind)
    for field in fields(config):
        value = getattr(config, field.name)
        if value == suited.get(field.name, field.default):
            continue
        words.append("--" + field.name.replace("_", "-"))
        if isinstance(value, tuple):
            words += [str(v) for v in value]
        elif not isinstance(value, bool):
            words.append(str(value))
    return shlex.join([without_home(word) for word in words])
