"""What curves of information mean, in plain words; free of torch, so that pages can say it, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mimic.enumeration import enumerated
from mimic.verdict_words import kept, looking_sentence, share_left

DATA_PROCESSING = (
    "Data processing: a layer cannot know more of the image than the layers before it, and since "
    "every layer determines the features, the true information about them is the same at every "
    "layer; it cannot rise or fall with depth. An estimate can, because a critic of fixed size "
    "and few images reads the features more easily from some layers than from others."
)
WITHOUT_INTERVAL = "one critic gives no range by which layers could be told apart"
OVERLAP = "the ranges of their critics overlap"
Curves = Sequence[Mapping[str, Any]]
"""Curves as a result holds them: network, input, nats by layer, and by layer the lowest and the
highest critic (``bands``) and the fit's verdict (``verdicts``), where they were noted."""


@dataclass(frozen=True)
class Top:
    """Which layers tell most.

    Args:
        layers: that may tell most, input side first; one only where it is told apart from all
            others.
        nats: lowest and highest of their estimates.
        why: the reason why several cannot be told apart; nothing for one.
    """

    layers: tuple[str, ...]
    nats: tuple[float, float]
    why: str = ""


def top(curves: Curves, network: str = "teacher") -> Top | None:
    """The layers with most information on clean images; None where none is known."""
    curve = next((c for c in curves if (c["network"], c["input"]) == (network, "clean")), {})
    nats = known(curve)
    if not nats:
        return None
    bands = {n: b for n, b in (curve.get("bands") or {}).items() if n in nats}
    doubted = [n for n, v in (curve.get("verdicts") or {}).items() if n in nats and is_doubtful(v)]
    best = max(nats, key=lambda layer: nats[layer])
    rivals, why = list(nats), ""
    if len(nats) > 1 and not any(high > low for low, high in bands.values()):
        why = WITHOUT_INTERVAL
    elif doubted and len(nats) > 1:
        are = "readings of" if len(doubted) > 1 else "reading of"
        why = f"the {are} {enumerated(doubted)} can only be taken with care"
    else:
        low = bands.get(best, (nats[best],) * 2)[0]
        rivals = [n for n in nats if n == best or bands.get(n, (nats[n],) * 2)[1] >= low]
        why = OVERLAP if len(rivals) > 1 else ""
    values = [nats[n] for n in rivals]
    return Top(tuple(rivals), (min(values), max(values)), why)


def known(curve: Mapping[str, Any]) -> dict[str, float]:
    """Nats by layer, as far as they were measured."""
    return {n: float(v) for n, v in (curve.get("layers") or {}).items() if v is not None}


def is_doubtful(verdict: Mapping[str, str]) -> bool:
    """Whether a fit cannot be taken as it is; one near the ceiling converged, yet says less."""
    return verdict["state"] != "converged" or "ceiling" in verdict["sentence"]


def explain(curves: Curves) -> str:
    """What the curves show, in plain words."""
    first = top(curves)
    if first is None:
        return "The suspect encoder was not measured on clean images."
    parts = [most_telling(first)]
    left, twin = (kept({"curves": curves}, network) for network in ("teacher", "clean_twin"))
    if left is not None:
        parts.append(
            f"With the trigger on, {share_left(left, 'the information')} is left, summed over "
            "layers."
        )
        if twin is not None:
            parts.append(f"The clean twin keeps {share_left(twin, 'it', explained=True)}.")
        parts.append(looking_sentence(left, twin))
    return " ".join(parts)


def most_telling(first: Top) -> str:
    """The layer that tells most, or that several cannot be told apart."""
    low, high = (f"{nats:.2f}" for nats in first.nats)
    if not first.why:
        return (
            f"On clean images, {first.layers[0]} tells most about the suspect's output features "
            f"({high} nats)."
        )
    span = low if low == high else f"{low} to {high}"
    return (
        f"On clean images, {enumerated(first.layers)} cannot be told apart as to how much they "
        f"tell about the suspect's output features ({span} nats): {first.why}."
    )
