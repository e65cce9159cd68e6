"""Following a job: a fragment that reads its run directory each second while it works."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mimic.errors import MimicError
from mimic.job import RESUMABLE
from mimic.run import Run, Status, find_run
from ui import frame, jobs, mode, numbers, text, uploads

INTERVAL = 1.0
Draw = Callable[[Run, Status], None]


def follow(
    run: Run,
    draw: Draw | None = None,
    *,
    done: Callable[[Run], None] | None = None,
    watch: Callable[[Run], object] | None = None,
) -> None:
    """Show a run's state, and with ``draw`` its charts, until it ends.

    Args:
        run: the run.
        draw: draws what the run has written so far.
        done: called once when the run has just finished, before the page reruns.
        watch: the page reruns when this value changes, for parts outside the fragment.
    """
    active = jobs.state_of(run).is_active
    seen = watch(run) if watch else None

    def view() -> None:
        with frame.errors_as_cards():
            status = jobs.state_of(run)
            state_line(run, status)
            if draw:
                draw(run, status)
            if active and not status.is_active:
                if done and status.state == "finished":
                    done(run)
                st.rerun()
            if active and watch and watch(run) != seen:
                st.rerun()

    st.fragment(view, run_every=INTERVAL if active else None)()


def state_line(run: Run, status: Status) -> None:
    """State, progress, time left, device, memory; a failure's cause and remedy as a card."""
    if status.state == "failed":
        cause, remedy = status.cause or "The run failed.", status.remedy or "Start it again."
        frame.error_card(uploads.as_given(cause), uploads.as_given(remedy))
    elif status.state == "interrupted":
        frame.error_card(
            status.cause or "The run's process ended before its work was done.",
            status.remedy or ("Resume it." if run.kind in RESUMABLE else "Start it again."),
        )
    if status.is_active and not status.is_responding:
        frame.error_card(
            "The run is not responding: its process lives but gives no sign of life.",
            "Wait if the machine is busy or was asleep; otherwise stop the run and resume it.",
        )
    elif status.is_active:
        left = "" if status.seconds_left is None else f" · {numbers.left(status.seconds_left)}"
        st.progress(min(max(status.progress, 0.0), 1.0), text=f"{work(status)}{left}")
    with st.container(horizontal=True, vertical_alignment="center"):
        jobs.badge(status)
        st.caption(" · ".join(facts(run, status)))


def alt(shown: str, told: str, status: Status) -> str:
    """What a live chart says to a screen reader.

    A new description makes the browser draw the whole chart anew, which flickers and loses what the
    pointer was on. So the takeaway joins it when the run has ended; until then it stands below.

    Args:
        shown: what the chart shows; stays the same.
        told: the takeaway, which changes with the data.
        status: the run's.
    """
    return f"{shown} {'Its newest values are told below it.' if status.is_active else told}"


IN_SIMPLE = {
    "distilling": "cleaning",
    "teacher, student and clean twin": "suspect, cleaned encoder and the one never attacked",
}
"""What a run says of its work, in the words of the Simple view."""


def work(status: Status) -> str:
    """What the run is doing, in its own words or ours."""
    if status.state == "starting":
        return "Starting; loading the libraries takes a few seconds"
    if status.state == "queued":
        place = f", at place {status.place} of the queue" if status.place else ""
        return f"Waiting: another run is using the device{place}"
    if status.state == "stopping":
        return "Stopping after the current step"
    told = status.message
    for theirs, ours in () if mode.is_expert() else IN_SIMPLE.items():
        told = told.replace(theirs, ours)
    return text.plain(told) or "Getting ready"


def facts(run: Run, status: Status) -> list[str]:
    """Progress and, for experts, device, memory and the run's id, as far as known."""
    # How far a job came that has to begin anew is of no use to anyone.
    counts = status.is_active or (status.state != "finished" and run.kind in RESUMABLE)
    known = [f"{numbers.percent(status.progress)} done"] if counts else []
    if not mode.is_expert():
        return known
    if status.device:
        known.append(f"device {text.plain(status.device)}")
    if status.memory_mb:
        known.append(f"{numbers.size(status.memory_mb * 2**20)} memory at most")
    return [*known, f"run {text.plain(run.id)}"]


def pending(key: str) -> Run | None:
    """The run a page started and remembers under ``key``, unless it is gone."""
    run_id = st.session_state.get(key)
    if not run_id:
        return None
    try:
        return find_run(run_id)
    except MimicError:
        st.session_state.pop(key, None)
        return None
