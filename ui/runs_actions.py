"""What the Runs page does to a run, each as a callback; a refusal becomes a card."""

from __future__ import annotations

import secrets

import streamlit as st

from mimic import job
from mimic.errors import MimicError
from mimic.run import (
    Run,
    default_root,
    discard,
    empty_trash,
    restore,
    run_created,
    write_note,
)
from ui import frame, jobs, numbers, runs_choice, subject, text

DELETED = "runs_deleted"
DONE = "runs_done"


def begin() -> None:
    """A new action: the way back from an earlier deletion is the trash from now on."""
    st.session_state.pop(DELETED, None)
    st.session_state.pop(DONE, None)


def note(run: Run, key: str) -> None:
    """Keep what was typed as the run's note."""
    begin()
    try:
        write_note(run, st.session_state[key] or "")
        st.session_state[DONE] = "Note saved."
    except MimicError as error:
        frame.remember_error(error)


def rerun(run: Run, *, new_seed: bool) -> None:
    """Start a run with the same settings, and show it."""
    begin()
    try:
        started = job.rerun(run, seed=secrets.randbelow(2**31) if new_seed else None)
    except MimicError as error:
        frame.remember_error(error)
        return
    runs_choice.choose([started.id])
    st.session_state[DONE] = f"Started again: {called(run)}."


def delete(run: Run) -> None:
    """Move a run to the trash."""
    begin()
    name = called(run)
    try:
        discard(run)
    except MimicError as error:
        frame.remember_error(error)
        return
    st.session_state[DELETED] = (run.id, name)
    st.session_state[DONE] = f"{name}, is in the trash."


def bring_back(run_id: str) -> None:
    """Move a run out of the trash, and show it."""
    begin()
    try:
        restore(run_id, default_root())
    except MimicError as error:
        frame.remember_error(error)
        return
    runs_choice.choose([run_id])


def empty() -> None:
    """Remove the runs in the trash for good."""
    begin()
    try:
        gone = empty_trash(default_root())
    except MimicError as error:
        frame.remember_error(error)
        return
    st.session_state[DONE] = f"Removed {len(gone)} runs for good."


def called(run: Run) -> str:
    """A run in a sentence, as its owner knows it."""
    kind = jobs.KINDS.get(run.kind, text.plain(run.kind))
    begun = numbers.moment(run_created(run))
    return f"{kind} of {text.plain(subject.title(run))}, begun {begun}"


def told() -> None:
    """What the last action did, in sight wherever the page is scrolled to."""
    done = st.session_state.pop(DONE, None)
    if done:
        st.toast(done, icon=":material/check:")


def way_back() -> None:
    """At the place of a deleted run: the way back, until the next action."""
    deleted = st.session_state.get(DELETED)
    if not deleted:
        return
    run_id, name = deleted
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"{name}, is in the trash.", width="stretch")
        st.button(
            "Undo", icon=":material/undo:", key="runs-undo", on_click=bring_back, args=(run_id,)
        )
