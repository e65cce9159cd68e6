"""Widgets that describe a suspect encoder: what to inspect, on which images, with which trigger."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mimic.config import Config, InspectConfig
from mimic.subjects import builtin_subjects, subject_fields
from ui import data_inputs, mode, text, trigger_inputs, uploads
from ui.fields import help_of, typed

SOURCES = {"builtin": "Built-in", "upload": "Upload a file", "path": "File on this machine"}
MAX_SIDE = 1024
MAX_HEADS = 256
DEVICES = ("auto", "cpu", "cuda", "mps")


def suspect() -> InspectConfig | None:
    """What to inspect, or None while something needed is missing."""
    source = st.segmented_control(
        "Where is the encoder?",
        list(SOURCES),
        default="builtin",
        required=True,
        format_func=lambda name: SOURCES.get(name, name),
        key="suspect_source",
        persist_state="session",
    )
    if source == "builtin":
        return builtin()
    encoder = encoder_file(source or "path", "suspect_encoder", "Encoder file")
    left, right = st.columns(2, gap="large")
    with left:
        fields = data_inputs.images()
        fields["clean_twin"] = twin()
    with right:
        fields["trigger"] = trigger_inputs.trigger(fields["data"] or "")
        fields["target_class"] = target_class()
    fields |= advanced()
    if not fields["data"] or fields["downstream"] is None:
        st.info(
            "Give the images to go on: upload them or name their path.", icon=":material/image:"
        )
        return None
    if not encoder:
        st.info("Choose an encoder file to go on.", icon=":material/upload_file:")
        return None
    return InspectConfig(encoder=encoder, **fields)


def builtin() -> InspectConfig | None:
    """One of the subjects that ship with the project."""
    subjects = builtin_subjects()
    if not subjects:
        st.info("No built-in subject is installed.", icon=":material/info:")
        return None
    name = st.selectbox(
        "Subject",
        sorted(subjects, key=lambda name: (name != "demo", name)),
        format_func=lambda n: text.bare(subjects.get(n, {}).get("title", n), 60),
        key="suspect_builtin",
        persist_state="session",
    )
    st.caption(text.sentence(subjects[name].get("description", "")))
    fields = {"subject": name, **subject_fields(name)}
    if not mode.is_expert():
        mode.hidden(InspectConfig)
        return InspectConfig(**fields)
    with st.expander("More settings"):
        return InspectConfig(**{**fields, **data_inputs.places(), **machine("suspect")})


def encoder_file(source: str, key: str, label: str) -> str:
    """An encoder's file, uploaded or named."""
    if source == "upload":
        return uploads.picker(
            label,
            key,
            allowed=uploads.ENCODER_SUFFIXES,
            megabytes=uploads.ENCODER_MEGABYTES,
            hint="Read as plain tensors only, in a process of its own; a file that asks to run "
            "code is refused.",
        )
    return typed(label, f"{key}_path", "/path/to/encoder.pth")


def twin() -> str:
    """A clean encoder of the same kind."""
    source = st.segmented_control(
        "Clean twin (optional)",
        ["none", "upload", "path"],
        default="none",
        required=True,
        format_func=lambda name: SOURCES.get(name, "none"),
        key="suspect_twin",
        persist_state="session",
        help=help_of(InspectConfig, "clean_twin"),
    )
    if source in (None, "none"):
        return ""
    return encoder_file(source, "suspect_twin_file", "Clean encoder file")


def target_class() -> int:
    """The class that the trigger leads to."""
    value = st.number_input(
        "Target class",
        -1,
        100_000,
        value=-1,
        key="suspect_target",
        persist_state="session",
        help=help_of(InspectConfig, "target_class"),
    )
    return -1 if value is None else int(value)


def advanced() -> dict[str, Any]:
    """Settings that rarely need a change."""
    if not mode.is_expert():
        mode.hidden(InspectConfig)
        return {}
    with st.expander("More settings"):
        normalization = st.text_input(
            "Normalisation",
            "auto",
            key="suspect_normalization",
            persist_state="session",
            help=help_of(InspectConfig, "normalization"),
        )
        left, middle, right = st.columns(3)
        side = left.number_input(
            "Input size", 0, MAX_SIDE, value=0, key="suspect_input_size", persist_state="session",
            help=help_of(InspectConfig, "input_size"),
        )  # fmt: skip
        pool = middle.selectbox(
            "Max-pool after the stem", ("auto", "yes", "no"), key="suspect_max_pool",
            persist_state="session", help=help_of(InspectConfig, "max_pool"),
        )  # fmt: skip
        heads = right.number_input(
            "Attention heads", 0, MAX_HEADS, value=0, key="suspect_heads", persist_state="session",
            help=help_of(InspectConfig, "heads"),
        )  # fmt: skip
        fields = {"normalization": normalization or "auto", "input_size": int(side or 0)}
        return {
            **fields, "max_pool": str(pool), "heads": int(heads or 0),
            **data_inputs.places(), **machine("suspect"),
        }  # fmt: skip


def machine(prefix: str) -> dict[str, Any]:
    """Seed and device."""
    columns = st.columns(2)
    seed = columns[0].number_input(
        "Seed", 0, 2**31 - 1, value=0, key=f"{prefix}_seed", persist_state="session",
        help=help_of(Config, "seed"),
    )  # fmt: skip
    device = columns[1].selectbox(
        "Device", DEVICES, key=f"{prefix}_device", persist_state="session",
        help=help_of(Config, "device"),
    )  # fmt: skip
    return {"seed": int(seed or 0), "device": str(device)}
