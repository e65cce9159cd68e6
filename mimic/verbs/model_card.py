"""The model card of a cleaned encoder: what was done to it, with what, and how well it went."""

from __future__ import annotations

import dataclasses
import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mimic.checkpoint import EncoderFile
from mimic.config import DistillConfig
from mimic.intervals import interval_of
from mimic.printable import printable
from mimic.verdict import Verdict

NETWORKS = {
    "teacher": "suspect encoder",
    "student": "cleaned encoder",
    "clean_twin": "clean twin (the floor)",
    "untrained": "the same network, untrained",
}
FIGURES = {
    "accuracy": ("accuracy", "test_images"),
    "asr": ("attack success", "stamped_images"),
    "asr_all": ("attack success, all classes", "test_images"),
    "stamped_accuracy": ("right with the trigger on", "stamped_images"),
}
"""What each measure is called, and under which name the number of its images stands."""
MAX_LISTED = 40


def model_card(
    *,
    config: DistillConfig,
    result: Mapping[str, Any],
    inputs: Mapping[str, Any],
    teacher: EncoderFile,
    files: Mapping[str, str],
    renewed: Sequence[str],
    run_id: str,
    found: Verdict | None,
) -> str:
    """A Markdown document for whoever gets the encoder.

    Args:
        config: the distillation's settings.
        result: its outcome.
        inputs: the files and data sets it read, with their SHA-256.
        teacher: the suspect encoder's file.
        files: the written encoder files' names and SHA-256.
        renewed: tensors of the original layout that were begun anew.
        run_id: the run that made it.
        found: the verdict on it; None where nothing was scored.
    """
    architecture = teacher.encoder.architecture
    normalization = teacher.normalization
    return "\n".join(
        [
            "# A cleaned image encoder",
            "",
            f"A {architecture.name} of width {architecture.width} with {architecture.feature_dim} "
            "features, distilled from a suspect encoder by layer-weighted attention, clone and "
            "contrastive losses (MIMIC, Han et al., arXiv 2406.03508) into a network that was "
            "random before. No weight of the suspect was copied.",
            "",
            "## Verdict",
            "",
            *judged(found),
            "",
            "## Figures",
            "",
            *figures(result["scores"]),
            "",
            "The clean twin shows what attack success an encoder without this backdoor has. A "
            "figure like the floor's says nothing about other triggers.",
            "",
            "## Use",
            "",
            f"- Images: {size_of(teacher)}, 0 to 1, then normalised with mean "
            f"{numbers(normalization.mean)} and deviation {numbers(normalization.std)} "
            f"({normalization.source}).",
            f"- Max-pool after the stem: {answer(teacher.max_pool.value)} "
            f"({teacher.max_pool.source}).",
            f"- Layout of the original: {teacher.family.title} ({plain(teacher.summary)}).",
            "",
            "## What was done, with which data",
            "",
            f"- Clean images: {result['clean_images']} ({result['clean_fraction']:.2%} of "
            f"{plain(without_folder(config.data))}, drawn by seed {config.seed}), without labels.",
            f"- Epochs: {result['epochs']}"
            + (
                f", ended early at {result['stopped_early_at']}."
                if result["stopped_early_at"] is not None
                else "."
            ),
            f"- Computed on {plain(result['device'])} in {result['precision']}.",
            *(f"- Weight of {layer}: {weight:.6g}" for layer, weight in result["weights"].items()),
            *(f"- Note: {note}" for note in result.get("notes", [])),
            "",
            "## Fingerprints (SHA-256)",
            "",
            *(f"- read, {plain(without_folder(name))}: `{known.get('sha256', '')}`"
              for name, known in inputs.items()),
            *(f"- written, {name}: `{sha}`" for name, sha in files.items()),
            "",
            "## Tensors begun anew",
            "",
            *begun_anew(renewed, config.seed),
            "",
            "## To make it again",
            "",
            f"Run {run_id}, Python {platform.python_version()}, torch {torch.__version__}:",
            "",
            "```",
            command(config),
            "```",
            "",
        ]
    )  # fmt: skip


def judged(found: Verdict | None) -> list[str]:
    """The verdict, how sure it is, and what to do, so that nobody takes the file for more."""
    if found is None:
        return ["Nothing was scored, so there is none: do not take this file for clean."]
    return [
        f"**{found.title}.** {found.headline}",
        "",
        found.confidence,
        "",
        *(f"- {action}" for action in found.actions),
    ]


def figures(scores: Mapping[str, Any]) -> list[str]:
    """A table of what was measured, the floor beside it."""
    measured = {name: scores[name] for name in NETWORKS if scores.get(name)}
    if not measured:
        return ["No labelled images were given, so nothing was measured."]
    heads = " | ".join(title for title, _ in FIGURES.values())
    lines = [f"| | {heads} |", f"|---|{'---|' * len(FIGURES)}"]
    for name, own in measured.items():
        lines.append(f"| {NETWORKS[name]} | {' | '.join(cell(own, key) for key in FIGURES)} |")
    return [
        *lines,
        "",
        "In brackets the 95% interval (Wilson) over these test images; another seed may move a "
        "figure further. Attack success leaves images of the target class out; over all classes "
        "they count, and a clean encoder gets them right. Right with the trigger on are triggered "
        "images of other classes that are still given their own.",
    ]


def cell(scores: Mapping[str, Any], measure: str) -> str:
    """A measure, its interval where it has one, and how many images it was taken on."""
    value, bounds = scores.get(measure), interval_of(scores, measure)
    if value is None:
        return "–"
    between = f" ({bounds[0]:.1%} to {bounds[1]:.1%})" if bounds else ""
    count = scores.get(FIGURES[measure][1])
    return f"{value:.1%}{between}" + (f", {count} images" if count else "")


def begun_anew(renewed: Sequence[str], seed: int) -> list[str]:
    """The list of tensors that the student has no weights for."""
    if not renewed:
        return ["None: the student fills the whole of the original layout."]
    more = [f"- and {len(renewed) - MAX_LISTED} more"] if len(renewed) > MAX_LISTED else []
    return [
        "The original layout has tensors outside the encoder. They hold fresh random numbers "
        f"(seed {seed}), never the suspect's: train them before use.",
        "",
        *(f"- {plain(name)}" for name in renewed[:MAX_LISTED]),
        *more,
    ]


def command(config: DistillConfig) -> str:
    """The command line that differs from the defaults as this run did."""
    words = ["python", "-m", "mimic", "distill"]
    default = type(config)()
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value == getattr(default, field.name):
            continue
        option = field.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            values = value if isinstance(value, tuple) else (value,)
            words += [f"--{option}", *(without_folder(str(v)) for v in values)]
    return shlex.join(words).replace("`", "'")


def without_folder(text: str) -> str:
    """A file's name without the folder it lies in, which is nobody else's business."""
    return re.sub(r"^(~|/|[A-Za-z]:\\)\S.*[/\\](?=[^/\\]+$)", "", text)


def size_of(teacher: EncoderFile) -> str:
    """The input size in words."""
    side = teacher.input_size
    return (
        teacher.size.source if side is None else f"{side} x {side} pixels ({teacher.size.source})"
    )


def answer(value: int | bool | None) -> str:
    """Yes, no, or neither."""
    return "not applicable" if value is None else "yes" if value else "no"


def numbers(values: Sequence[float]) -> str:
    """Numbers, comma-separated."""
    return ", ".join(f"{value:g}" for value in values)


def plain(text: object) -> str:
    """Foreign text without line breaks or characters that Markdown or HTML would act on."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", printable(str(text))[:200])
