"""Recent runs with what can be done about each."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mimic.run import (
    Run,
    Status,
    default_root,
    is_bundled,
    kind_of,
    list_runs,
    run_created,
)
from ui import frame, jobs, numbers, subject, text

MOST = 6
CALM = 5.0
"""Seconds between two looks for news, on whatever page a visitor rests."""
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
    owners = owners_of_subjects()

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
    owners = owners_of_subjects()

    def rows() -> None:
        states = [jobs.state_of(run) for run in runs]
        if not all(status.is_active for status in states):
            st.rerun()
        for run, status in zip(runs, states, strict=True):
            row(run, status, owners.get(subject.identity(subject.fields_of(run))))

    st.header("At work", anchor=False)
    st.fragment(rows, run_every=2.0)()


def news(*, waits: bool = False) -> None:
    """One line on the run at work, renewed by itself without the rest of the page.

    Args:
        waits: whether it also looks out for a run that begins later, in another tab or a terminal.
            Only where nothing follows: a line that comes by itself would push that down.
    """
    place = st.container()  # It stands there without a run, too, so that what follows stays.
    if not waits and not working():
        return
    told: list[Run] = []  # The run this line spoke of last: it tells how that one ended.
    owners: dict[Any, str] = {}

    def line() -> None:
        active = working()
        if active and (not told or told[0].id not in {run.id for run in active}):
            told[:] = [next((r for r in active if jobs.state_of(r).state == "running"), active[0])]
            owners.update(owners_of_subjects())
        if not told or not kind_of(told[0]):  # Deleted meanwhile.
            return
        run, others = told[0], len(active) - 1
        more = f" {others} more at work." if others > 0 else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(news_of(run, jobs.state_of(run)) + more, width="content")
            way(run, owners.get(subject.identity(subject.fields_of(run))))

    with place:
        st.fragment(line, run_every=CALM)()


def working() -> list[Run]:
    """The runs at work, newest first; of all others only the status is read."""
    root = default_root()
    folders = root.iterdir() if root.is_dir() else ()
    runs = [Run(folder) for folder in folders if (folder / "status.json").is_file()]
    active = [run for run in runs if jobs.state_of(run).is_active and kind_of(run)]
    return sorted(active, key=run_created, reverse=True)


def news_of(run: Run, status: Status) -> str:
    """What is at work and how far it is, or how it has ended."""
    state, _, icon = jobs.STATES.get(status.state, ("at work", "gray", ":material/help:"))
    told = f"{icon} {jobs.KINDS.get(run.kind, text.plain(run.kind))} of "
    told += f"{text.plain(subject.title(run))}: {state}"
    if not status.is_active:
        return f"{told}."
    left = f", {numbers.left(status.seconds_left)}" if status.seconds_left else ""
    return f"{told}, {numbers.percent(status.progress)}{left}."


def owners_of_subjects() -> dict[Any, str]:
    """The id of an inspection of each subject, by the subject's identity."""
    return {subject.identity(subject.fields_of(r)): r.id for r in subject.inspected()}


def way(run: Run, owner: str | None) -> None:
    """The link to the page that shows a run, if there is one."""
    if run.kind in SHOWN_ON:
        page, key = SHOWN_ON[run.kind]
        frame.link(page, "Open", **{key: run.id, **({"subject": owner} if owner else {})})


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
            left = f" · {numbers.left(status.seconds_left)}" if status.seconds_left else ""
            st.caption(
                f"{numbers.percent(status.progress)}{left}",
                width="content",
            )
        jobs.badge(status)
        way(run, owner)
        jobs.controls(run)
