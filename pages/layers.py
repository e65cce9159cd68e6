"""Layers: where the suspect keeps its knowledge, and how much to teach from each layer."""

import streamlit as st

from mimic import job
from ui import charts, frame, jobs, live, measurement, subject, training_inputs, weights

RUN = "information_run"

frame.head(
    "Layers",
    see="How much each layer of the suspect tells about what it finally answers, in nats, beside an "
    "untrained network: on clean images and on triggered ones.",
    why="Layers that carry knowledge on clean images are worth copying from. Where the curve "
    "collapses on triggered images, the encoder has stopped looking at the picture.",
)
chosen = subject.current()
if chosen is None:
    frame.no_subject()
    st.stop()

runs = chosen.runs("information")
started = live.pending(RUN)
run = started if started in runs or (started and started.id in [r.id for r in runs]) else None
shown = run if run and subject.has_result(run) else chosen.latest("information")

with st.expander(
    "Measure again" if shown else "Measure the layers",
    icon=":material/straighten:",
    expanded=shown is None and run is None,
):
    with frame.errors_as_cards():
        config = training_inputs.information(chosen)
        st.button(
            "Measure",
            type="primary",
            icon=":material/straighten:",
            on_click=jobs.start,
            args=("information", config, RUN),
        )
        st.caption("The same in a terminal:")
        st.code(job.command_line("information", config), language="bash", wrap_lines=True)

if run and not subject.has_result(run):
    st.subheader("Measurement", anchor=False)
    jobs.controls(run)
    live.follow(run, measurement.draw_progress)

if shown is None:
    if run is None:
        frame.empty("These layers have not been measured yet.", "Press Measure above.")
    st.stop()

with frame.errors_as_cards():
    result = shown.result() or {}
    measurement.show(shown, result)
    st.subheader("How much to teach from each layer", anchor=False)
    left, right = st.columns([5, 6], gap="large")
    with left:
        edited = weights.edit(measurement.suspect_on_clean(result), chosen, shown.id)
    with right:
        if edited:
            bars = {n: edited.weights.get(n, 0.0) for n in result["layers"]}
            st.plotly_chart(
                charts.weight_bars(bars),
                config=charts.NO_TOOLS,
                key="layer-weights",
                alt=f"Weight of each layer's attention loss: {edited.sentence()}.",
            )
            if st.button(
                "Use these weights", type="primary", on_click=weights.carry, args=(edited,)
            ):
                frame.go("distil")
        st.caption(
            "Weight = base + budget × the layer's share of the information the suspect carries on "
            "clean images. A layer that is off teaches nothing."
        )
