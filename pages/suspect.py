"""Suspect encoder: choose one, inspect it, see what it is."""

import streamlit as st

from mimic.run import list_runs
from ui import (
    address,
    class_balance,
    frame,
    inspection,
    jobs,
    live,
    missing_run,
    onward,
    subject,
    text,
    verdict,
    way_in,
)

frame.head(
    "Suspect encoder",
    see="What kind of encoder a file holds, whether it works, and how it answers with and without "
    "a trigger.",
    why="Before anything is repaired you should know what you have: a file can be a different "
    "network than its name says, or broken, or perfectly fine.",
)
chosen = subject.current()
inspections = [run.id for run in list_runs(kind="inspect")]
missing_run.adopt(way_in.RUN, inspections)
missing_run.tell(way_in.RUN, inspections, what="an inspection")
attempt = way_in.attempt(live.pending(way_in.RUN), chosen)
address.keep(way_in.RUN, attempt.id if attempt else None)
way_in.show(chosen, failed=attempt is not None and not jobs.state_of(attempt).is_active)

if attempt:
    with way_in.earlier(chosen, attempt):
        way_in.follow(attempt, chosen)
elif chosen is None:
    frame.empty("Nothing has been inspected yet.", "Choose an encoder above and press Inspect.")
else:
    with way_in.earlier(chosen, None):
        st.header(text.plain(chosen.title), anchor=False)
        if chosen.is_example:
            st.caption("An example that ships with the project: this is what an inspection tells.")
        way_in.offer_trigger(chosen)
        with frame.errors_as_cards():
            inspection.show(chosen)
            class_balance.show(chosen.result, chosen.run.id)
        onward.after_inspection(verdict.on_suspect(chosen).level)
