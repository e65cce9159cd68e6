"""Points of the information curves to be read with care, and whether the conclusion holds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mimic import curve_reading
from mimic.enumeration import enumerated
from mimic.verdict_words import has_collapsed, kept
from ui import numbers, palette

LARGE = re.compile(r"\d+\.\d+(?= nats)")
PLAIN = {
    "still rising": "a longer measurement would show more, so the truth is likely higher",
    "overfits": "learned by heart from too few images, so the values are uncertain",
    "noisy": "repeated measurements disagree",
    "nothing learned": "nothing was found, which does not mean that nothing is there",
    "converged": "close to the most this measurement can show; the truth may be far higher",
}
"""What each state of a fit means, for readers who know no critics."""
Result = Mapping[str, Any]


@dataclass(frozen=True)
class Doubt:
    """One point of one curve.

    Args:
        network: whose curve.
        given: on which images.
        layer: where on it.
        state: of the fit, as ``mimic.mutual_information.verdicts`` names it.
        sentence: what that means, with its number.
    """

    network: str
    given: str
    layer: str
    state: str
    sentence: str


def doubts(result: Result, *, untrained: bool = True) -> list[Doubt]:
    """The points that cannot be taken as they are.

    Args:
        result: of a measurement.
        untrained: also those of the untrained network.
    """
    return [
        Doubt(curve["network"], curve["input"], layer, found["state"], found["sentence"])
        for curve in result["curves"]
        for layer, found in (curve.get("verdicts") or {}).items()
        if (untrained or curve["network"] != "random") and curve_reading.is_doubtful(found)
    ]


def lines(result: Result, found: Sequence[Doubt], *, plain: bool) -> Iterator[tuple[str, str]]:
    """Where and why, one pair per reason.

    Args:
        result: of a measurement.
        found: the points.
        plain: give the reason in plain words instead of the fit's.
    """
    reasons = {(d.state, LARGE.sub("*", d.sentence)) for d in found}
    if plain:
        reasons = {(state, "") for state, _ in reasons}
    for state, shape in sorted(reasons):
        own = [
            d for d in found if d.state == state and (plain or LARGE.sub("*", d.sentence) == shape)
        ]
        yield where(result, own), PLAIN.get(state, state) if plain else reason(own)


def where(result: Result, found: Sequence[Doubt]) -> str:
    """The points by curve: ``suspect, triggered: layer1 to layer4``."""
    curves = dict.fromkeys((d.network, d.given) for d in found)
    return "; ".join(
        f"{palette.NETWORK_NAME.get(network, network)}, {given}: "
        + span([d.layer for d in found if (d.network, d.given) == (network, given)], result)
        for network, given in curves
    )


def span(layers: Iterable[str], result: Result) -> str:
    """Some of a measurement's layers, runs of three and more by their ends."""
    every, wanted = [str(name) for name in result["layers"]], set(layers)
    if len(every) > 1 and wanted >= set(every):
        return "all layers"
    said: list[str] = []
    for inside, group in itertools.groupby(every, key=lambda name: name in wanted):
        names = list(group)
        if inside:
            said += [f"{names[0]} to {names[-1]}"] if len(names) > 2 else names
    return enumerated(said)


def reason(found: Sequence[Doubt]) -> str:
    """State and sentence of points whose sentences differ in their number only."""
    values = sorted({float(n) for d in found for n in LARGE.findall(d.sentence)})
    said = found[0].sentence
    if len(values) > 1:
        said = LARGE.sub(f"{values[0]:.2f} to {values[-1]:.2f}", said)
    return f"{found[0].state}. {said}"


def conclusion(result: Result, found: Sequence[Doubt]) -> str:
    """Whether what the measurement says of the suspect holds without the doubtful points.

    Nothing where it says nothing, because no triggered images were measured.
    """
    share = kept(result, "teacher")
    if share is None:
        return ""
    doubted = {d.layer for d in found if d.network == "teacher"}
    if not doubted:
        return "Yes: none of these points is the suspect's."
    sure = [name for name in result["layers"] if name not in doubted]
    without = kept(only(result, sure), "teacher") if sure else None
    if without is None:
        return (
            "Perhaps: every layer of the suspect is in doubt, so measure again, longer or with "
            "more images, before much depends on it."
        )
    told = (
        f"counting only {span(sure, result)}, where there is no such doubt, "
        f"{numbers.percent(without)} of the suspect's information is left; counting all layers, "
        f"{numbers.percent(share)}."
    )
    if has_collapsed(without) == has_collapsed(share):
        return f"Yes: {told}"
    return f"Not surely: {told} Measure again, longer or with more images."


def only(result: Result, layers: Sequence[str]) -> Result:
    """A measurement of these layers alone."""
    curves = [
        {**curve, "layers": {n: v for n, v in curve["layers"].items() if n in layers}}
        for curve in result["curves"]
    ]
    return {**result, "curves": curves}
