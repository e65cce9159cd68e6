"""Step 3: how strongly the answer still changes with the picture when the sticker is on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from mimic.config import InformationConfig
from mimic.run import Run, is_bundled, run_created
from mimic.verdict_words import kept, share_left, stops_looking
from ui import (
    charts,
    downloads,
    jobs,
    live,
    measurement,
    mode,
    numbers,
    picture_file,
    provenance,
)
from ui.story import remaining_bars, words
from ui.story.sources import source
from ui.subject import Subject, has_result

RUN = "story_information_run"
NAMES = {
    ("teacher", "clean"): "suspect",
    ("teacher", "triggered"): "suspect + sticker",
    ("clean_twin", "clean"): "never attacked",
    ("clean_twin", "triggered"): "never attacked + sticker",
}
"""What is shown, and its name at a bar or at a curve's end."""
ROOM = 158
"""Pixels right of the curves for their names."""


def picture(subject: Subject) -> None:
    """Bars without and with the sticker, what they say, and on demand the same layer by layer."""
    st.markdown(
        "Does the encoder still look at the picture when the sticker is on? Each bar shows **how "
        "strongly its answer changes with the picture**: a long bar means that the picture "
        "decides, a short one that the answer is nearly the same whatever the picture shows. The "
        "measure is called **mutual information**.",
        help=words.help_for("mutual information", "nat"),
    )
    busy = at_work(subject)
    with st.container():  # What follows keeps its place, and stays unfolded.
        shown = busy or ended_early()
        if shown:
            jobs.controls(shown)
            live.follow(shown, measurement.draw_progress)
    run = subject.latest("information")
    result = run.result() if run else None
    if run and result:
        measured(subject, run, result, busy=busy is not None)
    elif not busy:
        st.caption("This has not been measured yet.")
        st.button(
            "Measure it now (about 30 s)", icon=":material/straighten:", on_click=measure,
            args=(subject,),
        )  # fmt: skip


def measured(subject: Subject, run: Run, result: Mapping[str, Any], *, busy: bool) -> None:
    """A finished measurement."""
    told = takeaway(result)
    st.subheader(told, anchor=False)
    bars, curves = remaining_bars.figure(result, NAMES), figure(result)
    facts = provenance.of_story(run, result["clean_images"])
    st.plotly_chart(
        bars, config=picture_file.named("story-information-kept", run.id), key="story-remaining",
        alt=f"How strongly the answer changes with the picture, as bars. {told}",
    )  # fmt: skip
    st.caption(
        "Compare the two bars of one colour. How long they are depends on how an encoder was "
        "trained and is no sign of a backdoor; all are estimates, so the lower one may even be a "
        "little longer. A nat is a unit of information, about 1.4 bits."
    )
    if mode.is_expert():
        downloads.figure_csv(bars, picture_file.file_name("story-information-kept", run.id), facts)
    with st.expander("More: layer by layer"):
        st.markdown(
            "A picture passes through the **layers** of the network, one after another. Each bar "
            "above is the mean of one of these curves. Compare the solid line (without the "
            "sticker) and the dashed line of one colour.",
            help=words.help_for("layer"),
        )
        name = "story-information-per-layer"
        st.plotly_chart(
            curves, config=picture_file.named(name, run.id), key="story-information",
            alt=f"Information per layer, of the suspect and of an encoder never attacked, without "
            f"and with the sticker. {told}",
        )  # fmt: skip
        if mode.is_expert():
            downloads.figure_csv(curves, picture_file.file_name(name, run.id), facts)
    measure_again(subject, run, result, offered=not busy)
    source(
        (
            run,
            "Small networks were trained to guess which picture belongs to which answer; each bar "
            "is the mean over the layers.",
        )
    )


def figure(result: Mapping[str, Any]) -> go.Figure:
    """The suspect's curves and those of an encoder never attacked, named at their ends."""
    measured = {(c["network"], c["input"]): {**c, "bands": {}} for c in result["curves"]}
    shown = [measured[of] for of in NAMES if of in measured]
    drawn = charts.information_curves(shown, result["layers"])
    names = [NAMES[c["network"], c["input"]] for c in shown]
    for note, trace, name in zip(drawn.layout.annotations, drawn.data, names, strict=False):
        note.text = trace.name = name
    drawn.update_xaxes(  # Short enough to stand level on a phone, beside the names at the ends.
        tickangle=0, tickvals=result["layers"],
        ticktext=[name.removeprefix("layer") for name in result["layers"]],
    )  # fmt: skip
    return drawn.update_layout(margin={"r": ROOM})


def takeaway(result: Mapping[str, Any]) -> str:
    """What the curves say, in one sentence with a number."""
    left, twin = kept(result, "teacher"), kept(result, "clean_twin")
    if left is None:
        return "The measurement holds no pair of curves to compare."
    told = "With the sticker on, the suspect keeps "
    told += share(left, "the information")
    if twin is not None:
        told += f"; an encoder never attacked keeps {share(twin, 'it')}"
    seen = (
        " With it, the suspect looks at the picture far less." if stops_looking(left, twin) else ""
    )
    return f"{told}.{seen}"


def share(left: float, what: str) -> str:
    """How much is left; that an estimate can exceed all there is, is told to experts only."""
    if not mode.is_expert() and round(100 * left) >= 100:
        return f"all of {what}"
    return share_left(left, what, explained=mode.is_expert())


def at_work(subject: Subject) -> Run | None:
    """The measurement that is at work, whoever began it."""
    return next((r for r in subject.runs("information") if jobs.state_of(r).is_active), None)


def ended_early() -> Run | None:
    """The visitor's measurement if it ended without a result, which its page then says."""
    begun = live.pending(RUN)
    return begun if begun and not has_result(begun) else None


def measure(subject: Subject) -> None:
    """Begin a measurement unless one is at work: a double click is one. Use as a callback."""
    if at_work(subject) is None:
        jobs.start("information", config(subject), RUN)


def meanwhile() -> None:
    """In the other steps: one line while the visitor's measurement is at work."""
    run = live.pending(RUN)
    if run is None or not jobs.state_of(run).is_active:
        return

    def line() -> None:
        if not jobs.state_of(run).is_active:
            st.rerun()
        st.caption(":material/straighten: The layers of step 3 are still being measured.")

    st.fragment(line, run_every=2.0)()


def config(subject: Subject) -> InformationConfig:
    """The measurement of all networks there are."""
    return InformationConfig(
        **subject.settings,
        networks=("teacher", "random", *(("clean_twin",) if subject.has_twin else ())),
    )


def measure_again(subject: Subject, run: Run, result: Mapping[str, Any], *, offered: bool) -> None:
    """When it was measured and, unless that is under way, the secondary way: measure it now."""
    when = "beforehand, so that you need not wait"
    if not is_bundled(run):
        when = f"on this machine, {numbers.ago(run_created(run))}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Measured on {numbers.count(result['clean_images'])} pictures {when}.",
            width="content",
        )
        if not offered:
            return
        st.button(
            "Measure it live (about 30 s)", type="tertiary", icon=":material/straighten:",
            on_click=measure, args=(subject,),
        )  # fmt: skip
