"""Step 3: where in the network the sticker makes the picture disappear."""

from __future__ import annotations

import streamlit as st

from mimic.config import InformationConfig
from mimic.verdict import kept
from ui import charts, glossary, jobs, live, measurement, numbers
from ui.story.sources import source
from ui.subject import Subject, has_result

SHOWN, RUN = "story_measured", "story_information_run"


def show() -> None:
    """Remember that the measurement was asked for. Use as a callback."""
    st.session_state[SHOWN] = True


def lost(subject: Subject) -> bool:
    """The curve of information by layer, clean beside stamped, and what it says."""
    st.markdown(
        "A picture passes through the **layers** of the network, one after another. How much does "
        "each layer still tell about the picture? That can be measured: it is called **mutual "
        "information**.",
        help=glossary.help_for("layer", "mutual information", "nat"),
    )
    if not st.session_state.get(SHOWN):
        st.button(
            "Show the measurement", icon=":material/straighten:", type="primary", on_click=show
        )
        return False
    at_work = live.pending(RUN)
    if at_work and not has_result(at_work):
        jobs.controls(at_work)
        live.follow(at_work, measurement.draw_progress)
    run = subject.latest("information")
    result = run.result() if run else None
    if run is None or result is None:
        start_button(subject, "The layers have not been measured yet.")
        return False
    wanted = {("teacher", "clean"): "without sticker", ("teacher", "triggered"): "with sticker"}
    curves = [c for c in result["curves"] if (c["network"], c["input"]) in wanted]
    figure = charts.information_curves(curves, result["layers"])
    names = [wanted[c["network"], c["input"]] for c in curves]
    for note, trace, name in zip(figure.layout.annotations, figure.data, names, strict=False):
        note.text = trace.name = name
    told = takeaway(result)
    st.subheader(told, anchor=False)
    st.plotly_chart(
        figure, config=charts.NO_TOOLS, key="story-information",
        alt=f"Information per layer, without and with the sticker. {told}",
    )  # fmt: skip
    start_button(
        subject,
        f"This was measured beforehand on {numbers.count(result['clean_images'])} pictures, so "
        "that you need not wait.",
    )
    source(run, "Small networks were trained to guess which picture belongs to which answer.")
    return True


def takeaway(result: dict[str, object]) -> str:
    """What the curve says, in one sentence with a number."""
    left, twin = kept(result, "teacher"), kept(result, "clean_twin")
    if left is None:
        return "The measurement holds no pair of curves to compare."
    told = f"With the sticker on, {100 * left:.0f}% of the information is left"
    told += "" if twin is None else f"; an encoder never attacked keeps {100 * twin:.0f}%"
    return f"{told}." + (" It stops looking at the picture." if left < 0.6 else "")


def start_button(subject: Subject, told: str) -> None:
    """The secondary way: measure again now."""
    config = InformationConfig(
        **subject.settings,
        networks=("teacher", "random", *(("clean_twin",) if subject.has_twin else ())),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(told, width="content")
        st.button(
            "Measure it live (about 30 s)", type="tertiary", icon=":material/straighten:",
            on_click=jobs.start, args=("information", config, RUN),
        )  # fmt: skip
