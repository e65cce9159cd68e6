"""What an inspection found, section by section."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui import examples, file_match, numbers, scores, text, verdict
from ui.subject import Subject


def show(subject: Subject) -> None:
    """All that the inspection found."""
    result = subject.result
    verdict.card(verdict.on_suspect(subject), f"“{text.plain(subject.title)}”")
    recognised(result["encoder"])
    file_match.show(result["encoder"].get("match"))
    file_match.variants(result.get("variants", []))
    health(result["health"])
    st.subheader("Scores", anchor=False)
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
        family = encoder.get("family")
        pool = encoder.get("max_pool")
        size_source = encoder.get("input_size_source")
        st.markdown(
            (
                f"Family: {text.plain(family['title'])} ({text.plain(family['id'])})  \n"
                if family
                else ""
            )
            + f"File layout: {text.plain(encoder['layout'])}  \n"
            f"File size: {numbers.size(encoder['bytes'])}  \n"
            f"Width {encoder['width']}, {text.plain(encoder['stem'])} stem  \n"
            f"Normalisation: {text.plain(normalization['source'])}"
            + (f"  \nInput size: {text.plain(size_source)}" if size_source else "")
            + (f"  \nMax-pool: {text.plain(pool['source'])}" if pool else "")
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
        spread = found["feature_spread"]
        st.metric(
            "Feature spread",
            "–" if spread is None else f"{spread:.3f}",
            border=True,
            height="stretch",
            help="How far apart the features of different images lie; an untrained encoder has "
            f"{found['random_feature_spread']:.3f}.",
        )
        still = found["dead_features"] + found.get("constant_features", 0)
        st.metric(
            "Features that never change",
            numbers.count(still),
            border=True,
            height="stretch",
            help=f"The same for every image; {found['dead_features']} of them are zero.",
        )
    faults = found.get("faults", [])
    for fault in faults:
        st.error(text.sentence(fault), icon=":material/error:")
    for warning in found["warnings"]:
        st.warning(text.sentence(warning), icon=":material/warning:")
    if not found["warnings"] and not faults:
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
            f"{text.plain(subject.target_name)}. {text.sentence(trigger.get('description', ''))}"
        )
    st.caption(
        f"Images: {text.plain(data['name'])}, {numbers.count(data['images'])} to train on. "
        f"Scores: {text.plain(downstream['name'])}, "
        f"{numbers.count(downstream['test_images'])} test images, "
        f"{downstream['classes']} classes. {stamp}"
    )
