"""Widgets that describe a suspect encoder: what to inspect, on which images, with which trigger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from mimic.config import PUBLIC_PREFIX, Config, InspectConfig, resolve_path
from mimic.errors import EncoderError, MimicError
from mimic.parsing import sniff
from mimic.subjects import builtin_subjects, subject_fields
from ui import data_inputs, frame, mode, target_input, text, trigger_inputs, uploads
from ui.fields import help_of, typed, whole_or_empty

SOURCES = {
    "upload": "Upload a file",
    "path": "File on this machine",
    "builtin": "Built-in example",
}
TWINS = {"none": "I have none", "upload": "Upload a file", "path": "File on this machine"}
SOURCE_KEY, ENCODER_KEY = "suspect_source", "suspect_encoder"
TWIN_KEY, TWIN_FILE_KEY = "suspect_twin", "suspect_twin_file"
MAX_SIDE = 1024
MAX_HEADS = 256
DEVICES = ("auto", "cpu", "cuda", "mps")


def suspect() -> InspectConfig | None:
    """What to inspect, or None while something needed is missing."""
    st.session_state.setdefault(SOURCE_KEY, "upload")
    source = st.segmented_control(
        "1. Where is the encoder file? (needed)",
        list(SOURCES),
        required=True,
        format_func=lambda name: SOURCES.get(name, name),
        key=SOURCE_KEY,
        persist_state="session",
        wrap=True,
    )
    if source == "builtin":
        return builtin()
    encoder = encoder_file(source or "path", ENCODER_KEY, "Encoder file")
    left, right = st.columns(2, gap="large")
    with left:
        fields: dict[str, Any] = {"data": data_inputs.images()}
        fold = (
            st.container() if mode.is_expert() else st.expander("More to compare with (optional)")
        )
        with fold:
            fields |= {"downstream": data_inputs.labelled(), "clean_twin": twin()}
        if not mode.is_expert():
            fields |= data_inputs.fetching(fields["data"], fields["downstream"])
    with right:
        scored = fields["data"] if fields["downstream"] == "" else fields["downstream"]
        size = data_inputs.size_of(scored)
        fields["trigger"] = trigger_inputs.trigger(fields["data"] or "", size)
        fields["target_class"] = target_input.target(
            fields["trigger"], fields["downstream"] or fields["data"] or ""
        )
    fields |= advanced()
    if not encoder:
        missing("An encoder's file is needed to go on.", ":material/upload_file:")
    elif not fields["data"] or fields["downstream"] is None:
        missing("Give the images to go on: upload them or name their path.", ":material/image:")
    else:
        return InspectConfig(encoder=encoder, **fields)
    return None


def missing(said: str, icon: str) -> None:
    """What is still needed, beside the button that then can be pressed."""
    st.info(said, icon=icon)
    st.button("Inspect", type="primary", icon=":material/search:", disabled=True, key="wait")


def builtin() -> InspectConfig | None:
    """One of the subjects that ship with the project."""
    subjects = builtin_subjects()
    if not subjects:
        st.info("No built-in subject is installed.", icon=":material/info:")
        return None
    name = st.selectbox(
        "Example",
        sorted(subjects, key=lambda name: (name != "demo", name)),
        format_func=lambda n: text.bare(subjects.get(n, {}).get("title", n), 60),
        key="suspect_builtin",
        persist_state="session",
    )
    st.caption(text.sentence(subjects[name].get("description", "")))
    fields = {"subject": name, **subject_fields(name)}
    if not mode.is_expert():
        fields |= data_inputs.fetching(fields["data"], fields.get("downstream", ""))
        mode.hidden()
        return InspectConfig(**fields)
    with st.expander("More settings"):
        return InspectConfig(**{**fields, **data_inputs.places(), **machine("suspect")})


def encoder_file(source: str, key: str, label: str) -> str:
    """An encoder's file, uploaded or named; nothing while there is none."""
    if source == "upload":
        return uploads.picker(
            f"{label} to upload (.pth, .pt, .safetensors …)",
            key,
            allowed=uploads.ENCODER_SUFFIXES,
            megabytes=uploads.ENCODER_MEGABYTES,
            hint="Read as plain numbers only, in a process of its own; a file that asks to run "
            f"code is refused. Up to {uploads.ENCODER_MEGABYTES} MB; name a larger one by its "
            "path.",
            check=sniff.first_look,
        )
    path = typed(label, f"{key}_path", "/path/to/encoder.pth")
    if not path or path.startswith(PUBLIC_PREFIX):
        return path
    try:
        file = existing(path)
        sniff.first_look(file, file.name)
    except MimicError as error:
        frame.error_card(error.cause, error.remedy)
        return ""
    return path


def existing(path: str) -> Path:
    """The file that a typed path leads to.

    Raises:
        MimicError: if it does not, so that a slip of the pen is told before any job starts.
    """
    found = resolve_path(path)
    try:
        is_file, is_folder = found.is_file(), found.is_dir()
    except (OSError, ValueError):
        is_file = is_folder = False
    if is_folder:
        raise EncoderError(
            f"'{found.name}' is a folder, not an encoder file.", "Add the file's name to the path."
        )
    if not is_file:
        raise EncoderError(
            f"There is no file '{found.name}' at that path.",
            "Check how it is written; the file has to be on the machine that runs this app.",
        )
    return found


def twin() -> str:
    """A clean encoder of the same kind."""
    st.session_state.setdefault(TWIN_KEY, "none")
    source = st.segmented_control(
        "Clean twin: an encoder of the same kind, never attacked (optional)",
        list(TWINS),
        required=True,
        format_func=lambda name: TWINS.get(name, name),
        key=TWIN_KEY,
        persist_state="session",
        help=help_of(InspectConfig, "clean_twin"),
        wrap=True,
    )
    if source in (None, "none"):
        return ""
    return encoder_file(source, TWIN_FILE_KEY, "Clean twin file")


def advanced() -> dict[str, Any]:
    """Settings that rarely need a change."""
    if not mode.is_expert():
        mode.hidden()
        return {}
    with st.expander("More settings"):
        st.session_state.setdefault("suspect_normalization", "auto")
        normalization = st.text_input(
            "Normalisation",
            key="suspect_normalization",
            persist_state="session",
            help=help_of(InspectConfig, "normalization"),
        )
        left, middle, right = st.columns(3)
        kind, fields = InspectConfig, {"normalization": normalization or "auto"}
        with left:
            side = whole_or_empty(
                kind, "input_size", "Input size", (8, MAX_SIDE), "suspect_input_size"
            )
        pool = middle.selectbox(
            "Max-pool after the stem", ("auto", "yes", "no"), key="suspect_max_pool",
            persist_state="session", help=help_of(InspectConfig, "max_pool"),
        )  # fmt: skip
        with right:
            heads = whole_or_empty(
                kind, "heads", "Attention heads", (1, MAX_HEADS), "suspect_heads"
            )
        return {
            **fields, "input_size": side, "max_pool": str(pool), "heads": heads,
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
