"""What a finished verb says to a person: where its run lies, tables, sentences, warnings.

One function per shape of result, known by the parts it holds rather than by the verb, so that one
measurement reads the same wherever it comes from. ``--json`` gives the result itself.
"""

from __future__ import annotations

import contextlib
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mimic import curve_reading, verdict
from mimic.errors import MimicError
from mimic.intervals import interval_of
from mimic.run import Run, python_command
from mimic.tables import (
    ENCODERS,
    NOTHING,
    SCORES,
    aligned,
    bullets,
    interval,
    nats,
    percent,
    printable,
)

Result = Mapping[str, Any]
FLOOR = "clean twin (floor)"
NETWORKS = {**ENCODERS, "clean_twin": FLOOR, "floor": FLOOR}
JUDGED = ("health", "weights")
"""A part of inspections and one of distillations, whose runs a verdict can be given on."""
SENTENCE_SIGNS = 2_000
BOUNDS = {"lower": ", a lower bound", "upper": ", an upper bound", "neither": ", no bound"}


def told(outcome: Result) -> str:
    """An outcome in words and tables; rounded JSON where its shape is none that is known.

    Args:
        outcome: a result, with ``run``, ``directory`` and ``state`` where it comes from a run.
    """
    parts = [part for part in (show(outcome) for show in SHAPES) if part]
    told_apart = ABOUT_THE_RUN if "run" in outcome else ()
    rest = {name: value for name, value in outcome.items() if name not in told_apart}
    if not parts and rest:
        parts = [json.dumps(rounded(rest), indent=1)]
    return "\n\n".join(part for part in (place(outcome), *parts, remarks(outcome)) if part)


def place(outcome: Result) -> str:
    """Which run it is, how it ended, and where it lies."""
    if "run" not in outcome:
        return ""
    ended = f"Run {outcome['run']}: {outcome.get('state', 'finished')}"
    seconds = outcome.get("seconds")
    took = f" after {seconds:.0f} seconds" if seconds is not None else ""
    return f"{printable(ended + took)}\n{printable(outcome.get('directory', ''), SENTENCE_SIGNS)}"


def judged(outcome: Result) -> str:
    """The verdict that an inspection or distillation allows, in three sentences."""
    if "directory" not in outcome or not any(part in outcome for part in JUDGED):
        return ""
    with contextlib.suppress(MimicError):  # No verdict is no reason to withhold the figures.
        found = verdict.of_run(Run.open(Path(outcome["directory"]))).to_json()
        said = f"{found['title']}. {found['headline']}\nHow sure: {found['confidence']}"
        # By its folder, as the run may lie in another --root than the usual one.
        command = shlex.join(python_command("verdict", outcome["directory"]))
        more = f"Why, and what to do: {command}"
        return "\n".join(printable(line, SENTENCE_SIGNS) for line in (*said.split("\n"), more))
    return ""


def recognised(outcome: Result) -> str:
    """What an inspection recognised in the file."""
    found = outcome.get("encoder")
    if not isinstance(found, Mapping) or "architecture" not in found:
        return ""
    network = (
        f"{found['architecture']}, width {found['width']}, {found['parameters']:,} parameters, "
        f"{found['feature_dim']} features"
    )
    match, health = found.get("match") or {}, outcome.get("health") or {}
    trigger = outcome.get("trigger") or {}
    rows = {
        "file": found["family"]["title"],
        "network": network,
        "tensors": f"{len(match.get('matched', ()))} matched, {len(match.get('ignored', ()))} "
        "ignored",
        "normalised": found["normalization"]["source"],
        "max-pool": found["max_pool"]["source"],
        "trigger": trigger.get("description", "none"),
    }
    if outcome.get("target_class") is not None:
        how = "found: the most frequent answer" if outcome.get("target_found") else "named"
        rows["target class"] = f"{outcome.get('target_name')} ({how})"
    if health.get("knn_accuracy") is not None:
        rows["neighbours"] = (
            f"right {percent(health['knn_accuracy'])} of the time, an untrained network's "
            f"{percent(health.get('random_knn_accuracy'))}"
        )
    return aligned([(word, printable(words)) for word, words in rows.items()])


