"""Runs: everything that was ever run here, one run in detail, or several side by side."""

import streamlit as st

from mimic.run import list_runs
from ui import (
    frame,
    jobs,
    run_list,
    runs_actions,
    runs_choice,
    runs_comparison,
    runs_details,
    runs_entry,
    runs_filters,
    runs_table,
    runs_trash,
    subject,
    text,
)  # fmt: skip

frame.head(
    "Runs",
    see="Every job that ran on this machine and those of the demo, which ship with the project, "
    "with their key figures. Tick one run to see all about it; tick two or more to compare them.",
    why="A figure is worth as much as the record behind it: settings, seed, inputs and versions "
    "stay with each run, so that you can repeat it or say why two runs differ.",
)
runs_actions.told()
entries = {run.id: runs_entry.entry(run) for run in list_runs()}
if not entries:
    frame.no_subject()
    runs_actions.way_back()
    runs_trash.show()
    st.stop()

runs_choice.adopt(entries)
runs_choice.tell_missing()
run_list.at_work()
shown = runs_filters.filters(list(entries.values()))
if shown:
    runs_table.table(
        shown,
        runs_choice.chosen(),
        key=runs_choice.table_key([e.run.id for e in shown]),
        on_select=runs_choice.ticked,
    )
else:
    st.caption("No run fits the filters above.")
picked = runs_choice.picker(
    {
        run_id: f"{jobs.KINDS.get(e.kind, '')} · {text.bare(e.subject, 30)} · {jobs.label(e.run)}"
        for run_id, e in entries.items()
    }
)
runs_actions.way_back()
with frame.errors_as_cards():
    if len(picked) == 1:
        one = entries[picked[0]]
        owners = {subject.identity(subject.fields_of(r)): r.id for r in subject.inspected()}
        runs_details.show(one, owners.get(subject.identity(subject.fields_of(one.run))))
    elif picked:
        runs_comparison.show([entries[run_id] for run_id in picked])
runs_trash.show()
