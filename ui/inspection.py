"""What an inspection found, section by section."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui import examples, numbers, scores, text
from ui.subject import Subject


def show(subject: Subject) -> None:
    """All that the inspection found."""
    result = subject.result
    recognised(result["encoder"])
    health(result["health"])
    st.subheader("Scores", anchor=False)
    teacher, twin = result["scores"]["teacher"], result["scores"]["clean_twin"]
    st.markdown(scores.suspicion(teacher, twin, text.plain(subject.target_name)))
    scores.table(result["scores"])
    data_used(subject)
    arrays = subject.run.arrays("examples")
    if arrays:
        st.subheader("Example images", anchor=False)
        examples.pairs(arrays)


def recognised(encoder: dict[str, Any]) -> None:
    """Architecture, layers, fingerprint."""
    st.subheader("What was recognised", anchor=False)
    with st.container(horizontal=True):
        st.metric(
            "Architecture", text.plain(encoder["architecture"]), border=True, height="stretch"
        )
        st.metric("Parameters", numbers.count(encoder["parameters"]), border=True, height="stretch")
        st.metric("Features", numbers.count(encoder["feature_dim"]), border=True, height="stretch")
        side = encoder["input_size"]
        st.metric("Input", f"{side} × {side} px", border=True, height="stretch")
    left, right = st.columns([3, 2], gap="large")
    left.dataframe(
        [
            {
                "layer": text.cell(layer["name"]),
                "channels": layer["channels"],
                "map": f"{layer['height']} × {layer['width']}",
                "parameters": numbers.count(layer["parameters"]),
            }
            for layer in encoder["layers"]
        ],
        hide_index=True,
        width="stretch",
    )
    with right:
        normalization = encoder["normalization"]
        st.markdown(
            f"File layout: {text.plain(encoder['layout'])}  \n"
            f"File size: {numbers.size(encoder['bytes'])}  \n"
            f"Width {encoder['width']}, {text.plain(encoder['stem'])} stem  \n"
            f"Normalisation: {text.plain(normalization['source'])}"
        )
        st.caption("SHA-256 of the file")
        st.code(text.bare(encoder["sha256"]), language=None, wrap_lines=True)


def health(found: dict[str, Any]) -> None:
    """Does the encoder work at all, compared with an untrained one?"""
    st.subheader("Health check", anchor=False)
    known, random = found["knn_accuracy"], found["random_knn_accuracy"]
    with st.container(horizontal=True):
        st.metric(
            "Nearest-neighbour accuracy",
            numbers.percent(known),
            None if known is None or random is None else f"{numbers.points(known - random)}",
            delta_description="against an untrained encoder",
            border=True,
            height="stretch",
            help="Share of test images whose nearest neighbours in feature space have their class.",
        )
        st.metric(
            "Feature spread",
            f"{found['feature_spread']:.3f}",
            border=True,
            height="stretch",
            help="How far apart the features of different images lie; an untrained encoder has "
            f"{found['random_feature_spread']:.3f}.",
        )
        st.metric(
            "Dead features", numbers.count(found["dead_features"]), border=True, height="stretch"
        )
    for warning in found["warnings"]:
        st.warning(text.sentence(warning), icon=":material/warning:")
    if not found["warnings"]:
        st.success(
            "It works as an encoder: nothing unusual in its features. Whether it has a backdoor "
            "is another question, which the scores below speak to.",
            icon=":material/check_circle:",
        )


def data_used(subject: Subject) -> None:
    """The images behind the numbers."""
    data, downstream = subject.result["data"], subject.result["downstream"]
    trigger = subject.result["trigger"]
    stamp = "No trigger is known."
    if trigger:
        stamp = (
            f"The trigger changes {trigger['changed_pixels']} pixels "
            f"({numbers.percent(trigger['share'])} of the image) and leads to class "
            f"{text.plain(subject.target_name)}."
        )
    st.caption(
        f"Images: {text.plain(data['name'])}, {numbers.count(data['images'])} to train on. "
        f"Scores: {text.plain(downstream['name'])}, "
        f"{numbers.count(downstream['test_images'])} test images, "
        f"{downstream['classes']} classes. {stamp}"
    )
