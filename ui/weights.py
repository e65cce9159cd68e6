"""Layer weights: the widgets that shape them on one page, and how they travel to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from mimic.layer_weights import PRESETS, layer_weights
from ui import charts, downloads, frame, picture_file, provenance, text
from ui.subject import Subject

CARRIED = "carried_weights"
PRESET_NAMES = {"gentle": "gentle (ours)", "authors": "authors (public code)"}


@dataclass(frozen=True)
class CarriedWeights:
    """Weights chosen on the Layers page.

    Args:
        subject: the inspection they belong to.
        information: the run they were computed from.
        weights: layer to weight; layers switched off are left out.
    """

    subject: str
    information: str
    weights: dict[str, float]

    def as_words(self) -> tuple[str, ...]:
        """As the setting of a distillation."""
        return tuple(f"{layer}={weight:g}" for layer, weight in self.weights.items())

    def sentence(self) -> str:
        """On one line."""
        return ", ".join(
            f"{text.bare(layer)} {weight:,.1f}" for layer, weight in self.weights.items()
        )


def carried(subject: Subject) -> CarriedWeights | None:
    """Weights chosen for this subject, if any."""
    chosen: CarriedWeights | None = st.session_state.get(CARRIED)
    return chosen if chosen and chosen.subject == subject.run.id else None


def carry(chosen: CarriedWeights) -> None:
    """Keep weights for the Distil page."""
    st.session_state[CARRIED] = chosen
    st.session_state["distil_weights"] = "layers"


def scale() -> tuple[float, float]:
    """Preset with its base and budget, both of which may be changed."""
    preset = st.segmented_control(
        "Scale",
        list(PRESETS),
        default="gentle",
        required=True,
        format_func=lambda name: PRESET_NAMES.get(name, name),
        key="weights_preset",
        persist_state="session",
        help="Strong attention can carry the backdoor over together with the knowledge; "
        "gentle weights keep accuracy and let the backdoor go.",
    )
    start = PRESETS[preset or "gentle"]
    columns = st.columns(2)
    base = columns[0].number_input(
        "Base", 0.0, 1e6, value=start.base, key=f"weights_base_{preset}", persist_state="session",
        help="Every layer gets this weight, whatever it holds.",
    )  # fmt: skip
    budget = columns[1].number_input(
        "Budget", 0.0, 1e6, value=start.budget, key=f"weights_budget_{preset}",
        persist_state="session", help="Divided among the layers by their information.",
    )  # fmt: skip
    return float(base), float(budget)


def edit(information: Mapping[str, float], subject: Subject, run_id: str) -> CarriedWeights | None:
    """Switch layers on and off and change their weights.

    Returns:
        The chosen weights, or None where no layer is on.
    """
    base, budget = scale()
    st.caption("Layers taught to the student, and how much each counts:")
    kept = {
        layer: nats
        for layer, nats in information.items()
        if st.session_state.get(f"layer_on_{layer}", layer != "stem")
    }
    proposed = layer_weights(kept, base=base, budget=budget) if kept else {}
    stamp = f"{run_id}-{base:g}-{budget:g}-{','.join(kept)}"
    chosen = {}
    for layer, nats in information.items():
        name, number = st.columns([1, 1], vertical_alignment="center")
        on = name.checkbox(
            f"{text.plain(layer)} · {nats:.2f} nats",
            value=layer != "stem",
            key=f"layer_on_{layer}",
            persist_state="session",
        )
        most = max(base + budget, 1.0)  # What one layer with all the information would get.
        weight = number.slider(
            f"Weight of {text.plain(layer)}",
            0.0,
            most,
            value=min(round(proposed.get(layer, 0.0), 2), most),
            step=0.01 if most < 1_000 else 1.0,
            key=f"weight-{layer}-{stamp}",
            persist_state="session",
            label_visibility="collapsed",
            disabled=not on,
        )
        if on and weight:
            chosen[layer] = float(weight)
    if not chosen:
        st.warning("Every layer is off: switch on at least one.", icon=":material/warning:")
        return None
    return CarriedWeights(subject=subject.run.id, information=run_id, weights=chosen)


def choose(subject: Subject, run_id: str, information: Mapping[str, float]) -> None:
    """Shape the weights, see them as bars, take them to the Distil page."""
    st.header("How much to teach from each layer", anchor=False)
    if not information:
        st.info("Measure the suspect on clean images to get weights.", icon=":material/info:")
        return
    left, right = st.columns([5, 6], gap="large")
    with left:
        edited = edit(information, subject, run_id)
    if edited is None:
        return
    with right:
        figure = charts.weight_bars({n: edited.weights.get(n, 0.0) for n in information})
        st.plotly_chart(
            figure,
            config=picture_file.named("layer-weights", run_id),
            key="layer-weights",
            alt=f"Weight of each layer's attention loss: {edited.sentence()}.",
        )
        st.caption(
            "Weight = base + budget × the layer's share of the information the suspect carries on "
            "clean images. A layer that is off teaches nothing."
        )
        facts = provenance.of(run_id, encoder="suspect")
        downloads.figure_csv(figure, picture_file.file_name("layer-weights", run_id), facts)
        if st.button("Use these weights", type="primary", icon=":material/arrow_forward:"):
            carry(edited)
            frame.go("distil")
