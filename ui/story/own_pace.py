"""How long a job of the story takes here: as long as the last one like it took on this machine."""

from __future__ import annotations

import dataclasses

from mimic.config import Config
from mimic.errors import MimicError
from mimic.run import Run, is_bundled
from ui import jobs, run_list
from ui.subject import Subject, has_result

FREE = ("seed", "information", "student", "device", "precision", "data_root", "download")
"""Settings that say little about how long it takes."""


def last(subject: Subject, kind: str, config: Config) -> float | None:
    """Seconds the newest finished job with such settings took on this machine, if there is one."""
    for run in subject.runs(kind):
        if not is_bundled(run) and has_result(run) and alike(run, config):
            return (run.result() or {}).get("seconds") or jobs.state_of(run).lasted or None
    return None


def alike(run: Run, config: Config) -> bool:
    """Whether a run was made with settings like these."""
    try:
        made = run.config()
    except MimicError:
        return False
    names = [f.name for f in dataclasses.fields(config) if f.name not in FREE]
    return type(made) is type(config) and all(
        getattr(made, name) == getattr(config, name) for name in names
    )


def about(subject: Subject, kind: str, config: Config, otherwise: str) -> str:
    """How long a job takes, in words that go on a sentence.

    Args:
        subject: whose job.
        kind: of the job.
        config: its settings.
        otherwise: seconds on a laptop, in words, told while none has run here.
    """
    measured = last(subject, kind, config)
    if measured is None:
        return f"about {otherwise} seconds"
    return f"about {max(1, round(measured))} seconds, as the last one on this machine took"


def crowded() -> str:
    """A sentence while another job is at work, which slows this one; empty otherwise."""
    busy = len(run_list.working())
    if not busy:
        return ""
    jobs_now = "Another job is" if busy == 1 else f"{busy} other jobs are"
    return f" {jobs_now} at work on this machine right now: it takes longer until that is done."
