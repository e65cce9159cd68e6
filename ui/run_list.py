"""Recent runs with what can be done about each."""

from __future__ import annotations

import streamlit as st

from mimic.run import Run, Status, is_bundled, list_runs, run_created
from ui import frame, jobs, numbers, subject, text

MOST = 6
SHOWN_ON = {
    "inspect": ("suspect", "inspect_run"),
    "information": ("layers", "information_run"),
    "distill": ("distil", "run"),
    "sweep": ("layers", "sweep_run"),
    "embed": ("embeddings", "embed_run"),
    "placement": ("overview", "placement_run"),
    "attention": ("layers", "attention_run"),
}
"""The page that shows a kind of run, and the key under which it looks for the run's id."""


def open_demo() -> None:
    """One button that brings the demo back while another subject is chosen."""
    options = [run.id for run in subject.inspected()]
    if subject.DEMO in options and st.session_state.get("subject") != subject.DEMO:
        st.button("Open the demo", icon=":material/play_arrow:", type="primary", on_click=to_demo)


def to_demo() -> None:
    """Choose the demo's subject."""
    st.session_state["subject"] = subject.DEMO


def recent() -> None:
    """The newest runs of this machine, refreshed while one of them is at work."""
    runs = [run for run in list_runs() if not is_bundled(run)][:MOST]
    if not runs:
        st.caption("No job has run yet on this machine. The demo's results ship with the project.")
        return
    active = any(jobs.state_of(run).is_active for run in runs)
    owners = {subject.identity(subject.fields_of(r)): r.id for r in subject.inspected()}

    def rows() -> None:
        states = [jobs.state_of(run) for run in runs]
        for run, status in zip(runs, states, strict=True):
            row(run, status, owners.get(subject.identity(subject.fields_of(run))))
        if active and not any(status.is_active for status in states):
            st.rerun()

    st.fragment(rows, run_every=2.0 if active else None)()


def at_work() -> None:
    """The runs at work, refreshed until one of them ends."""
    runs = [run for run in list_runs() if jobs.state_of(run).is_active]
    if not runs:
        return
    owners = {subject.identity(subject.fields_of(r)): r.id for r in subject.inspected()}

    def rows() -> None:
        states = [jobs.state_of(run) for run in runs]
        if not all(status.is_active for status in states):
            st.rerun()
        for run, status in zip(runs, states, strict=True):
            row(run, status, owners.get(subject.identity(subject.fields_of(run))))

    st.header("At work", anchor=False)
    st.fragment(rows, run_every=2.0)()


def row(run: Run, status: Status, owner: str | None) -> None:
    """One run: what, when, how far, and what can be done about it.

    Args:
        run: the run.
        status: its state.
        owner: id of an inspection of the same subject, if there is one.
    """
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        kind = jobs.KINDS.get(run.kind, text.plain(run.kind))
        st.markdown(
            f"**{kind}** of {text.plain(subject.title(run))} · {numbers.ago(run_created(run))}",
            width="stretch",
        )
        if status.is_active:
            left = numbers.duration(status.seconds_left) if status.seconds_left else ""
            st.caption(
                f"{numbers.percent(status.progress)}{' · ' + left + ' left' if left else ''}",
                width="content",
            )
        jobs.badge(status)
        if run.kind in SHOWN_ON:
            page, key = SHOWN_ON[run.kind]
            address = {key: run.id, **({"subject": owner} if owner else {})}
            frame.link(page, "Open", **address)
        jobs.controls(run)
