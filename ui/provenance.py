"""Where the numbers of a CSV come from, said in every row: the run, its suspect and its seed.

Rows of several files get mixed in one table; each has to tell by itself what it is of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mimic.errors import MimicError
from mimic.run import Run, find_run
from ui import charts, subject, training_end, whose

Row = dict[str, Any]
Facts = Callable[[Mapping[str, Any]], Row]
"""From a row to what else is known of it."""
CLEANED = "cleaned encoder"
CRITICS, NINETY_FIVE, SEEDS = "lowest to highest critic", "95%", "lowest to highest seed"
"""What an interval is."""


def of(run: Run | str, **more: Any) -> Row:
    """What all rows of a run share.

    Args:
        run: the run, or its id; of one that is gone only the id is known.
        more: further columns; spaces are written as underscores.
    """
    extra = {name.replace("_", " "): value for name, value in more.items()}
    if isinstance(run, str):
        try:
            run = find_run(run)
        except MimicError:
            return {"run": run, **extra}
    found = whose.seeds(run)
    seed = found[0] if len(found) == 1 else ", ".join(map(str, found))
    return {"run": run.id, "suspect": subject.file_name(run), "seed": seed, **extra}


def by_series(shared: Mapping[str, Any]) -> Facts:
    """Facts of a chart whose lines are encoders, with or without the trigger on their images.

    Args:
        shared: what all its rows share.
    """

    def facts(row: Mapping[str, Any]) -> Row:
        encoder, _, given = str(row.get("series") or "").partition(", ")
        return {"encoder": encoder, **({"input": given} if given else {}), **shared}

    return facts


def of_story(run: Run, images: int | None) -> Facts:
    """Facts of the story's charts of information, which call encoders and trigger by its words.

    Args:
        run: the measurement.
        images: clean images measured.
    """
    shared = of(run, images=images)

    def facts(row: Mapping[str, Any]) -> Row:
        said, _, sticker = str(row.get("series") or row.get("name")).partition(" + ")
        encoder = "clean twin" if said == "never attacked" else said
        return {"encoder": encoder, "input": "triggered" if sticker else "clean", **shared}

    return facts


def of_companion(
    run: str, name: str, rows: Sequence[Mapping[str, Any]], images: int | None
) -> Facts:
    """Facts of the information or a companion of it.

    Args:
        run: the measurement's id.
        name: of the companion.
        rows: the companion by network and layer.
        images: clean images measured; the probe is scored on test images instead.
    """
    if name == "probe_accuracy":
        images = next((row["probe_images"] for row in rows if row.get("probe_images")), None)
    if name == "separability":
        images = next((n for row in rows if (n := scored_apart(row))), None)
    interval = CRITICS if name == "information" else NINETY_FIVE
    return by_series(of(run, images=images, interval=interval))


def scored_apart(row: Mapping[str, Any]) -> int | None:
    """How many images a separability of 1 was scored on, by its Wilson interval's lower end.

    Wilson's lower end for a share of 1 of n is n / (n + z^2). Runs do not keep n itself.
    """
    found, bounds = row.get("separability"), row.get("separability_interval")
    if found != 1.0 or not bounds or not 0 < bounds[0] < 1:
        return None
    z2 = 1.959964**2
    scored: int = round(z2 * bounds[0] / (1 - bounds[0]))
    return scored


def of_compared(letters: Mapping[str, str], shown: str) -> Facts:
    """Facts of a chart that draws several runs under letters.

    Args:
        letters: by run.
        shown: the chart's name: a curve, or a network with its input.
    """
    about = {letter: of(run) for run, letter in letters.items()}
    counts = {letter: images_behind(run, shown) for run, letter in letters.items()}
    interval = {"interval": SEEDS} if shown.startswith("sweep-") else {}

    def facts(row: Mapping[str, Any]) -> Row:
        letter, _, final = str(row.get("series")).partition(", ")
        quick, whole = counts.get(letter, (None, None))
        return {**about.get(letter, {}), "images": whole if final else quick, **interval}

    return facts


SCORED = ("accuracy", "asr", "sweep-accuracy", "sweep-asr")
"""Charts of shares of test images; all others are of the clean images."""


def images_behind(run: str, shown: str) -> tuple[int | None, int | None]:
    """On how many images a curve of a run stands, and on how many its final score."""
    try:
        opened = find_run(run)
        result = opened.result() or {}
    except MimicError:
        return None, None
    if shown not in SCORED:
        return result.get("clean_images"), None
    scores = result.get("scores") or {}
    whole = scores.get("student") or result.get("teacher") or {}
    measure = "asr" if shown.endswith("asr") else "accuracy"
    final = training_end.images_of(whole, measure)
    quick = [m["evaluation"] for m in opened.metrics() if m.get("evaluation")]
    return training_end.images_of(quick[0], measure, whole) if quick else final, final


def of_scores(run: Run | str, scores: Mapping[str, Any], measure: str) -> Facts:
    """Facts of a chart with a row per encoder: each is scored on images of its own number.

    Args:
        run: the run that scored them.
        scores: by encoder.
        measure: ``accuracy``, or ``asr``, which leaves out images of the target class.
    """
    field = "stamped_images" if measure == "asr" else "test_images"
    counts = {name: (scores.get(key) or {}).get(field) for key, name, *_ in charts.ENCODERS}
    shared = of(run, interval=NINETY_FIVE)

    def facts(row: Mapping[str, Any]) -> Row:
        name = row.get("name")
        return {"encoder": name, "images": counts.get(str(name)), **shared}

    return facts


def added(rows: list[Row], facts: Mapping[str, Any] | Facts) -> list[Row]:
    """Rows with their facts; what an interval is stands only where there is one.

    Args:
        rows: of a figure or a table.
        facts: the same for all rows, or by row.
    """
    told = []
    for row in rows:
        known = dict(facts(row) if callable(facts) else facts)
        if row.get("interval from") is None:
            known.pop("interval", None)
        told.append({**row, **known})
    return told
