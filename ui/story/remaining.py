"""Step 3: how much of the picture is left in the network with the sticker on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from mimic.config import InformationConfig
from mimic.run import Run, is_bundled, run_created
from mimic.verdict_words import kept, share_left
from ui import charts, glossary, jobs, live, measurement, mode, numbers
from ui.story.sources import source
from ui.subject import Subject, has_result

SHOWN, RUN = "story_measured", "story_information_run"
NAMES = {
    ("teacher", "clean"): "suspect",
    ("teacher", "triggered"): "suspect + sticker",
    ("clean_twin", "clean"): "never attacked",
    ("clean_twin", "triggered"): "never attacked + sticker",
}
"""The curves shown, and what stands at their ends."""
ROOM = 158
"""Pixels right of the curves for their names."""


def show() -> None:
    """Remember that the measurement was asked for. Use as a callback."""
    st.session_state[SHOWN] = True


def picture(subject: Subject) -> bool:
    """The curves of information by layer, without and with the sticker, and what they say."""
    st.markdown(
        "A picture passes through the **layers** of the network, one after another. How much do "
        "they still tell about the encoder's answer? Much, as long as the answer comes from the "
        "picture; little, when one sticker makes the answer the same for every picture. The "
        "measure is called **mutual information**.",
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
        st.caption("The layers have not been measured yet.")
        st.button(
            "Measure them now (about 30 s)", icon=":material/straighten:", type="primary",
            key="story-first-measurement", on_click=jobs.start,
            args=("information", config(subject), RUN),
        )  # fmt: skip
        return False
    told = takeaway(result)
    st.subheader(told, anchor=False)
    st.plotly_chart(
        figure(result), config=charts.NO_TOOLS, key="story-information",
        alt=f"Information per layer, of the suspect and of an encoder never attacked, without and "
        f"with the sticker. {told}",
    )  # fmt: skip
    measure_again(subject, run, result)
    source(run, "Small networks were trained to guess which picture belongs to which answer.")
    return True


def figure(result: Mapping[str, Any]) -> go.Figure:
    """The suspect's curves and those of an encoder never attacked, named at their ends."""
    measured = {(c["network"], c["input"]): {**c, "bands": {}} for c in result["curves"]}
    shown = [measured[of] for of in NAMES if of in measured]
    drawn = charts.information_curves(shown, result["layers"])
    names = [NAMES[c["network"], c["input"]] for c in shown]
    for note, trace, name in zip(drawn.layout.annotations, drawn.data, names, strict=False):
        note.text = trace.name = name
    return drawn.update_layout(margin={"r": ROOM})


def takeaway(result: Mapping[str, Any]) -> str:
    """What the curves say, in one sentence with a number."""
    left, twin = kept(result, "teacher"), kept(result, "clean_twin")
    if left is None:
        return "The measurement holds no pair of curves to compare."
    expert = mode.is_expert()
    told = "With the sticker on, the suspect keeps "
    told += share_left(left, "the information", explained=expert)
    if twin is not None:
        told += f"; an encoder never attacked keeps {share_left(twin, 'it', explained=expert)}"
    return f"{told}." + (" The suspect hardly looks at the picture any more." if left < 0.6 else "")


def config(subject: Subject) -> InformationConfig:
    """The measurement of all networks there are."""
    return InformationConfig(
        **subject.settings,
        networks=("teacher", "random", *(("clean_twin",) if subject.has_twin else ())),
    )


def measure_again(subject: Subject, run: Run, result: Mapping[str, Any]) -> None:
    """The secondary way: measure again now."""
    when = "beforehand, so that you need not wait"
    if not is_bundled(run):
        when = f"on this machine, {numbers.ago(run_created(run))}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Measured on {numbers.count(result['clean_images'])} pictures {when}.",
            width="content",
        )
        st.button(
            "Measure it live (about 30 s)", type="tertiary", icon=":material/straighten:",
            on_click=jobs.start, args=("information", config(subject), RUN),
        )  # fmt: skip