def scored(outcome: Result) -> str:
    """Scores of encoders, by probe where there are several."""
    probes = outcome.get("probes") or {"": outcome.get("scores") or {}}
    rows = [
        (probe, NETWORKS.get(name, name), *figures(own))
        for probe, scores in probes.items()
        for name, own in scores.items()
        if own
    ]
    if not rows:
        return ""
    head = ("probe", "encoder", *FIGURES)
    first = 0 if "probes" in outcome else 1
    right = [position - first for position in (2, 4, 5, 7, 8, 10)]
    return aligned([row[first:] for row in (head, *rows)], right=right)


FIGURES = (
    "accuracy", "95% interval", "images", SCORES["asr"], "95% interval", "stamped", "all classes",
    "95% interval", SCORES["stamped_accuracy"], "95% interval",
)  # fmt: skip


def figures(own: Result) -> tuple[str, ...]:
    """One encoder's scores, in the columns of ``FIGURES``."""
    return (
        percent(own.get("accuracy")), interval(own.get("accuracy_interval")),
        str(own.get("test_images") or NOTHING),
        percent(own.get("asr")), interval(own.get("asr_interval")),
        str(own.get("stamped_images") or NOTHING), percent(own.get("asr_all")),
        interval(interval_of(own, "asr_all")), percent(own.get("stamped_accuracy")),
        interval(own.get("stamped_accuracy_interval")),
    )  # fmt: skip


def swept(outcome: Result) -> str:
    """A sweep: suspect and floor, then one row per cell."""
    if "cells" not in outcome:
        return ""
    head = ("layers", "scale", "losses", "seed", "accuracy", "95% interval", "ASR", "95% interval")
    rows = [
        (NETWORKS[name], "", "", "", *without_counts(outcome[name]))
        for name in ("teacher", "floor", "untrained")
        if outcome.get(name)
    ]
    rows += [
        (
            layer_set(cell["layers"], outcome.get("every", ())), f"{cell['scale']:,g}",
            printable(cell["losses"]), str(cell["seed"]),
            *(("failed", "", "", "") if cell.get("failure") else without_counts(cell)),
        )
        for cell in outcome["cells"]
    ]  # fmt: skip
    return aligned([head, *rows], right=(1, 3, 4, 6))


def without_counts(own: Result) -> tuple[str, ...]:
    """Accuracy and ASR with their intervals."""
    shown = figures(own)
    return shown[:2] + shown[3:5]


def layer_set(layers: Sequence[str], every: Sequence[str]) -> str:
    """A set of layers in a table."""
    is_all = len(layers) > 1 and list(layers) == list(every)
    return "all" if is_all else printable("+".join(layers) or "none")


def measured(outcome: Result) -> str:
    """Information per layer in nats, one column per network and input."""
    curves = outcome.get("curves")
    if not isinstance(curves, list):
        return ""
    head = ("layer", *(f"{ENCODERS.get(c['network'], c['network'])}, {c['input']}" for c in curves))
    rows = [
        (printable(layer), *(nats(curve["layers"].get(layer)) for curve in curves))
        for layer in outcome["layers"]
    ]
    widths = [b[1] - b[0] for c in curves for b in (c.get("bands") or {}).values() if b]
    spread = f"; bands up to {max(widths):.2f} wide (--json has each)" if widths else ""
    bound = BOUNDS.get(outcome.get("direction", ""), "")
    title = f"Information in nats by {outcome.get('estimator_title', '')}{bound}{spread}"
    return f"{printable(title)}\n{aligned([head, *rows], right=range(1, len(head)))}"


def weighted(outcome: Result) -> str:
    """A distillation's layer weights, and the information they come from."""
    return layer_weights(outcome) if "scores" in outcome else ""


def layer_weights(outcome: Result) -> str:
    """Weight and information of each layer, where there are any."""
    weights, information = outcome.get("weights"), outcome.get("information") or {}
    if not weights:
        return ""
    rows = [
        (printable(layer), f"{weight:.2f}", nats(information.get(layer)))
        for layer, weight in weights.items()
    ]
    return aligned([("layer", "weight", "nats"), *rows], right=(1, 2))


