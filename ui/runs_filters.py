"""What narrows the table of runs down: words, kind, state, encoder."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ui import jobs, text
from ui.runs_entry import STATES, Entry


def filters(entries: Sequence[Entry]) -> list[Entry]:
    """Widgets that narrow the table down, and what they leave."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search",
            key="runs_search",
            placeholder="name, note, encoder",
            bind="query-params",
            persist_state="session",
            width=170,
        )
        kinds = st.multiselect(
            "Kind",
            list(jobs.KINDS),
            format_func=lambda kind: jobs.KINDS[kind],
            placeholder="all",
            key="runs_kind",
            bind="query-params",
            persist_state="session",
            width=170,
        )
        states = st.multiselect(
            "State",
            list(STATES),
            format_func=lambda state: STATES[state],
            placeholder="all",
            key="runs_state",
            bind="query-params",
            persist_state="session",
            width=170,
        )
        titles = subjects(sorted({e.subject for e in entries}))  # fmt: skip
    return [
        e
        for e in entries
        if (not kinds or e.kind in kinds)
        and (not states or e.status.state in states)
        and (not titles or e.subject in titles)
        and e.holds(words or "")
    ]


def subjects(titles: list[str]) -> list[str]:
    """Encoders to show; none means all. One whose runs are gone is dropped."""
    kept = [title for title in st.session_state.get("runs_subject") or [] if title in titles]
    if "runs_subject" in st.session_state:
        st.session_state["runs_subject"] = kept
    return st.multiselect(
        "Encoder", titles, key="runs_subject", persist_state="session", placeholder="all",
        width=170, format_func=lambda title: text.bare(title, 60),
    )  # fmt: skip
