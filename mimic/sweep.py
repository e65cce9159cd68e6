"""A sweep over layer sets, attention scales, losses and seeds: its cells, and what they say.

Han et al. (arXiv 2406.03508) teach a student through every layer's attention maps. Which layers
bring the backdoor along, and at which scale, is not said there; a sweep measures it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from statistics import fmean
from typing import Any

from mimic.config import SweepConfig, require
from mimic.enumeration import enumerated
from mimic.errors import ConfigError
from mimic.layer_weights import PRESETS, layer_weights

LOSSES: dict[str, dict[str, float]] = {
    "all": {},
    "no-contrastive": {"contrastive_weight": 0.0},
    "no-clone": {"clone_weight": 0.0},
    "attention-only": {"contrastive_weight": 0.0, "clone_weight": 0.0},
    "clone-only": {"contrastive_weight": 0.0, "attention_weight": 0.0},
    "contrastive-only": {"attention_weight": 0.0, "clone_weight": 0.0},
}
"""Words for loss switches, and the settings of ``distill`` that they stand for."""
SCALES = {name: preset.base + preset.budget / 4 for name, preset in PRESETS.items()}
"""Words for scales: a preset's average weight over the four stages of a ResNet."""
BASE_SHARE = PRESETS["gentle"].base / SCALES["gentle"]
"""Part of a layer's average weight that it gets whatever it holds, as in the gentle preset."""
CARRIED, KEPT_OUT = 0.5, 0.1
"""Shares of the way from floor to suspect: from the first on, the backdoor came along; up to the
second, it did not."""
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One distillation of a sweep.

    Args:
        layers: the layers it teaches from, in the order of the network; none for no attention loss.
        scale: average attention weight per layer, 0 where there is no attention loss.
        losses: a word of ``LOSSES``.
        seed: draws the clean images, the student and the views.
    """

    layers: tuple[str, ...]
    scale: float
    losses: str
    seed: int

    @classmethod
    def of(cls, record: Record) -> Cell:
        """The cell that a line of metrics belongs to."""
        return cls(
            tuple(record["layers"]), float(record["scale"]), record["losses"], int(record["seed"])
        )

    def to_json(self) -> dict[str, Any]:
        """As the first part of a line of metrics."""
        return {**asdict(self), "layers": list(self.layers)}

    def weights(self, nats: Mapping[str, float] | None) -> dict[str, float]:
        """Weight of each layer's attention loss.

        Args:
            nats: information per layer that shares the weight; None shares it equally.
        """
        if not self.layers:
            return {}
        held = {layer: nats[layer] if nats else 0.0 for layer in self.layers}
        base = BASE_SHARE * self.scale
        return layer_weights(held, base=base, budget=(self.scale - base) * len(held))


def cells(config: SweepConfig) -> list[Cell]:
    """The cells of a sweep, one whole seed after another, so that a part of it says something.

    Without layers or without the attention loss the scale decides nothing: such a cell comes once.

    Raises:
        ConfigError: if a word is not understood, or nothing would be trained.
    """
    sets = [layer_set(word, config.layers) for word in config.layer_sets]
    scales = [scale(word) for word in config.scales]
    unknown = [word for word in config.losses if word not in LOSSES]
    require(
        not unknown,
        f"The losses '{', '.join(unknown)}' are not known.",
        f"Choose among {', '.join(LOSSES)}.",
    )
    found: dict[Cell, None] = {}
    for seed, losses, weight, layers in product(seeds(config), config.losses, scales, sets):
        attention = bool(layers) and LOSSES[losses].get("attention_weight", 1.0) > 0
        if attention:
            found[Cell(layers, weight, losses, seed)] = None
        elif losses != "attention-only":
            found[Cell((), 0.0, losses, seed)] = None
    require(
        bool(found),
        "With the attention loss alone and no layer, nothing is trained.",
        "Add a layer set, or another word to --losses.",
    )
    return list(found)


def layer_set(word: str, layers: Sequence[str]) -> tuple[str, ...]:
    """The layers of a word such as ``layer1+layer2``, ``all`` or ``none``.

    Raises:
        ConfigError: if a layer is empty or named twice.
    """
    if word in ("all", "none"):
        return tuple(layers) if word == "all" else ()
    named = tuple(part.strip() for part in word.split("+"))
    require(
        all(named) and len(set(named)) == len(named),
        f"'{word}' is no set of layers.",
        "Write for example layer1, layer1+layer2, all or none.",
    )
    return tuple(sorted(named, key=lambda n: layers.index(n) if n in layers else len(layers)))


def scale(word: str) -> float:
    """The number that a scale's word stands for.

    Raises:
        ConfigError: if it is none, or not positive.
    """
    try:
        value = SCALES[word] if word in SCALES else float(word)
    except ValueError:
        value = -1.0
    require(
        0 < value < float("inf"),
        f"The scale '{word}' is no positive number.",
        f"Give numbers above 0 or the words {' and '.join(SCALES)}; the layer set none is scale 0.",
    )
    return value


def seeds(config: SweepConfig) -> list[int]:
    """The seeds: a count of them, or the numbers themselves.

    Raises:
        ConfigError: if they are no numbers, or not one is given.
    """
    try:
        given = [int(word) for word in config.seeds]
    except ValueError as error:
        raise ConfigError(
            f"The seeds '{' '.join(config.seeds)}' are no whole numbers.",
            "Give how many seeds, for example 3, or the seeds themselves, for example 0 1 5.",
        ) from error
    chosen = list(range(config.seed, config.seed + given[0])) if len(given) == 1 else given
    require(
        bool(chosen)
        and len(set(chosen)) == len(chosen)
        and 0 <= min(chosen) <= max(chosen) < 2**31,
        f"The seeds '{' '.join(config.seeds)}' are none, repeated or negative.",
        "Give how many seeds, from 1 up, or different numbers from 0 up.",
    )
    return chosen


def set_name(layers: Sequence[str], every: Sequence[str]) -> str:
    """A set of layers as a word; ``all`` for ``every``."""
    if len(layers) > 1 and tuple(layers) == tuple(every):
        return "all"
    return "+".join(layers) or "none"


def summary(records: Iterable[Record], least: float | None = None) -> list[dict[str, Any]]:
    """One row per layer set, scale and losses: mean and range over the seeds measured so far.

    Args:
        records: lines of metrics. Failed cells, which have no scores, are counted and left out.
        least: from which accuracy on a student can be judged, see ``mimic.learning``; a row whose
            mean lies below it ``is_weak``, which is None where one of them is not known.
    """
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        cell = Cell.of(record)
        groups.setdefault((cell.layers, cell.scale, cell.losses), []).append(record)
    rows = []
    for (layers, weight, losses), group in groups.items():
        row: dict[str, Any] = {
            "layers": list(layers),
            "scale": weight,
            "losses": losses,
            "seeds": sorted(r["seed"] for r in group if not r.get("failure")),
            "failed": sum(bool(r.get("failure")) for r in group),
        }
        for measure in ("accuracy", "asr", "asr_all"):
            values = [r[measure] for r in group if r.get(measure) is not None]
            row[measure] = fmean(values) if values else None
            row[f"{measure}_range"] = [min(values), max(values)] if values else None
        row["is_weak"] = None if None in (least, row["accuracy"]) else row["accuracy"] < least
        rows.append(row)
    return rows


def explain(
    rows: Sequence[Record],
    *,
    teacher: Record | None,
    floor: Record | None,
    every: Sequence[str],
    losses: str = "all",
) -> str:
    """What the rows show, in plain words, with how many seeds stand behind it.

    Args:
        rows: see ``summary``.
        teacher: scores of the suspect.
        floor: scores of the clean twin, if there is one.
        every: the layers that ``all`` stands for.
        losses: the losses spoken of.
    """
    told = [r for r in rows if r["losses"] == losses and r["asr"] is not None]
    suspect = (teacher or {}).get("asr")
    if suspect is None:
        return "Without a trigger and labels, nothing can be said about the backdoor."
    if not told:
        return "No cell has scores yet."
    lowest = (floor or {}).get("asr") or 0.0
    if suspect < max(0.2, 2 * lowest):
        return (
            f"The trigger has no hold on the suspect (ASR {suspect:.0%}), so there is nothing to "
            "carry over."
        )
    parts = []
    for weight in sorted({r["scale"] for r in told if r["layers"]}):
        at_scale = [r for r in told if r["scale"] == weight]
        parts.append(
            f"At a weight of {weight:,g} per layer, {groups(at_scale, suspect, lowest, every)}."
        )
    bare = next((r for r in told if not r["layers"]), None)
    if bare:
        found = verdict_over_seeds(bare, suspect, lowest)
        parts.append(
            f"Without any attention loss, the student {WITHOUT_ATTENTION[found]} "
            f"(ASR {listed_asr([bare], ranges=found in VARYING)})."
        )
    return " ".join([*parts, certainty(told)])


VERBS = {
    "carried": ("carries the backdoor over", "carry the backdoor over"),
    "by seed": ("does so with some seeds only", "do so with some seeds only"),
    "by degree": (
        "does so in part or wholly, depending on the seed",
        "do so in part or wholly, depending on the seed",
    ),
    "partly": ("carries part of it over", "carry part of it over"),
    "part by seed": (
        "carries part of it over with some seeds",
        "carry part of it over with some seeds",
    ),
    "kept out": ("does not", "do not"),
    "weak": ("taught too little to tell", "taught too little to tell"),
}
WITHOUT_ATTENTION = {
    "carried": "takes the backdoor over too",
    "by seed": "takes the backdoor over with some seeds only",
    "by degree": "takes the backdoor over in part or wholly, depending on the seed",
    "partly": "takes part of the backdoor over",
    "part by seed": "takes part of the backdoor over with some seeds",
    "kept out": "leaves the backdoor behind",
    "weak": "learns too little to tell",
}
VARYING = ("by seed", "by degree", "part by seed")
"""Verdicts on rows whose seeds fall on both sides of a threshold: their range is told."""


def verdict(asr: float, suspect: float, floor: float) -> str:
    """Whether the backdoor came along: carried, partly, or kept out.

    Args:
        asr: attack success of the student.
        suspect: that of the teacher.
        floor: that of a clean encoder.
    """
    share = (asr - floor) / max(suspect - floor, 1e-9)
    if share >= CARRIED:
        return "carried"
    return "kept out" if share <= KEPT_OUT else "partly"


def verdict_over_seeds(row: Record, suspect: float, floor: float) -> str:
    """The verdict on a row's mean, or what its seeds differ in.

    ``by seed`` where the backdoor came along with some seeds and stayed out with others;
    ``by degree`` where it came along with all of them, but only in part with some; ``part by seed``
    where a part came along with some and none with others; ``weak`` where it stayed out of students
    that have learned too little: that is no merit of the layers.
    """
    low, high = (verdict(asr, suspect, floor) for asr in row["asr_range"])
    if high == "carried" != low:
        return "by seed" if low == "kept out" else "by degree"
    if high == "partly" != low:
        return "part by seed"
    found = verdict(row["asr"], suspect, floor)
    return "weak" if found == "kept out" and row.get("is_weak") else found


def groups(rows: Sequence[Record], suspect: float, floor: float, every: Sequence[str]) -> str:
    """The layer sets of one scale by verdict: ``layer3 and all carry ... , layer1 does not``."""
    by_verdict: dict[str, list[Record]] = {}
    for row in rows:
        by_verdict.setdefault(verdict_over_seeds(row, suspect, floor), []).append(row)
    if set(by_verdict) == {"kept out"}:
        which = (
            f"{set_name(rows[0]['layers'], every)}, the only set of layers tried, does not carry"
            if len(rows) == 1
            else f"none of the {len(rows)} sets of layers tried carries"
        )
        return f"{which} the backdoor over (ASR {listed_asr(rows)})"
    parts: list[str] = []
    for name, verbs in VERBS.items():
        members = by_verdict.get(name, [])
        if members:
            names = enumerated([set_name(r["layers"], every) for r in members])
            verb = verbs[len(members) > 1]
            if not parts:  # The first part says what the others refer to.
                verb = verb.replace("of it", "of the backdoor")
                verb = verb.replace("does so", "carries the backdoor over")
                verb = verb.replace("do so", "carry the backdoor over")
            parts.append(f"{names} {verb} (ASR {listed_asr(members, ranges=name in VARYING)})")
    return ", ".join(parts)


def listed_asr(rows: Sequence[Record], *, ranges: bool = False) -> str:
    """The attack success of each row, in their order; one span where there are many.

    Args:
        rows: see ``summary``.
        ranges: give the range over seeds instead of the mean.
    """
    if ranges and len(rows) <= 3:
        return enumerated(
            [f"{low:.0%} to {high:.0%}" for low, high in (r["asr_range"] for r in rows)]
        )
    values = [asr for row in rows for asr in (row["asr_range"] if ranges else [row["asr"]])]
    if len(rows) > 3:
        return f"{min(values):.0%} to {max(values):.0%}"
    return enumerated([f"{value:.0%}" for value in values])


def certainty(rows: Sequence[Record]) -> str:
    """How many seeds stand behind the rows, and how far apart they lie."""
    counts = {len(row["seeds"]) for row in rows}
    if max(counts) == 1:
        return "One seed each: a lead, not a result."
    said = f"{max(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    low, high = max((row["asr_range"] for row in rows), key=lambda bounds: bounds[1] - bounds[0])
    return f"Means over {said} seeds, whose ASR differs by up to {100 * (high - low):.0f} points."
