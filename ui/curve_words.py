"""What the information curves say, in plain words, and how they may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimic import curve_reading
from mimic.verdict_words import kept, looking_sentence, share_left
from ui import numbers
from ui.doubts import span

HOW_TO_COMPARE = (
    "Compare a network's own solid line (clean images) with its own dashed one (with the trigger). "
    "Heights of different networks do not compare: each is measured against its own output."
)
BOUNDS = {
    "lower": "A value says that at least so much is there, not how much.",
    "upper": "A value says that at most so much is there, not how much.",
    "neither": "A value may lie below or above what is there.",
}
"""What a value says, by the direction a result names."""
Result = Mapping[str, Any]


def summary(result: Result) -> str:
    """What happens to the suspect's information with the trigger on, without units."""
    share = kept(result, "teacher")
    if share is None:
        return most_telling(result)
    twin = kept(result, "clean_twin")
    beside = "" if twin is None else f"; the clean twin keeps {share_left(twin, 'it')}"
    of_what = "the information in the suspect's layers"
    told = f"With the trigger on, {share_left(share, of_what)} is left{beside}."
    return f"{told} {looking_sentence(share, twin)}"


def most_telling(result: Result) -> str:
    """From which of the suspect's layers its answer is read most easily, as far as that is known.

    Nothing where no layer was measured.
    """
    first = curve_reading.top(result["curves"])
    if first is None:
        return ""
    if not first.why:
        return (
            "On clean images, what the suspect answers is most easily read from "
            f"{first.layers[0]}: neither good nor bad, but a layer that a cleaned encoder can "
            "learn much from."
        )
    return (
        "On clean images, what the suspect answers can be read from "
        f"{span(first.layers, result)}; from which of them most easily, the measurement does not "
        "tell."
    )


def clean_values(result: Result, network: str) -> dict[str, float]:
    """Nats by layer on clean images, as far as they are known."""
    return {
        layer: float(nats)
        for curve in result["curves"]
        if (curve["network"], curve["input"]) == (network, "clean")
        for layer, nats in curve["layers"].items()
        if nats is not None
    }


def comparing(result: Result) -> str:
    """How the lines compare, and why the untrained network's may lie on top."""
    untrained, suspect = (clean_values(result, n) for n in ("random", "teacher"))
    if untrained and suspect and max(untrained.values()) > max(suspect.values()):
        return (
            f"{HOW_TO_COMPARE} So the untrained network lies on top although it has learned "
            "nothing."
        )
    return HOW_TO_COMPARE


CLEAN_ONLY = (
    "Only clean images were measured, because no trigger is known: the line says which layers a "
    "cleaned encoder can learn from, and nothing about a backdoor. To see whether the picture "
    "still counts with a trigger on, inspect the encoder with the trigger you suspect, then "
    "measure again."
)


def simple_caption(result: Result) -> str:
    """How to read the chart, without the estimator."""
    triggered = any(curve["input"] == "triggered" for curve in result["curves"])
    reading = HOW_TO_COMPARE if triggered else CLEAN_ONLY
    return (
        f"{reading} {BOUNDS.get(result.get('direction', 'lower'), BOUNDS['neither'])} "
        f"Measured on {numbers.count(result['clean_images'])} clean images; other images might "
        f"move the lines. A nat is a unit of information, about 1.4 bits.{first_layer(result)}"
    )


def first_layer(result: Result) -> str:
    """What the name of the first layer means, where it is one that says little."""
    return " The stem is the network's first layer." if "stem" in result["layers"] else ""


def spread(result: Result) -> str:
    """What the whiskers leave out; nothing where there are none."""
    if not any(curve.get("bands") for curve in result["curves"]):
        return ""
    return (
        "Whiskers: from the lowest to the highest critic; each holds out other ones of the same "
        "images. Where they do not overlap, two layers "
        "are told apart on these images; how far others would move them was not measured."
    )
