"""Look into a layer: what it holds beside the others, and where it looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from mimic.run import Run
from mimic.subjects import student_id
from ui import (
    attention_chart,
    attention_grid,
    attention_pictures,
    companions,
    downloads,
    frame,
    jobs,
    layer_focus,
    layer_form,
    live,
    missing_run,
    mode,
    numbers,
    picture_file,
    provenance,
    text,
    whose,
)
from ui.subject import Subject, has_result

LONG = 2_000
Result = Mapping[str, Any]


def section(subject: Subject, measured: Result | None, measured_by: str = "") -> str | None:
    """The layer in focus, its companions, and its attention maps.

    Args:
        subject: the suspect.
        measured: the result of a measurement of its layers, if there is one.
        measured_by: the id of that run.

    Returns:
        The id of the run that is shown or at work, for the address.
    """
    st.header("Look into a layer", anchor=False)
    runs = {run.id: run for run in subject.runs("attention")}
    missing_run.adopt(layer_form.RUN, runs)
    picked = runs.get(st.session_state.get(layer_form.RUN, ""))
    at_work = picked or next((r for r in runs.values() if jobs.state_of(r).is_active), None)
    shown = picked if picked and has_result(picked) else subject.latest("attention")
    missing_run.tell(layer_form.RUN, runs if shown else (), what="a look into the layers")
    with frame.errors_as_cards():
        result = shown.result() if shown else None
        layers = known_layers(subject, measured, result)
        if result or (measured and mode.is_expert()):
            layer = layer_focus.choose(layers, layer_focus.telling(result, layers))
            if measured and mode.is_expert():
                companions.show(measured, layer, subject.result, run_id=measured_by)
            if shown and result:
                show(subject, shown, result, layer, measured)
    opened = bool(measured) and not (shown or at_work)
    layer_form.start(subject, again=shown is not None, opened=opened)
    if at_work and not has_result(at_work):
        jobs.controls(at_work)
        live.follow(at_work)
    elif shown is None:
        frame.empty(
            "Nobody has looked into these layers yet.",
            f"Open “{layer_form.title(again=False)}” above and press Look.",
        )
    named = at_work or shown
    return named.id if named else None


def known_layers(subject: Subject, measured: Result | None, result: Result | None) -> list[str]:
    """All layers there is something to show of, or else the encoder's, input side first."""
    found = [*(measured or {}).get("layers", []), *(result or {}).get("layers", [])]
    names = [str(name) for name in dict.fromkeys(found or subject.layers)]
    order = {name: place for place, name in enumerate(subject.layers)}
    return sorted(names, key=lambda name: order.get(name, len(order)))


def show(subject: Subject, run: Run, result: Result, layer: str, measured: Result | None) -> None:
    """The sentence and the maps of a finished look; for experts also the chart and the numbers."""
    st.markdown(
        "**Where the layer looks**: bright where it responds most, on the same pictures with and "
        "without the trigger."
    )
    whose.told(run)
    newer_cleaning(subject, run)
    if measured:
        st.caption(other_images(result, measured))
    frame.warnings(result)
    if layer not in result["layers"]:
        seen = text.plain(", ".join(result["layers"]))
        frame.empty(
            f"{text.plain(layer)} was not looked into, only {seen}.",
            f"Choose another layer{elsewhere()}.",
        )
    else:
        with st.container(border=True):
            st.markdown(text.plain(result["sentences"][layer], LONG))
        attention_grid.show(subject, run, result, layer)
    if mode.is_expert():
        shares(run, result, layer)


def newer_cleaning(subject: Subject, run: Run) -> None:
    """That a cleaning made since is not the one shown, and what shows it."""
    newest = layer_form.newest_student(subject)
    shown = student_id(run)
    if newest and shown != newest.id:
        told = f"the newest cleaning ({text.plain(jobs.label(newest))})"
        st.caption(
            f":material/info: These maps do not show {told}. Open “{layer_form.title(again=True)}” "
            "below and press Look to see it."
        )


def other_images(result: Result, measured: Result) -> str:
    """Why a layer's figures here and in the curves above need not agree."""
    return (
        f"These maps are of {numbers.count(result['measured'])} test images; the curves above are "
        f"of {numbers.count(measured['clean_images'])} other, clean images and measure something "
        "else. So a layer may look at the trigger little, and yet its curve falls."
    )


def elsewhere() -> str:
    """The way to a layer that was left out: its setting is Expert's."""
    form = f"“{layer_form.title(again=True)}” below"
    return f", or add it in {form}" if mode.is_expert() else f"; Expert can add it in {form}"


def shares(run: Run, result: Result, layer: str) -> None:
    """The share of attention on the trigger by layer, as a chart and as numbers."""
    if result["area"] is not None and result["area"] < attention_pictures.WHOLE_PICTURE:
        figure = attention_chart.share_by_layer(result)
        st.markdown("**Share of attention on the trigger, layer by layer**")
        st.plotly_chart(
            layer_focus.stress(figure, result["layers"], layer),
            config=picture_file.named("attention-on-trigger", run.id),
            key="attention-share",
            alt=attention_chart.in_words(result),
        )
        st.caption(
            "Dotted: the trigger's share of the picture, which an encoder that looks everywhere "
            "alike would reach. Dash-dotted: the most that could fall there, because late maps "
            "have few, large fields. Whiskers: 95% of what other draws of the images would give. "
            f"Mean over {result['measured']} test images."
        )
        shared = provenance.of(run, images=result["measured"], interval=provenance.NINETY_FIVE)
        name = picture_file.file_name("attention-on-trigger", run.id)
        downloads.figure_csv(figure, name, provenance.by_series(shared))
    with st.expander("The numbers of the attention"):
        st.dataframe(attention_chart.rows(result), hide_index=True, width="stretch")
        st.caption(
            "Likenesses are cosines of two maps: 1 means the layer looks at the same places, 0 at "
            "none in common. In brackets: 95% intervals."
        )
