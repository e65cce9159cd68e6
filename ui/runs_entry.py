"""A run with all that the table of runs says of it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from mimic.comparison import key_scores
from mimic.errors import MimicError
from mimic.run import Run, Status, is_bundled, run_created
from ui import jobs, numbers, subject, text

STATES = {state: word for state, (word, *_) in jobs.STATES.items()}


@dataclass(frozen=True)
class Entry:
    """A run with all that the table says of it; ``started`` and ``duration`` in seconds."""

    run: Run
    kind: str
    subject: str
    status: Status
    started: float
    duration: float | None
    seed: int | None
    accuracy: float | None
    asr: float | None
    asr_interval: Sequence[float] | None
    floor_asr: float | None
    note: str

    def cells(self, subject_signs: int, note_signs: int) -> dict[str, Any]:
        """The table row, with the beginning of the encoder's name and of the note."""
        return {
            "kind": jobs.KINDS.get(self.kind, self.kind),
            "subject": text.cell(self.subject, subject_signs),
            "state": STATES.get(self.status.state, "unknown")
            + (" (shipped)" if is_bundled(self.run) else ""),
            "started": here(self.started).replace(tzinfo=None),
            "accuracy": None if self.accuracy is None else 100 * self.accuracy,
            "asr": None if self.asr is None else 100 * self.asr,
            "interval": "" if self.asr_interval is None else numbers.interval(self.asr_interval),
            "floor": None if self.floor_asr is None else 100 * self.floor_asr,
            "duration": None if self.duration is None else max(1, round(self.duration)),
            "seed": self.seed,
            "note": text.cell(self.note, note_signs),
            "run": text.cell(self.run.id),
        }

    def holds(self, words: str) -> bool:
        """Whether the run's name, subject, kind or note holds all the words."""
        said = f"{self.run.id} {self.subject} {jobs.KINDS.get(self.kind, '')} {self.note}".lower()
        return all(word in said for word in words.lower().split())


def entry(run: Run) -> Entry:
    """A run as the table shows it; what is damaged stays empty."""
    status = jobs.state_of(run)
    result = run.directory / "result.json"
    stamp = result.stat().st_mtime if result.is_file() else 0.0
    found = key_figures(str(run.directory), stamp)
    seed = run.about()["config"].get("seed")
    began = run_created(run) or status.started  # As every other place says it.
    lasted = found.get("seconds")
    if lasted is None and status.lasted:
        lasted = status.lasted
    return Entry(
        run=run,
        kind=run.kind,
        subject=subject.title(run),
        status=status,
        started=began,
        duration=lasted,
        seed=seed if isinstance(seed, int) else None,
        accuracy=found.get("accuracy"),
        asr=found.get("asr"),
        asr_interval=found.get("asr_interval"),
        floor_asr=found.get("floor_asr"),
        note=run.note(),
    )


@st.cache_data(max_entries=2_000, show_spinner=False)
def key_figures(directory: str, stamp: float) -> dict[str, Any]:
    """Duration, accuracy and attack success of a run's outcome; read once per outcome."""
    if not stamp:
        return {}
    try:
        result = Run(Path(directory)).result() or {}
    except MimicError:
        return {}
    return {"seconds": result.get("seconds"), **key_scores(result)}


def here(moment: float) -> datetime.datetime:
    """A moment on this machine's clock."""
    return datetime.datetime.fromtimestamp(moment, tz=datetime.UTC).astimezone()
