"""Widgets that describe a measurement of the layers."""

from __future__ import annotations

import dataclasses
from typing import Any

import streamlit as st

from mimic.config import INFORMATION_PRESETS, InformationConfig
from ui import mode
from ui.fields import help_of, whole_or_empty
from ui.inputs import machine
from ui.setting_widgets import clean_share, one_of, real, several, whole
from ui.subject import Subject

ESTIMATORS = ("mine", "mine-joint", "infonce", "nwj", "smile", "club", "ksg")


def information(subject: Subject) -> InformationConfig:
    """Settings of a measurement."""
    kind = InformationConfig
    networks = ["teacher", "random", *(["clean_twin"] if subject.has_twin else [])]
    inputs = ["clean", *(["triggered"] if subject.has_trigger else [])]
    if not mode.is_expert():
        mode.hidden()
        usual = tuple(layer for layer in kind().layers if layer in subject.layers)
        return kind(
            **subject.settings,
            clean_fraction=subject.clean_share,
            layers=usual,
            networks=tuple(networks),
            inputs=tuple(inputs),
        )
    left, right = st.columns(2, gap="large")
    fields: dict[str, Any] = {}
    with left:
        layers = several(kind, "layers", "Layers", subject.layers)
        fields["networks"] = several(kind, "networks", "Networks", networks)
        fields["inputs"] = several(kind, "inputs", "Images", inputs)
    with right:
        fields["preset"] = one_of(kind, "preset", "Preset", tuple(INFORMATION_PRESETS))
        suited = dataclasses.asdict(kind(**fields))  # What the preset decides.
        fields["clean_fraction"] = clean_share(kind, subject.clean_share)
        epochs = whole(kind, "critic_epochs", "Critic epochs", (1, 10_000), suited)
        fields["critic_epochs"] = epochs
    with st.expander("More settings"):
        fields |= critics(kind, suited)
        fields |= machine("information")
    return InformationConfig(**subject.settings, layers=layers, **fields)


def critics(kind: type[InformationConfig], suited: dict[str, Any]) -> dict[str, Any]:
    """Settings of a measurement that rarely need a change: one line each.

    Args:
        kind: the config.
        suited: values that take the place of the defaults.
    """
    left, right = st.columns(2, gap="large")
    with left:
        fields: dict[str, Any] = {
            "pairs": whole(kind, "pairs", "Pairs", (50, 1_000_000), suited),
            "pool": whole(kind, "pool", "Map averaged to cells per side", (0, 64), suited),
        }
        fields["projection"] = whole_or_empty(
            kind, "projection", "Project to numbers", (1, 1_000_000)
        )
    with right:
        fields["noise"] = real(kind, "noise", "Noise share", (0.0, 10.0), suited=suited)
        fields["held_out"] = real(kind, "held_out", "Held-out share", (0.01, 0.99))
        fields["critics"] = whole(kind, "critics", "Critics per layer", (1, 64), suited)
    fields["estimator"] = estimator(kind, suited)
    return fields


def estimator(kind: type[InformationConfig], suited: dict[str, Any]) -> str:
    """The estimator, the preset's first."""
    options = list(dict.fromkeys([suited["estimator"], *ESTIMATORS]))
    chosen = st.selectbox(
        "Estimator", options, key=f"information_estimator_{suited['estimator']}",
        help=help_of(kind, "estimator"), persist_state="session",
    )  # fmt: skip
    return str(chosen)
