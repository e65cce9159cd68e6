"""Comparing runs: which settings differ, how far the scores lie apart, the curves side by side.

Pure functions on records that have been read before; nothing here opens a file except ``record``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mimic import answers, conditions, seeds
from mimic.errors import ConfigError, MimicError
from mimic.intervals import interval_of, target_share
from mimic.run import Run
from mimic.score_differences import pairs_of, score_differences
from mimic.verdict import of_cleaning

MEASURES = ("accuracy", "asr", "asr_all", "stamped_accuracy")
ENCODERS = ("student", "teacher", "clean_twin", "untrained")
MACHINE = ("device", "threads", "precision", "processor", "instructions", "processes")
"""What a run computed on: these decide how sums round, and so where a training ends."""
CURVES: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "accuracy": lambda line: (line.get("evaluation") or {}).get("accuracy"),
    "asr": lambda line: (line.get("evaluation") or {}).get("asr"),
    "loss": lambda line: line.get("loss"),
    "contrastive": lambda line: line.get("contrastive"),
    "attention": lambda line: line.get("attention"),
    "clone": lambda line: line.get("clone"),
    "agreement": lambda line: line.get("agreement"),
}
"""Curves by epoch, and where a metric line holds each."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """All that is compared of a run.

    ``config``, ``inputs``, ``versions`` and ``machine`` are those of run.json; ``metrics`` and
    ``result`` as the run wrote them; ``answers`` to each test image, see ``mimic.answers``.
    """

    id: str
    kind: str
    config: Mapping[str, Any]
    state: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[Mapping[str, Any]] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    answers: answers.Arrays = field(default_factory=dict)


def record(run: Run) -> Record:
    """Read a run for comparison.

    Raises:
        RunError: if it is damaged.
    """
    about = run.about()
    state, config = "damaged", about["config"]
    with contextlib.suppress(MimicError):
        state = run.status().state
    with contextlib.suppress(MimicError):  # A setting that came later had its default before.
        config = run.config().to_json()
    return Record(
        id=run.id,
        kind=run.kind,
        state=state,
        config=config,
        inputs=about.get("inputs") or {},
        versions=about.get("versions") or {},
        machine=machine_of(run),
        metrics=run.metrics(),
        result=run.result() or {},
        answers=answers.kept_by(run),
    )


def machine_of(run: Run) -> dict[str, Any]:
    """What a run computed on, by the names in ``MACHINE``; None where that was not recorded.

    Runs made before all of it was recorded tell a part in their status and result.

    Raises:
        RunError: if the run is damaged.
    """
    told = run.about().get("machine") or told_earlier(run)
    return {name: told.get(name) for name in MACHINE}


def told_earlier(run: Run) -> dict[str, Any]:
    """What older runs told of their machine."""
    found: dict[str, Any] = {}
    with contextlib.suppress(MimicError):
        device = run.status().device
        threads = re.fullmatch(r"CPU, (\d+) threads?", device)
        found = {"device": "CPU", "threads": int(threads[1])} if threads else {"device": device}
    with contextlib.suppress(MimicError):
        result = run.result() or {}
        found |= {name: result.get(name) for name in ("precision", "processes")}
    return {name: value for name, value in found.items() if value}


def compare(records: Sequence[Record]) -> dict[str, Any]:
    """Runs side by side.

    Returns:
        ``runs`` (id, kind, state, seconds); ``config``, ``inputs``, ``versions`` and ``machine``,
        each a list of what differs with the value of each run, see ``differences`` and
        ``machine_differences``; ``scores`` with intervals and differences to the
        first run; ``curves`` by epoch, see ``align``; ``information`` and ``sweep`` where two or
        more runs hold such; ``seeds`` where the runs are repetitions, see ``mimic.seeds``.

    Raises:
        ConfigError: if there are fewer than two runs, or one is named twice.
    """
    ids = [r.id for r in records]
    if len(ids) < 2 or len(set(ids)) < len(ids):
        raise ConfigError("A comparison needs two or more different runs.", "Name each run once.")
    return {
        "runs": [
            {"run": r.id, "kind": r.kind, "state": r.state, "seconds": r.result.get("seconds")}
            for r in records
        ],
        "config": differences({r.id: r.config for r in records}, "setting"),
        "inputs": differences({r.id: hashes(r.inputs) for r in records}, "input"),
        "versions": differences({r.id: r.versions for r in records}, "component"),
        "machine": machine_differences(records),
        "scores": score_rows(records),
        "curves": curves(records),
        "information": information(records),
        "sweep": sweep(records),
        "seeds": repetitions(records),
    }


def repetitions(records: Sequence[Record]) -> dict[str, Any]:
    """What distillations that differ in their seed only come to; empty where they are none."""
    outcomes = {r.id: r for r in records if r.kind == "distill" and scores_of(r).get("student")}
    if len(outcomes) < len(records) or not seeds.are_repetitions([r.config for r in records]):
        return {}
    if differences({r.id: hashes(r.inputs) for r in records}, "input"):
        return {}
    return seeds.summary(
        {r.id: int(r.config["seed"]) for r in records},
        {r.id: scores_of(r)["student"] for r in records},
        {r.id: of_cleaning(scores_of(r), r.answers) for r in records if is_attacked(r)},
    )


def is_attacked(found: Record) -> bool:
    """Whether attack success was measured before and after."""
    scores = scores_of(found)
    return all((scores.get(name) or {}).get("asr") is not None for name in ("teacher", "student"))


def differences(values: Mapping[str, Mapping[str, Any]], word: str) -> list[dict[str, Any]]:
    """What is not the same in all runs.

    Args:
        values: by run, what is compared, by name.
        word: the key under which each row names it.

    Returns:
        Rows with the name and ``values`` by run; a run without it has None there.
    """
    names = dict.fromkeys(name for held in values.values() for name in held)
    rows = []
    for name in names:
        found = [held.get(name) for held in values.values()]
        if any(value != found[0] for value in found[1:]):
            rows.append({word: name, "values": dict(zip(values, found, strict=True))})
    return rows


def machine_differences(records: Sequence[Record]) -> list[dict[str, Any]]:
    """What the machines differ in, or what is not known of one of them: that is no equality.

    Returns:
        Rows with ``fact``, a name of ``MACHINE``, and ``values`` by run; None is not recorded.
    """
    values = {r.id: {name: r.machine.get(name) for name in MACHINE} for r in records}
    rows = {row["fact"]: row for row in differences(values, "fact")}
    for name in MACHINE:
        if any(r.machine.get(name) is None for r in records):
            rows[name] = {"fact": name, "values": {r.id: r.machine.get(name) for r in records}}
    return [rows[name] for name in MACHINE if name in rows]


def hashes(inputs: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of each input."""
    return {
        name: str(noted["sha256"])
        for name, noted in inputs.items()
        if isinstance(noted, Mapping) and noted.get("sha256")
    }


