"""The table of all runs: its columns, and what each view calls them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui import mode
from ui.runs_entry import Entry, here

SUBJECT_SIGNS = {mode.EXPERT: 19, mode.SIMPLE: 32}
"""Of an encoder's name; Simple shows fewer columns, so that more of it fits."""
SUBJECT_WIDTH = {mode.EXPERT: 140, mode.SIMPLE: 230}
NOTE_ROOMS = {"alone": (195, 27), "beside encoders": (120, 18)}
"""Pixels, and signs that fit into them: all columns have room on a page 1280 pixels wide."""
COLUMNS = {
    "kind": st.column_config.TextColumn(
        "Kind",
        help="Inspection: what a file is. Layer measurement: what its layers tell. Look into the "
        "layers: where they look. Cleaning: the training of a cleaned encoder. Embedding: a map of "
        "images. Trigger at other places: how often it works there; the guided story makes one "
        "after each cleaning. Evaluation: the scores again, by several kinds of classifier. "
        "Sweep: many short cleanings with other settings, to compare.",
    ),
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
    "state": st.column_config.TextColumn(
        "State", help="Shipped: a run of the demo, made on another machine."
    ),
    "started": st.column_config.DatetimeColumn("Started", format="D MMM YYYY, HH:mm"),
    "duration": st.column_config.NumberColumn("Duration", format="%d s", width=72,
        help="Of runs that ship with the project: on the machine that made them.",
    ),
    "seed": st.column_config.NumberColumn(
        "Seed", format="%d", width=64,
        help="Start of every random choice: the same seed, the same run.",
    ),
    "subject": st.column_config.TextColumn("Encoder", width=140),
    "note": st.column_config.TextColumn("Note"),
    "run": st.column_config.TextColumn("Run"),
}  # fmt: skip
"""In the order in which they are shown: on a narrow screen the first ones are in sight."""
THIS_YEAR = st.column_config.DatetimeColumn("Started", format="D MMM, HH:mm")
IN_SIMPLE: dict[str, Any] = {
    "asr": st.column_config.NumberColumn(
        "Attack success", format="%.1f%%", width=105,
        help="Share of triggered test images of other classes that get the attacker's answer.",
    ),
    "floor": st.column_config.NumberColumn(
        "On clean twin", format="%.1f%%", width=105,
        help="The same for the clean twin, an encoder never attacked.",
    ),
}  # fmt: skip
"""What Simple calls by a plainer name."""
FOR_EXPERTS = ("interval", "seed", "run")
"""Columns that only Expert shows; a ticked run shows them in both views."""


def columns(entries: Sequence[Entry]) -> list[str]:
    """Which columns tell something here: what is the same or empty in all rows takes no room.

    The names of runs repeat kind and time, so they stand only where encoder and note leave their
    place. A ticked run shows all of it, and the table's own menu brings every column back.
    """
    left_out = set() if mode.is_expert() else set(FOR_EXPERTS)
    if not any(e.asr_interval for e in entries):
        left_out.add("interval")
    if not any(e.floor_asr is not None for e in entries):
        left_out.add("floor")
    if len({e.subject for e in entries}) < 2:
        left_out.add("subject")
    if not any(e.note for e in entries):
        left_out.add("note")
    words = {"subject", "note"} - left_out
    if words and not mode.is_expert():  # Names have to fit a page 1280 pixels wide.
        left_out |= {"floor", "duration"}
    if words:
        left_out.add("run")
    if len(words) == 2:  # Both need room; the least telling columns make it.
        left_out.add("duration")
        if len({e.status.state for e in entries}) < 2:
            left_out.add("state")
    return [name for name in COLUMNS if name not in left_out]


def view() -> str:
    """Which view it is."""
    return mode.EXPERT if mode.is_expert() else mode.SIMPLE


def looks(entries: Sequence[Entry], note_width: int) -> dict[str, Any]:
    """How the columns are written: times with the year only where it tells them apart."""
    note = st.column_config.TextColumn(
        "Note", width=note_width, help="Its beginning; tick the run to read all."
    )
    encoder = st.column_config.TextColumn("Encoder", width=SUBJECT_WIDTH[view()])
    words = {} if mode.is_expert() else IN_SIMPLE
    years = {here(e.started).year for e in entries}
    started = {"started": THIS_YEAR} if len(years) < 2 else {}
    return COLUMNS | words | {"note": note, "subject": encoder} | started


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
        [e.cells(SUBJECT_SIGNS[view()], signs) for e in entries],
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
