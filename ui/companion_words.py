"""What a companion says of the layers, and where it and the information disagree, from numbers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mimic.enumeration import enumerated
from mimic.intervals import difference_interval
from ui import numbers

TIED = 0.02
SAME = 0.005
"""Values closer than the one share of a measure's range, or the other of its size, are alike."""
MOSTLY = 0.75
FEW = 0.5
"""A companion that tells fewer of the information's pairs apart than this share says little."""
Values = Mapping[str, float]
Bands = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Order:
    """How two measures order the layers.

    Args:
        alike: pairs of layers that both put in the same order.
        decided: pairs that both tell apart.
        apart: of the layers in pairs of opposite order, the one whose rank differs most, with its
            rank by either, 1 for the highest; None where no pair is in opposite order.
        layers: how many layers were ranked.
        pairs: pairs that the information tells apart.
    """

    alike: int
    decided: int
    apart: tuple[str, int, int] | None
    layers: int
    pairs: int

    @property
    def share(self) -> float | None:
        """Share of the decided pairs that are alike."""
        return self.alike / self.decided if self.decided else None

    @property
    def is_thin(self) -> bool:
        """Whether the companion tells too few of the pairs apart to confirm an order."""
        return self.decided < FEW * self.pairs


def told_apart(values: Values, one: str, other: str, bands: Bands) -> bool:
    """Whether a measure tells two layers apart: by its bands, else by more than a hair."""
    if one in bands and other in bands:
        (low, high), (bottom, top) = bands[one], bands[other]
        return bool(low > top or bottom > high)
    span = max(values.values()) - min(values.values())
    size = max(abs(value) for value in values.values())
    return abs(values[one] - values[other]) > max(TIED * span, SAME * size)


def beyond_sampling(values: Values, one: str, other: str, intervals: Bands) -> bool:
    """Whether two shares differ by more than the sampling error; where unknown, by a hair.

    Both are of the same images, which the interval does not use: it errs on the side of caution.
    """
    if one not in intervals or other not in intervals:
        return told_apart(values, one, other, {})
    low, high = difference_interval(values[one], intervals[one], values[other], intervals[other])
    return not low <= 0 <= high


def compare(
    information: Values,
    companion: Values,
    bands: Bands | None = None,
    intervals: Bands | None = None,
) -> Order:
    """Compare the order of layers by information and by a companion.

    Args:
        information: nats by layer.
        companion: its value by layer.
        bands: lowest and highest critic by layer; overlapping bands leave a pair undecided.
        intervals: 95% intervals of the companion's shares by layer, where it has any.
    """
    shared = [layer for layer in information if layer in companion]
    mine, theirs = ({n: v[n] for n in shared} for v in (information, companion))
    alike = decided = pairs = 0
    opposite: list[str] = []
    for one, other in itertools.combinations(shared, 2):
        if not told_apart(mine, one, other, bands or {}):
            continue
        pairs += 1
        if not beyond_sampling(theirs, one, other, intervals or {}):
            continue
        decided += 1
        if (mine[one] > mine[other]) == (theirs[one] > theirs[other]):
            alike += 1
        else:
            opposite += [one, other]
    by_mine, by_theirs = ranks(mine), ranks(theirs)
    furthest = max(opposite, key=lambda n: abs(by_mine[n] - by_theirs[n]), default=None)
    apart = None
    if furthest is not None and by_mine[furthest] != by_theirs[furthest]:
        apart = (furthest, by_mine[furthest], by_theirs[furthest])
    return Order(alike, decided, apart, len(shared), pairs)


def ranks(values: Values) -> dict[str, int]:
    """Rank by value, 1 for the highest; equal values share the better rank."""
    return {n: 1 + sum(other > value for other in values.values()) for n, value in values.items()}


def course(values: Values, layout: str, intervals: Bands | None = None) -> str:
    """Where a measure is lowest and highest, as far as that is more than chance."""
    if not values:
        return ""
    low, high = (pick(values, key=lambda n: values[n]) for pick in (min, max))
    if beyond_sampling(values, low, high, intervals or {}):
        return (
            f"Suspect: lowest in {low} ({layout.format(values[low])}), "
            f"highest in {high} ({layout.format(values[high])})."
        )
    ends = list(dict.fromkeys(layout.format(values[name]) for name in (low, high)))
    if len(ends) == 2 and intervals:
        return f"Suspect: {ends[0]} to {ends[1]}, which may be chance."
    return f"Suspect: {ends[-1]} in every layer."


def order_words(order: Order) -> str:
    """How one companion's order compares, on one line."""
    if not order.decided:
        return "It tells no two layers apart that the information tells apart."
    pairs = "pair" if order.decided == 1 else "pairs"
    told = f"Orders {order.alike} of {order.decided} {pairs} of layers as the information does."
    if order.is_thin:
        told += f" The other {order.pairs - order.decided} it does not tell apart."
    if order.apart is not None:
        layer, mine, theirs = order.apart
        told += (
            f" Furthest apart on {layer}: number {mine} of {order.layers} by information, "
            f"number {theirs} here."
        )
    return told


def agreement(orders: Mapping[str, Order]) -> str:
    """What the companions and the information agree on, and what they do not.

    Args:
        orders: companion's name on screen to how its order compares.
    """
    groups: dict[str, list[str]] = {
        "agree": [], "half": [], "against": [], "thin": [], "silent": [],
    }  # fmt: skip
    for name, order in orders.items():
        share = order.share
        if share is None:
            groups["silent"].append(name)
            continue
        if order.is_thin:
            groups["thin"].append(f"{name} ({order.alike} of {order.decided})")
            continue
        group = "agree" if share >= MOSTLY else "against" if share <= 1 - MOSTLY else "half"
        groups[group].append(f"{name} ({order.alike} of {order.decided})")
    said = []
    for group, words in (
        ("agree", "order the suspect's layers as the information does"),
        ("half", "agree with it only in part"),
        ("against", "order them the other way round"),
        ("thin", "tell too few layers apart to confirm or contradict it"),
        ("silent", "do not tell the layers apart"),
    ):
        if groups[group]:
            names = enumerated(groups[group])
            said.append(f"{names} {words if len(groups[group]) > 1 else singular(words)}")
    counted = " (In brackets: pairs of layers in the same order, of those that both tell apart.)"
    return f"{'; '.join(said)}.{counted}" if said else ""


def singular(words: str) -> str:
    """The same verb for one."""
    first, _, rest = words.partition(" ")
    return f"{'does' if first == 'do' else first + 's'} {rest}"


def without_error(names: Sequence[str], result: Mapping[str, Any]) -> str:
    """That an older measurement does not tell how far some of its numbers can be trusted."""
    images = result.get("clean_images")
    told = f"No sampling error of {enumerated(names)} was kept; measure again to have one."
    if not images:
        return told
    return (
        f"{told} They rest on {numbers.count(images)} clean images, so small differences may be "
        "chance."
    )


def images_said(rows: Sequence[Mapping[str, Any]], result: Mapping[str, Any]) -> str:
    """On which images each number of the cross-check stands: they are not all the same ones.

    Args:
        rows: the companions, a row per network and layer.
        result: of the measurement.
    """
    count = result.get("clean_images")
    clean = f"the {numbers.count(count)} clean images" if count else "the clean images"
    probed = next((row["probe_images"] for row in rows if row.get("probe_images")), None)
    told = f"All of it is measured on {clean} of the curves above"
    if probed is None:
        return f"{told}."
    return f"{told}, except the class accuracy: that is of {numbers.count(probed)} test images."
