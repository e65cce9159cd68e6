"""Distil: train a fresh encoder on a few clean images and watch loss and attack success live."""

import streamlit as st

from mimic import job
from ui import distillation, frame, jobs, live, subject, training_inputs

frame.head(
    "Distil",
    see="A fresh student encoder being trained, with every loss term and, at intervals, its "
    "accuracy and how often the trigger still works.",
    why="The student never sees the trigger. If attack success stays near the floor while accuracy "
    "climbs, the knowledge came over and the backdoor did not; if it rises, stop and choose "
    "gentler weights.",
)
chosen = subject.current()
if chosen is None:
    frame.no_subject()
    st.stop()

runs = {run.id: run for run in chosen.runs("distill")}
with st.expander("New distillation", icon=":material/science:", expanded=not runs):
    with frame.errors_as_cards():
        config = training_inputs.distillation(chosen)
        st.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            on_click=jobs.start,
            args=("distill", config, "run"),
        )
        st.caption("The same in a terminal:")
        st.code(job.command_line("distill", config), language="bash", wrap_lines=True)

if not runs:
    frame.empty("This encoder has not been cleaned yet.", "Press Start above.")
    st.stop()

if st.session_state.get("run") not in (None, *runs):
    del st.session_state["run"]
with st.container(horizontal=True, vertical_alignment="bottom"):
    picked = st.selectbox(
        "Run",
        list(runs),
        index=None,
        placeholder=f"newest: {jobs.label(next(iter(runs.values())))}",
        format_func=lambda run_id: jobs.label(runs[run_id]) if run_id in runs else run_id,
        key="run",
        bind="query-params",
    )
    run = runs.get(picked or "", next(iter(runs.values())))
    jobs.controls(run)
live.follow(run, distillation.Drawing(chosen))

result = run.result()
if result:
    with frame.errors_as_cards():
        distillation.show(result)
    frame.link("embeddings", "See the embeddings before and after")