def placed(outcome: Result) -> str:
    """Attack success at the trigger's own place, beside the floor, and elsewhere."""
    trained = outcome.get("trained")
    if trained is None:
        return ""
    looked_at = outcome["looked_at"]
    rows = [
        (NETWORKS[looked_at if name == "looked_at" else name], *figures(own)[3:5])
        for name, own in trained.items()
    ]
    elsewhere, around = outcome.get("elsewhere"), ""
    if elsewhere:  # Not where the trigger has one place only.
        around = (
            f"At other places: mean {percent(elsewhere['mean'])}, {percent(elsewhere['lowest'])} "
            f"to {percent(elsewhere['highest'])}. "
        )
    around += (
        f"{outcome['scored_images']} images at each place; accuracy on clean images "
        f"{percent(outcome['accuracy'])} ({interval(outcome['accuracy_interval'])}, "
        f"{outcome['test_images']} images)."
    )
    head = ("trigger in its own place", SCORES["asr"], "95% interval")
    return f"{aligned([head, *rows], right=(1,))}\n{around}"


EMBEDDED = {"before": "suspect", "after": "cleaned", "clean_twin": "clean twin"}


def embedded(outcome: Result) -> str:
    """Numbers of an embedding, before and after cleaning."""
    numbers = outcome.get("numbers")
    if not isinstance(numbers, Mapping) or "projections" not in outcome:
        return ""
    head = ("layer", "encoder", "stamped beside target", "silhouette", "same class beside")
    rows = [
        (
            printable(layer), EMBEDDED.get(when, when),
            percent(own.get("nearest_clean_is_target")), nats(own.get("silhouette")),
            percent(own.get("same_class_neighbours")),
        )
        for layer, encoders in numbers.items()
        for when, own in encoders.items()
        if own
    ]  # fmt: skip
    return aligned([head, *rows], right=(2, 3, 4))


def sentences(outcome: Result) -> str:
    """The result's own words."""
    own = [outcome.get("sentence"), outcome.get("takeaway")]
    own += list((outcome.get("sentences") or {}).values())
    return "\n".join(printable(sentence, SENTENCE_SIGNS) for sentence in own if sentence)


def files(outcome: Result) -> str:
    """Files that a training has written into the run's directory."""
    rows = [
        (name.removesuffix("_file").replace("_", " "), printable(value))
        for name, value in outcome.items()
        if name.endswith("_file") and isinstance(value, str)
    ]
    return aligned([*rows, *endings(outcome)]) if rows else ""


def endings(outcome: Result) -> list[tuple[str, str]]:
    """Where a training's losses ended, and the class that a backdoor leads to."""
    target = outcome.get("target_class")
    losses = {"loss": outcome.get("contrastive"), **(outcome.get("losses") or {})}
    rows = [] if target is None else [("target class", str(target))]
    return rows + [(k, f"{v:.3f}") for k, v in losses.items() if isinstance(v, float)]


SHAPES = (
    judged, recognised, scored, swept, measured, weighted, placed, embedded, sentences, files,
)  # fmt: skip
ABOUT_THE_RUN = {"run", "directory", "state", "seconds", "warnings", "notes", "encoders"}


def remarks(outcome: Result) -> str:
    """Warnings, and notes on how to read the figures."""
    health = outcome.get("health") or {}
    warned = [*health.get("faults", ()), *health.get("warnings", ()), *outcome.get("warnings", ())]
    parts = (
        bullets("Warnings", [*warned, *doubted(outcome)]),
        bullets("Notes", outcome.get("notes", ())),
    )
    return "\n".join(part for part in parts if part)


def doubted(outcome: Result) -> list[str]:
    """Measurements whose critics were not as they should be."""
    curves = outcome.get("curves")
    return [
        f"{layer} of the {ENCODERS.get(curve['network'], curve['network'])}, {curve['input']}: "
        f"{found['sentence']}"
        for curve in (curves if isinstance(curves, list) else ())
        for layer, found in (curve.get("verdicts") or {}).items()
        if curve_reading.is_doubtful(found)
    ]


def rounded(value: Any) -> Any:
    """JSON-ready values with numbers of four digits, as more tell nobody anything."""
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else value
    if isinstance(value, Mapping):
        return {name: rounded(inner) for name, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list | tuple) else value
