"""Suspect encoder: choose one, inspect it, see what it is."""

import streamlit as st

from mimic.run import list_runs
from ui import (
    address,
    class_balance,
    file_match,
    frame,
    inputs,
    inspection,
    jobs,
    live,
    subject,
    text,
)  # fmt: skip

RUN = "inspect_run"

frame.head(
    "Suspect encoder",
    see="What kind of encoder a file holds, whether it works, and how it answers with and without "
    "a trigger.",
    why="Before anything is repaired you should know what you have: a file can be a different "
    "network than its name says, or broken, or perfectly fine.",
)
chosen = subject.current()
address.adopt(RUN, [run.id for run in list_runs(kind="inspect")])
started = live.pending(RUN)

with jobs.form("Inspect an encoder", "inspect", icon=":material/add:", opened=chosen is None):
    config = inputs.suspect()
    if config:
        jobs.start_button("Inspect", "inspect", config, RUN, icon=":material/search:")

if started and not subject.has_result(started):
    st.header("Inspection", anchor=False)
    jobs.controls(started)
    live.follow(started, file_match.refused, done=subject.choose_next)
elif chosen is None:
    frame.empty("Nothing has been inspected yet.", "Choose an encoder above and press Inspect.")

if chosen:
    st.header(text.plain(chosen.title), anchor=False)
    with frame.errors_as_cards():
        inspection.show(chosen)
        class_balance.show(chosen.result)
    with st.container(horizontal=True):
        frame.link("layers", "Next: measure its layers")
        frame.link("distil", "Or clean it right away")
