"""The table of all runs: what each was, how it went, its key figures; filters above it."""

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
SUBJECT_WIDTH, SUBJECT_SIGNS = 140, 19
NOTE_ROOMS = {"alone": (195, 27), "beside encoders": (120, 18)}
"""Pixels, and signs that fit into them: all columns have room on a page 1280 pixels wide."""
COLUMNS = {
    "kind": st.column_config.TextColumn("Kind"),
    "accuracy": st.column_config.NumberColumn(
        "Accuracy", format="%.1f%%", width=78,
        help="Share of clean test images that a simple classifier on the encoder gets right: of "
        "the cleaned encoder where there is one, else of the suspect.",
    ),
    "asr": st.column_config.NumberColumn(
        "ASR", format="%.1f%%", width=66,
        help="Attack success rate (ASR): share of triggered test images of other classes that end "
        "in the attacker's class.",
    ),
    "interval": st.column_config.TextColumn(
        "ASR 95%", width=92,
        help="The 95% interval of the ASR: the range in which the true share lies in 19 of 20 such "
        "measurements.",
    ),
    "floor": st.column_config.NumberColumn(
        "Floor", format="%.1f%%", width=60,
        help="ASR of the clean twin, an encoder never attacked.",
    ),
    "state": st.column_config.TextColumn("State"),
    "started": st.column_config.DatetimeColumn("Started", format="D MMM YYYY, HH:mm"),
    "duration": st.column_config.NumberColumn("Duration", format="%d s", width=72),
    "seed": st.column_config.NumberColumn(
        "Seed", format="%d", width=64,
        help="Start of every random choice: the same seed, the same run.",
    ),
    "subject": st.column_config.TextColumn("Encoder", width=SUBJECT_WIDTH),
    "note": st.column_config.TextColumn("Note"),
    "run": st.column_config.TextColumn("Run"),
}  # fmt: skip
"""In the order in which they are shown: on a narrow screen the first ones are in sight."""
THIS_YEAR = st.column_config.DatetimeColumn("Started", format="D MMM, HH:mm")


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

    def cells(self, note_signs: int) -> dict[str, Any]:
        """The table row, with the note's beginning."""
        return {
            "kind": jobs.KINDS.get(self.kind, self.kind),
            "subject": text.cell(self.subject, SUBJECT_SIGNS),
            "state": STATES.get(self.status.state, "unknown"),
            "started": here(self.started).replace(tzinfo=None),
            "accuracy": None if self.accuracy is None else 100 * self.accuracy,
            "asr": None if self.asr is None else 100 * self.asr,
            "interval": "" if self.asr_interval is None else numbers.interval(self.asr_interval),
            "floor": None if self.floor_asr is None else 100 * self.floor_asr,
            "duration": None if self.duration is None else round(self.duration),
            "seed": self.seed,
            "note": text.cell(self.note, note_signs),
            "run": text.cell(self.run.id) + (" (ships)" if is_bundled(self.run) else ""),
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


def columns(entries: Sequence[Entry]) -> list[str]:
    """Which columns tell something here: what is the same or empty in all rows takes no room.

    The names of runs repeat kind and time, so they stand only where encoder and note leave their
    place. A ticked run shows all of it, and the table's own menu brings every column back.
    """
    left_out: set[str] = set()
    if not any(e.asr_interval for e in entries):
        left_out.add("interval")
    if not any(e.floor_asr is not None for e in entries):
        left_out.add("floor")
    if len({e.subject for e in entries}) < 2:
        left_out.add("subject")
    if not any(e.note for e in entries):
        left_out.add("note")
    words = {"subject", "note"} - left_out
    if words:
        left_out.add("run")
    if len(words) == 2:  # Both need room; the least telling columns make it.
        left_out.add("duration")
        if len({e.status.state for e in entries}) < 2:
            left_out.add("state")
    return [name for name in COLUMNS if name not in left_out]


def here(moment: float) -> datetime.datetime:
    """A moment on this machine's clock."""
    return datetime.datetime.fromtimestamp(moment, tz=datetime.UTC).astimezone()


def looks(entries: Sequence[Entry], note_width: int) -> dict[str, Any]:
    """How the columns are written: times with the year only where it tells them apart."""
    note = st.column_config.TextColumn(
        "Note", width=note_width, help="Its beginning; tick the run to read all."
    )
    years = {here(e.started).year for e in entries}
    return COLUMNS | {"note": note} | ({"started": THIS_YEAR} if len(years) < 2 else {})


def table(entries: Sequence[Entry], chosen: Sequence[str], *, key: str, on_select: Any) -> None:
    """The runs as rows that can be ticked, with the mouse or with arrow keys and space.

    Args:
        entries: the rows.
        chosen: ids of the runs that are ticked at first.
        key: of the widget; another key ticks anew.
        on_select: called when a tick changes, with the widget's key and the rows' ids.
    """
    ids = [e.run.id for e in entries]
    shown = columns(entries)
    width, signs = NOTE_ROOMS["beside encoders" if "subject" in shown else "alone"]
    st.dataframe(
        [e.cells(signs) for e in entries],
        hide_index=True,
        column_config=looks(entries, width),
        column_order=shown,
        height=min(35 * (len(ids) + 1) + 3, 423),
        key=key,
        on_select=lambda: on_select(key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(i) for i in chosen if i in ids]}},
        placeholder="",
        alt=f"{len(ids)} runs, one per row.",
    )
