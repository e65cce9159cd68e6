"""``sweep``: which layers carry the backdoor over, and at which attention scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, cast

from mimic.config import DistillConfig, SweepConfig
from mimic.learning import least_accuracy
from mimic.sweep import Cell, cells, explain, set_name, summary
from mimic.verbs.distill import stored_information
from mimic.verbs.sweep_bench import Bench
from mimic.verbs.sweep_workers import in_processes
from mimic.verbs.work import Work

LOADING_SHARE = 0.03
PLAN_FILE = "plan.json"


def sweep(work: Work[SweepConfig]) -> dict[str, Any]:
    """Distil one student per cell and score it; cells that ended before are not repeated."""
    config = work.config
    planned = cells(config)
    bench = Bench(work)
    bench.check(planned)
    bench.subject.data  # noqa: B018 - workers note it again, and must find it noted
    plan = work.run.read_json(PLAN_FILE)
    if plan is None:
        work.step(0.0, "scoring the suspect, the clean twin and an untrained network")
        plan = {"cells": len(planned), "nats": shared_by(work), **bench.references()}
        bench.check_nats(plan["nats"], planned)
        work.run.write_json(PLAN_FILE, plan)
    # Writes the lines anew, so that one torn by a kill cannot swallow the next.
    work.run.keep_metrics(lambda line: Cell.of(line) in planned)
    ended = {Cell.of(line) for line in work.run.metrics()}
    todo = [cell for cell in planned if cell not in ended]
    for record in outcomes(work, bench, todo, len(planned), plan["nats"]):
        work.run.record(record)
        work.run.sync_metrics()
    lines = {Cell.of(line): line for line in work.run.metrics()}
    records = [lines[cell] for cell in planned]
    rows = summary(records, least_accuracy(plan["teacher"], plan.get("untrained")))
    return {
        "cells": records,
        "table": rows,
        "every": list(config.layers),
        "teacher": plan["teacher"],
        "floor": plan["floor"],
        "untrained": plan.get("untrained"),
        "sentence": explain(
            rows,
            teacher=plan["teacher"],
            floor=plan["floor"],
            every=config.layers,
            losses=planned[0].losses,
        ),
        "notes": notes(config, records),
        "clean_fraction": config.clean_fraction,
        "clean_images": records[0]["clean_images"],
        "epochs": config.epochs,
        "device": work.progress.status.device,
        "precision": str(work.precision).removeprefix("torch."),
        "workers": config.workers,
        "seconds": sum(record["seconds"] for record in records),
    }


def shared_by(work: Work[SweepConfig]) -> dict[str, float] | None:
    """Information per layer that shares a set's weight, or None where layers share it equally."""
    if work.config.information == "uniform":
        return None
    # The stored run is found from the run directory alone, which both kinds of work have.
    return stored_information(work.config.information, cast(Work[DistillConfig], work))


def notes(config: SweepConfig, records: list[dict[str, Any]]) -> list[str]:
    """What a reader has to know beside the numbers."""
    shared = (
        "Layers of a set share their weight equally."
        if config.information == "uniform"
        else f"Layers of a set share their weight by the information of run {config.information}."
    )
    failed = [record for record in records if record.get("failure")]
    if not failed:
        return [shared]
    first = failed[0]
    name = set_name(first["layers"], config.layers)
    return [
        shared,
        f"{len(failed)} of {len(records)} cells failed and have no scores, the first being {name} "
        f"at {first['scale']:g}: {first['failure']}",
    ]


def outcomes(
    work: Work[SweepConfig],
    bench: Bench,
    todo: list[Cell],
    total: int,
    nats: Mapping[str, float] | None,
) -> Iterator[dict[str, Any]]:
    """The record of each cell as soon as it ends, here or in worker processes."""
    ended = total - len(todo)

    def told(message: str, share: float) -> None:
        """Tell that ``share`` cells' worth of what is left to do is done."""
        work.step(LOADING_SHARE + (1 - LOADING_SHARE) * (ended + share) / total, message)

    if work.config.workers > 1 and len(todo) > 1:
        yield from in_processes(
            work.run,
            todo,
            nats,
            workers=work.config.workers,
            told=lambda share, done: told(f"{ended + done} of {total} cells have ended", share),
        )
        return
    for done, cell in enumerate(todo):
        name = f"{set_name(cell.layers, work.config.layers)} at {cell.scale:g}, seed {cell.seed}"
        begun = partial(told, f"cell {ended + done + 1} of {total}: {name}")
        yield bench.outcome(cell, nats, on_step=lambda share, d=done, b=begun: b(d + share))  # type: ignore[misc]