def scores_of(found: Record) -> Mapping[str, Any]:
    """Scores by encoder: of a distillation or inspection, or an evaluation's first probe."""
    probes = found.result.get("probes") or {}
    scores: Any = found.result.get("scores") or next(iter(probes.values()), None)
    return scores if isinstance(scores, Mapping) else {}


def key_scores(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a result stands for: scores of the student, else of the suspect.

    Returns:
        ``accuracy``, ``asr``, ``asr_interval`` and ``floor_asr``, the clean twin's; None where a
        result has none.
    """
    scores = scores_of(Record(id="", kind="", config={}, result=result))
    best = scores.get("student") or scores.get("teacher") or {}
    twin = scores.get("clean_twin") or {}
    kept = {name: best.get(name) for name in ("accuracy", "asr", "asr_interval")}
    return {**kept, "floor_asr": twin.get("asr")}


def score_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """One row per encoder and measure that two or more runs have scored.

    Returns:
        Rows with ``encoder``, ``measure``, ``values`` by run (``value`` and ``interval``, shares of
        1; of ``asr_all`` also ``target_share``, see ``mimic.intervals``) and ``differences``: of
        each later run to the first with a value, with an interval, whether it ``exceeds`` what
        that allows by chance, whether the interval is of ``paired`` answers to the same images,
        and the conditions of the measure that are ``unlike``, see ``mimic.conditions``.
    """
    rows = []
    held = {r.id: r.answers for r in records}
    under = {r.id: conditions.of_run(r.config, r.inputs, r.result) for r in records}
    for encoder in ENCODERS:
        for measure in MEASURES:
            values = {
                r.id: {"value": row[measure], "interval": interval_of(row, measure)}
                | ({"target_share": target_share(row)} if measure == "asr_all" else {})
                for r in records
                if (row := scores_of(r).get(encoder)) and row.get(measure) is not None
            }
            if len(values) > 1:
                rows.append(
                    {
                        "encoder": encoder,
                        "measure": measure,
                        "values": values,
                        "differences": [
                            gap
                            | {
                                "unlike": conditions.unlike(
                                    under[gap["against"]], under[gap["run"]], measure
                                )
                            }
                            for gap in score_differences(
                                values, pairs_of(held, encoder, measure, values)
                            )
                        ],
                    }
                )
    return rows


def curves(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """The curves that two or more distillations share, aligned by epoch."""
    distilled = [r for r in records if r.kind == "distill"]
    found = {}
    for name, read in CURVES.items():
        points = {
            r.id: {int(m["epoch"]): v for m in r.metrics if (v := read(m)) is not None}
            for r in distilled
        }
        points = {run_id: by_epoch for run_id, by_epoch in points.items() if by_epoch}
        if len(points) > 1:
            found[name] = align(points)
    return found


def align(points: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
    """Curves on the union of their epochs.

    Args:
        points: by run, value by epoch.

    Returns:
        ``epochs`` in order, and ``values`` by run, None where a run has none at that epoch.
    """
    epochs = sorted({epoch for by_epoch in points.values() for epoch in by_epoch})
    return {
        "epochs": epochs,
        "values": {run: [own.get(epoch) for epoch in epochs] for run, own in points.items()},
    }


def information(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Curves of information per layer that two or more measurements share.

    Returns:
        Rows with ``network``, ``input`` and ``values``: by run, nats by layer.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for r in records:
        for curve in r.result.get("curves") or [] if r.kind == "information" else []:
            found.setdefault((curve["network"], curve["input"]), {})[r.id] = curve["layers"]
    return [
        {"network": network, "input": given, "values": values}
        for (network, given), values in found.items()
        if len(values) > 1
    ]


def sweep(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Cells that two or more sweeps share.

    Returns:
        Rows with ``layers``, ``scale``, ``losses`` and ``values``: by run, the means ``asr`` and
        ``accuracy`` over its seeds and the ``asr_range``, shares of 1.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for r in records:
        for row in r.result.get("table") or [] if r.kind == "sweep" else []:
            cell = (tuple(row["layers"]), row["scale"], row["losses"])
            kept = {name: row.get(name) for name in ("asr", "accuracy", "asr_range")}
            found.setdefault(cell, {})[r.id] = kept
    return [
        {"layers": list(layers), "scale": scale, "losses": losses, "values": values}
        for (layers, scale, losses), values in found.items()
        if len(values) > 1
    ]
