"""What an inspection found, section by section."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from ui import (
    data_inputs,
    examples,
    file_match,
    frame,
    glossary,
    health,
    mode,
    numbers,
    same_file,
    scores,
    text,
    verdict,
)  # fmt: skip
from ui.subject import Subject, fields_of


def show(subject: Subject) -> None:
    """All that the inspection found."""
    result = subject.result
    same_file.told(subject)
    verdict.card(verdict.on_suspect(subject), f"“{text.plain(subject.title)}”")
    recognised(result["encoder"])
    frame.warnings(result)
    file_match.variants(result.get("variants", []))
    health.show(result, has_trigger=subject.has_trigger)
    st.subheader(
        "Scores",
        anchor=False,
        help=glossary.help_for("accuracy", "attack success", "clean twin", "floor"),
    )
    scores.table(result["scores"])
    found_by_trying(subject)
    data_used(subject)
    arrays = subject.run.arrays("examples")
    if arrays:
        st.subheader("Example images", anchor=False)
        examples.pairs(arrays, stamped=subject.has_trigger)


def recognised(encoder: dict[str, Any]) -> None:
    """What the file is: in plain words in Simple; architecture, layers and layout in Expert."""
    st.subheader("What was recognised", anchor=False)
    if mode.is_expert():
        figures(encoder)
        left, right = st.columns([3, 2], gap="large")
        with left:
            layers(encoder["layers"])
        with right:
            st.markdown(facts(encoder))
            fingerprint(encoder["sha256"])
        file_match.show(encoder.get("match"))
        return
    side = encoder["input_size"]
    with st.container(horizontal=True):
        kind = text.plain(kind_of_network(encoder["architecture"]))
        st.metric(
            "Kind of network", kind, border=True, height="stretch",
            help=glossary.help_for("ResNet") if "ResNet" in kind else None,
        )  # fmt: skip
        st.metric("Reads images of", f"{side} × {side} px", border=True, height="stretch")
        st.metric("File size", numbers.size(encoder["bytes"]), border=True, height="stretch")
    file_match.told_plainly(encoder.get("match"))
    fingerprint(encoder["sha256"])


def kind_of_network(architecture: str) -> str:
    """An architecture as people write it, such as ResNet-18."""
    found = re.fullmatch(r"(clip_)?resnet(\d+)", architecture)
    if found:
        return f"{'CLIP ' if found[1] else ''}ResNet-{found[2]}"
    return "Vision transformer" if architecture == "vit" else architecture


def figures(encoder: dict[str, Any]) -> None:
    """The network in four numbers."""
    side = encoder["input_size"]
    with st.container(horizontal=True):
        st.metric(
            "Architecture", text.plain(encoder["architecture"]), border=True, height="stretch"
        )
        st.metric("Parameters", numbers.count(encoder["parameters"]), border=True, height="stretch")
        st.metric("Features", numbers.count(encoder["feature_dim"]), border=True, height="stretch")
        st.metric("Input", f"{side} × {side} px", border=True, height="stretch")


def layers(found: list[dict[str, Any]]) -> None:
    """A row per layer, numbers to the right."""
    right = ("channels", "map", "parameters")
    st.dataframe(
        [
            {
                "layer": text.cell(layer["name"]),
                "channels": numbers.count(layer["channels"]),
                "map": f"{layer['height']} × {layer['width']}",
                "parameters": numbers.count(layer["parameters"]),
            }
            for layer in found
        ],
        column_config={name: st.column_config.TextColumn(alignment="right") for name in right},
        hide_index=True,
        width="stretch",
    )


def facts(encoder: dict[str, Any]) -> str:
    """How the file is laid out and read, a line each."""
    family, pool = encoder.get("family"), encoder.get("max_pool")
    size_source = encoder.get("input_size_source")
    lines = [
        f"Family: {text.sentence(family['title'])} ({text.plain(family['id'])})" if family else "",
        f"File layout: {text.sentence(encoder['layout'])}",
        f"File size: {numbers.size(encoder['bytes'])}",
        f"Width {encoder['width']}, {text.plain(encoder['stem'])} stem",
        f"Normalisation: {text.sentence(encoder['normalization']['source'])}",
        f"Input size: {text.sentence(size_source)}" if size_source else "",
        f"Max-pool: {text.sentence(pool['source'])}" if pool else "",
    ]
    return "  \n".join(filter(None, lines))


def fingerprint(sha256: str) -> None:
    """The file's SHA-256, to compare."""
    st.caption("The file's fingerprint (SHA-256); compare it with the one its makers publish")
    st.code(text.bare(sha256), language=None, wrap_lines=True)


def found_by_trying(subject: Subject) -> None:
    """That the class counted as the attacker's was none that anyone named."""
    settled = subject.result["target_class"]
    if not subject.has_trigger or settled is None or was_named(subject):
        return
    count = subject.result["downstream"]["classes"]
    tried = f"all {numbers.in_words(count)} classes" if count else "all classes"
    picked = (subject.result["scores"].get("teacher") or {}).get("picked_among")
    allowed = " The suspect's 95% interval allows for the choice." * bool(picked)
    st.caption(
        f"No class was named: most often the trigger leads to {text.plain(subject.target_name)} "
        f"(found by trying {tried}). All figures of attack success here, the clean twin's too, "
        f"count that class.{allowed} A trigger without any hold on the encoder leads to one, too."
    )


def was_named(subject: Subject) -> bool:
    """Whether the class that the trigger leads to was given, not found."""
    return int(fields_of(subject.run).get("target_class", -1)) >= 0


def data_used(subject: Subject) -> None:
    """The images behind the numbers."""
    data, downstream = subject.result["data"], subject.result["downstream"]
    trigger = subject.result["trigger"]
    count = downstream["classes"]
    classes = f"{count} classes." if count else "without labels, so there are no scores."
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
        f"{classes} {stamp}"
    )
    if subject.fields["data"] == data_inputs.STAND_IN and not subject.is_example:
        st.caption(
            "The digits are those that ship with the project: unless this encoder was made for "
            "digits, take the scores as a first look only, and inspect it again with images like "
            "those it was trained on."
        )
