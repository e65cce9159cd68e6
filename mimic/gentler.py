"""The next gentler cleaning: which settings to change where one has left the backdoor in.

One step at a time, the cheapest first, and only steps that were measured (see the README):

1. Back to the gentle attention scale and to a length that suits the clean images. Strong attention
   carried the backdoor over, and so did a long training.
2. No clone loss. With it a long training brought the backdoor back, without it none did.
3. Attention from the earliest layer alone, which carried the least over at every scale.

Beyond these nothing was measured, so nothing is proposed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mimic.config import DistillConfig
from mimic.layer_weights import PRESETS
from mimic.run import Run
from mimic.subjects import recommended_distillation
from mimic.training_length import suited_epochs
from mimic.verdict import of_run

LEFT_IN = ("remains", "trace")
"""Levels of a verdict that call for another, gentler cleaning."""
GENTLE, TOLERANCE = PRESETS["gentle"], 1.01
UNTAUGHT = "stem"
"""A layer whose attention was never measured alone."""


@dataclass(frozen=True)
class Gentler:
    """A gentler cleaning than one that has ended.

    Args:
        config: its settings; what is not changed is as it was, the seed too.
        changes: what is changed, one sentence each, with the old value.
        why: what was measured that speaks for it, in one sentence.
        seconds: of training, judged by the time that the one before took.
    """

    config: DistillConfig
    changes: tuple[str, ...]
    why: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """What it changes, why, and for how long, as JSON-ready values."""
        return {"changes": list(self.changes), "why": self.why, "seconds": self.seconds}


def after(run: Run, level: str = "") -> Gentler | None:
    """The gentler cleaning to make after this one.

    Args:
        run: a distillation.
        level: of the verdict on it, where more than the run itself decided it.

    Returns:
        None where the run has no outcome, where its verdict does not call for one, or where every
        measured step has been taken.

    Raises:
        MimicError: if the run's settings can no longer be read.
    """
    result = run.result()
    if run.kind != "distill" or result is None:
        return None
    config = run.config()
    if not isinstance(config, DistillConfig) or (level or of_run(run).level) not in LEFT_IN:
        return None
    return gentler(config, result)


def gentler(config: DistillConfig, result: Mapping[str, Any]) -> Gentler | None:
    """The first step that is still left, whatever the verdict.

    Args:
        config: settings of a distillation.
        result: its outcome.
    """
    for step in (as_recommended, without_clone, earliest_layer):
        fields, changes, why = step(config, result)
        if fields:
            trained = result.get("stopped_early_at") or config.epochs
            softer = replace(config, **fields)
            share = softer.epochs / trained
            return Gentler(softer, tuple(changes), why, share * float(result["seconds"]))
    return None


Step = tuple[dict[str, Any], list[str], str]


def as_recommended(config: DistillConfig, result: Mapping[str, Any]) -> Step:
    """The gentle scale and the recommended length, where a cleaning went beyond either."""
    fields: dict[str, Any] = {}
    changes, why = [], []
    used = taught(config, result)
    total = config.attention_weight * sum(used.values())
    gentle = GENTLE.base * len(used) + GENTLE.budget
    if used and total > TOLERANCE * gentle:
        fields |= gentle_attention(tuple(used))
        changes.append(
            f"Attention weights: {gentle / len(used):,.1f} per layer on average instead of "
            f"{total / len(used):,.1f}."
        )
        why.append("strong attention carried the backdoor over")
    most = longest(config, int(result["clean_images"]))
    if (result.get("stopped_early_at") or config.epochs) > most:
        fields["epochs"] = most
        changes.append(f"Rounds (epochs): {most:,} instead of {config.epochs:,}.")
        why.append(f"a long training brought {'it' if why else 'the backdoor'} back")
    return fields, changes, f"Where it was measured, {' and '.join(why)}."


def without_clone(config: DistillConfig, _result: Mapping[str, Any]) -> Step:
    """No clone loss; the contrastive loss takes part where nothing else would."""
    if not config.clone_weight:
        return {}, [], ""
    fields: dict[str, Any] = {"clone_weight": 0.0}
    changes = [f"Clone loss: off instead of weight {config.clone_weight:g}."]
    if not config.contrastive_weight and not config.attention_weight:
        fields["contrastive_weight"] = 1.0
        changes.append("Contrastive loss: weight 1 instead of off.")
    why = "Where it was measured, the clone loss brought the backdoor back in a long training."
    return fields, changes, why


def earliest_layer(config: DistillConfig, result: Mapping[str, Any]) -> Step:
    """Attention from the layer closest to the image alone."""
    used = list(taught(config, result))
    first = next((layer for layer in used if layer != UNTAUGHT), None)
    if first is None or len(used) < 2:
        return {}, [], ""
    changes = [f"Attention: {first} alone instead of {', '.join(used)}."]
    why = "Where it was measured, the earliest layer carried the least of the backdoor over."
    return gentle_attention((first,)), changes, why


def taught(config: DistillConfig, result: Mapping[str, Any]) -> dict[str, float]:
    """The layers whose attention was taught and their weights, input side first."""
    if not config.attention_weight:
        return {}
    weights = result["weights"]
    named = [layer for layer in config.layers if layer in weights]
    ordered = [*named, *(layer for layer in weights if layer not in named)]
    return {layer: float(weights[layer]) for layer in ordered if weights[layer] > 0}


def gentle_attention(layers: tuple[str, ...]) -> dict[str, Any]:
    """Settings that teach these layers at the gentle scale."""
    return {
        "layers": layers, "weights": (), "preset": "gentle", "base": -1.0, "budget": -1.0,
        "attention_weight": 1.0,
    }  # fmt: skip


def longest(config: DistillConfig, clean_images: int) -> int:
    """The most epochs recommended for so many clean images, or for the built-in subject."""
    measured = int(recommended_distillation(config.subject).get("epochs", 0))
    return max(measured, suited_epochs(max(1, clean_images), config.batch_size))
