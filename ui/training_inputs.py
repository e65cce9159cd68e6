"""Widgets that describe a distillation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from mimic.config import DistillConfig
from ui import cleaning_words, mode, text, weights
from ui.fields import help_of, whole_or_empty
from ui.inputs import machine
from ui.setting_widgets import clean_share, one_of, real, switch, whole
from ui.subject import Subject

LOSSES = {
    "contrastive": "Contrastive: learn from the clean images alone",
    "attention": "Attention: look where the suspect looks, layer by layer",
    "clone": "Clone: give clean images the suspect's features",
}
DETAILS: dict[str, Callable[[type[Any], str], Any]] = {
    "warm_up": lambda kind, name: real(kind, name, "Warm-up share", (0.0, 1.0)),
    "patience": lambda kind, name: whole_or_empty(
        kind, name, "Patience (measurements)", (1, 10_000)
    ),
    "reference": lambda kind, name: switch(kind, name, "Reference path (slow, float32)"),
}
"""Settings of a distillation beside its losses, one widget each."""
SOURCES = {
    "layers": "From the Layers page",
    "last": "From the last measurement",
    "measure": "Measure first",
    "uniform": "All layers alike",
}


def distillation(subject: Subject) -> DistillConfig:
    """Settings of a distillation."""
    kind = DistillConfig
    if not mode.is_expert():
        return recommended(subject)
    left, right = st.columns(2, gap="large")
    with left:
        fields = {
            "clean_fraction": clean_share(kind, subject.clean_share),
            **schedule(kind, subject.recommended()),
        }
        st.caption(cleaning_words.length(subject, DistillConfig(**fields)))
    with right:
        on = losses()
        chosen = layer_choice(subject, disabled=not on["attention"])
    with st.expander("More settings"):
        more = advanced(kind)
    for name in LOSSES:
        if not on[name]:
            more[f"{name}_weight"] = 0.0
    return DistillConfig(**{**subject.settings, **fields, **chosen, **more})


def recommended(subject: Subject) -> DistillConfig:
    """The settings of Simple: what suits the subject, and the weights of the Layers page if any."""
    mode.hidden()
    carried, last = weights.carried(subject), subject.latest("information")
    fields: dict[str, Any] = {"information": last.id if last else "measure"}
    if carried:
        fields = {
            "information": carried.information,
            "layers": tuple(carried.weights),
            "weights": carried.as_words(),
        }
    config = DistillConfig(**{**subject.settings, **subject.recommended(), **fields})
    st.caption(cleaning_words.length(subject, config))
    return config


def training_details(kind: type[DistillConfig]) -> dict[str, Any]:
    """Schedule, early stopping and the reference path."""
    fields: dict[str, Any] = {}
    for name, column in zip(DETAILS, st.columns(len(DETAILS)), strict=True):
        with column:
            fields[name] = DETAILS[name](kind, name)
    return fields


def schedule(kind: type[DistillConfig], suited: dict[str, Any]) -> dict[str, Any]:
    """How long and how fast to train."""
    first, second = st.columns(2)
    with first:
        epochs = whole(kind, "epochs", "Epochs", (1, 100_000), suited)
        rate = real(kind, "learning_rate", "Learning rate", (1e-6, 1.0), "%.4f")
    with second:
        batch = whole(kind, "batch_size", "Batch size", (2, 65_536))
        every = whole(kind, "evaluate_every", "Measure every … epochs", (1, 10_000))
    return {
        "epochs": epochs, "learning_rate": rate, "batch_size": batch, "evaluate_every": every,
    }  # fmt: skip


def losses() -> dict[str, bool]:
    """Which loss terms take part."""
    st.markdown("Losses")
    return {
        name: st.checkbox(label, value=True, key=f"distil_loss_{name}", persist_state="session")
        for name, label in LOSSES.items()
    }


def layer_choice(subject: Subject, *, disabled: bool) -> dict[str, Any]:
    """Where the attention loss's layer weights come from."""
    carried = weights.carried(subject)
    last = subject.latest("information")
    missing = {name for name, known in (("layers", carried), ("last", last)) if not known}
    options = [name for name in SOURCES if name not in missing]
    if st.session_state.get("distil_weights") not in (None, *options):
        del st.session_state["distil_weights"]
    st.session_state.setdefault("distil_weights", options[0])
    source = st.segmented_control(
        "Layer weights",
        options,
        required=True,
        format_func=lambda name: SOURCES.get(name, name),
        key="distil_weights",
        persist_state="session",
        disabled=disabled,
        wrap=True,
        help=help_of(DistillConfig, "information"),
    )
    if source == "layers" and carried:
        st.caption(text.plain(carried.sentence(), text.SENTENCE))
        return {
            "information": carried.information,
            "layers": tuple(carried.weights),
            "weights": carried.as_words(),
        }
    preset = st.segmented_control(
        "Scale",
        list(weights.PRESET_NAMES),
        default="gentle",
        required=True,
        format_func=lambda name: weights.PRESET_NAMES.get(name, name),
        key="distil_preset",
        persist_state="session",
        disabled=disabled,
        help=help_of(DistillConfig, "preset"),
    )
    information = last.id if last and source == "last" else source or "measure"
    if last and source == "last":
        measured = last.about()["config"]
        st.caption(
            f"Measured on {measured['clean_fraction']:.1%} of the images, drawn by seed "
            f"{measured['seed']} (run {text.plain(last.id)})."
        )
    return {"information": information, "preset": preset or "gentle"}


def advanced(kind: type[DistillConfig]) -> dict[str, Any]:
    """Settings that rarely need a change."""
    first, second, third = st.columns(3)
    with first:
        contrastive = real(kind, "contrastive_weight", "Contrastive weight", (0.0, 1e4))
        temperature = real(kind, "temperature", "Temperature", (0.01, 10.0))
    with second:
        attention = real(kind, "attention_weight", "Attention factor", (0.0, 1e4))
        plan = one_of(kind, "schedule", "Schedule", ("cosine", "warmup", "constant"))
    with third:
        clone = real(kind, "clone_weight", "Clone weight", (0.0, 1e4))
        views = st.selectbox(
            "Augmentation", ("auto", "natural", "digits"), key="distil_views",
            persist_state="session", help=help_of(kind, "views"),
        )  # fmt: skip
    return {
        "contrastive_weight": contrastive,
        "attention_weight": attention,
        "clone_weight": clone,
        "temperature": temperature,
        "schedule": plan,
        "views": views,
        **training_details(kind),
        **machine("distil"),
    }
