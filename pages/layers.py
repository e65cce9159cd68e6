"""Layers: how much each tells about the suspect's answer, and how much to teach from each layer."""

import streamlit as st

from ui import (
    address,
    frame,
    jobs,
    layer_form,
    layer_view,
    live,
    measurement,
    measurement_inputs,
    missing_run,
    mode,
    same_file,
    subject,
    sweeps,
    weights,
)

RUN = "information_run"

frame.head(
    "Layers",
    see="How much each layer of the suspect tells about what it finally answers, on clean images "
    "and with the trigger on; and where in the picture each layer looks.",
    why="Layers from which the answer is easily read on clean images are worth copying from. If "
    "the curve falls when the trigger is on, the answer depends less on the picture. At which "
    "layer that comes about, the curve does not tell.",
)
chosen = subject.current()
if chosen is None:
    frame.no_subject()
    st.stop()

same_file.told(chosen)
runs = {run.id: run for run in chosen.runs("information")}
missing_run.adopt(RUN, runs)
picked = runs.get(st.session_state.get(RUN, ""))
at_work = picked or next((r for r in runs.values() if jobs.state_of(r).is_active), None)
shown = picked if picked and subject.has_result(picked) else chosen.latest("information")
missing_run.tell(RUN, runs if shown else (), what="a measurement")

FORM = "Measure again" if shown else "Measure the layers"
with jobs.form(
    FORM,
    "information",
    opened=shown is None and at_work is None,
):
    config = measurement_inputs.information(chosen)
    jobs.start_button("Measure", "information", config, RUN, icon=":material/straighten:")

if at_work and not subject.has_result(at_work):
    st.header("Measurement", anchor=False)
    jobs.controls(at_work)
    live.follow(at_work, measurement.draw_progress)
elif shown is None:
    frame.empty("These layers have not been measured yet.", "Press Measure above.")

result = None
if shown:
    with frame.errors_as_cards():
        result = shown.result() or {}
        frame.warnings(result)
        measurement.show(shown, result)

named = at_work or shown
looked = layer_view.section(chosen, result, shown.id if shown else "")
kept = {RUN: named.id if named else None, layer_form.RUN: looked}

if shown and result and mode.is_expert():
    with frame.errors_as_cards():
        weights.choose(chosen, shown.id, measurement.suspect_on_clean(result))

if mode.is_expert():
    kept[sweeps.RUN] = sweeps.section(chosen)
address.keep_all(kept)
