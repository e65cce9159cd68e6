"""Distil: train a fresh encoder on a few clean images and watch loss and attack success live."""

import streamlit as st

from ui import (
    cleaning_words,
    distillation,
    downloads,
    frame,
    jobs,
    live,
    mode,
    other_probes,
    report_button,
    same_file,
    subject,
    training_inputs,
)

frame.head(
    "Distil",
    see=(
        "The cleaned encoder being trained"
        if mode.is_expert()
        else "Cleaning, which experts call distillation: a new encoder being trained"
    )
    + (
        ", with every loss term and, at intervals, its "
        if mode.is_expert()
        else ": at intervals its "
    )
    + "accuracy and how often the trigger still works.",
    why="It begins from random numbers and never sees the trigger. If attack success stays near "
    "the clean twin's while accuracy climbs, the knowledge came over and the backdoor did not; if "
    "it rises, stop and "
    + (
        "choose gentler weights, fewer epochs or no clone loss."
        if mode.is_expert()
        else "clean with fewer rounds."
    ),
)
chosen = subject.current()
if chosen is None:
    frame.no_subject()
    st.stop()

runs = {run.id: run for run in chosen.runs("distill")}
same_file.told(chosen)
cleaning_words.before_cleaning(chosen)
with jobs.form("Clean this encoder", "distill", opened=not runs):
    config = training_inputs.distillation(chosen)
    jobs.start_button("Start", "distill", config, distillation.RUN, icon=":material/play_arrow:")

if not runs:
    frame.empty("This encoder has not been cleaned yet.", "Press Start above.")
    st.stop()

run = distillation.choose(runs)
live.follow(run, distillation.Drawing(chosen, run.id))
with frame.errors_as_cards():
    result = run.result()
    if result:
        frame.warnings(result)
        distillation.show(chosen, run, result)
        other_probes.section(chosen, run)
        downloads.student(run, result)
        with st.container(horizontal=True, vertical_alignment="center"):
            frame.link("embeddings", "See the embeddings before and after", student=run.id)
            distillation.compare_link(runs, run)
            report_button.offer(run)
