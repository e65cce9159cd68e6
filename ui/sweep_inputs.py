"""Widgets that describe a sweep, and how long it will take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from mimic.config import SweepConfig
from mimic.run import Run
from mimic.sweep import LOSSES, cells
from ui import numbers
from ui.inputs import machine
from ui.setting_widgets import clean_share, real, several, whole, words
from ui.subject import Subject

SCALES = ("10", "35", "100", "350", "1000", "3500")


def sweep(subject: Subject) -> SweepConfig:
    """Settings of a sweep."""
    kind = SweepConfig
    suited = subject.recommended("sweep")
    left, right = st.columns(2, gap="large")
    with left:
        fields: dict[str, Any] = {
            "layer_sets": words(kind, "layer_sets", "Layer sets", [*subject.layers, "all", "none"]),
            "scales": words(kind, "scales", "Attention weight per layer", SCALES),
        }
    with right:
        first, second = st.columns(2)
        with first:
            usual = int(kind().seeds[0])
            count = st.number_input(
                "Seeds per cell", 1, 100, value=usual, key="sweep_seed_count",
                persist_state="session",
                help="Each seed draws its own clean images and its own student.",
            )  # fmt: skip
            fields["seeds"] = (str(int(count)),)
        with second:
            fields["epochs"] = whole(kind, "epochs", "Epochs per cell", (1, 100_000), suited)
        fields["losses"] = several(kind, "losses", "Losses", list(LOSSES))
    with st.expander("More settings"):
        first, second, third = st.columns(3)
        with first:
            fields["clean_fraction"] = clean_share(kind, subject.clean_share)
            fields["workers"] = whole(kind, "workers", "Cells at the same time", (1, 64))
        with second:
            fields["batch_size"] = whole(kind, "batch_size", "Batch size", (2, 65_536))
            fields["temperature"] = real(kind, "temperature", "Temperature", (0.01, 10.0))
        with third:
            rate = real(kind, "learning_rate", "Learning rate", (1e-6, 1.0), "%.4f")
            fields["learning_rate"] = rate
        fields |= machine("sweep")
    return SweepConfig(**{**subject.settings, **fields})


def estimate(config: SweepConfig, sweeps: Sequence[Run], distillations: Sequence[Run]) -> str:
    """How many cells there will be and how long they will take, from the newest run that tells.

    Raises:
        ConfigError: if the sweep makes no sense.
    """
    count = len(cells(config))
    said = f"{count} cell{'s' if count > 1 else ''}"
    per_cell = next(
        filter(None, (seconds_per_cell(run, config) for run in (*sweeps, *distillations))), None
    )
    if per_cell is None:
        return f"{said}, one short distillation each."
    left = numbers.duration(count * per_cell)
    return f"{said}, about {left} going by the newest run on this encoder."


def seconds_per_cell(run: Run, config: SweepConfig) -> float | None:
    """Seconds from one cell's end to the next if all goes as fast as in a run; None if unknown."""
    asked = run.about()["config"]
    lines = [line for line in run.metrics() if line.get("seconds")]
    if not lines:
        return None
    if run.kind == "sweep":
        epochs, at_once = len(lines) * asked["epochs"], asked["workers"]
    else:
        epochs, at_once = len(lines), 1
    per_epoch = sum(line["seconds"] for line in lines) / epochs / at_once
    return float(per_epoch * config.epochs * config.clean_fraction / asked["clean_fraction"])
