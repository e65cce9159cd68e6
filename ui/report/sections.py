"""The report's written parts: scores, examples, warnings, method, record, how to reproduce."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mimic.errors import MimicError
from mimic.run import Run, versions
from ui import distillation, doubts, jobs, numbers, pictures, scores, whose
from ui.report import material as parts
from ui.report import places
from ui.report.escape import lines, picture, words
from ui.report.figures import weights_said
from ui.report.material import Material

EXAMPLES = 6
UNIFORM = "uniform"
"""The word of a setting for equal layer weights."""
PAPER = (
    "Han et al., “Mutual Information Guided Backdoor Mitigation for Pre-trained Encoders”, "
    "IEEE Transactions on Information Forensics and Security, 2025, arXiv 2406.03508"
)


def table(rows: Sequence[Mapping[str, Any]], *, hashed: str = "") -> str:
    """Rows as a table; the column ``hashed`` may break anywhere."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f'<th scope="col">{words(name)}</th>' for name in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=hash' if name == hashed else ''}>{words(shown(row.get(name)))}</td>"
            for name in columns
        )
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="wide" tabindex="0" role="group" aria-label="Table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def shown(value: Any) -> str:
    """A value in a table."""
    if value is None or value == "":
        return numbers.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(str(v) for v in value) or "none"
    return str(value)


def own_note(material: Material) -> Iterator[str]:
    """What a person wrote about the run."""
    note = material.run.note()
    if note:
        yield f"<h2>Note</h2>\n<pre>{lines(note)}</pre>"


def scores_table(material: Material) -> Iterator[str]:
    """Scores of each encoder, and how the training went."""
    found, result = material.result.get("scores") or {}, material.result
    rows = scores.rows(found)
    if rows:
        yield f"<h2>The figures</h2>\n{table(rows)}"
    images = numbers.count(result["clean_images"])
    yield (
        f'<p class="soft">{images} clean images '
        f"({numbers.percent(result['clean_fraction'])} of the data), "
        f"{words(distillation.lasted(result))} in {numbers.duration(result['seconds'])} on "
        f"{words(result['device'])} ({words(result['precision'])}). Accuracy: a simple classifier "
        "on the frozen encoder, clean test images. ASR, attack success rate: share of triggered "
        "test images of other classes that end in the attacker’s class. The clean twin, an encoder "
        "without a backdoor, gives the floor.</p>"
    )


def example_images(material: Material) -> Iterator[str]:
    """A few images with and without the trigger, and what each is taken for."""
    arrays = material.run.arrays("examples")
    if not arrays or not len(arrays.get("images", ())):
        return
    yield '<h2>Examples</h2>\n<div class="images">'
    name = material.class_name
    for i in range(min(EXAMPLES, len(arrays["images"]))):
        truth = name(int(arrays["labels"][i]))
        before, after = (int(arrays[f"{side}_stamped"][i]) for side in ("before", "after"))
        said = (
            f"Shows {truth}. With the trigger, the suspect takes it for {name(before)}, the "
            f"cleaned encoder for {name(after)}."
            if before >= 0 and after >= 0
            else "The image, and the same with the trigger."
        )
        png = pictures.pair_png(arrays["images"][i], arrays["stamped"][i])
        yield (
            f'<figure><img src="{picture(png)}" alt="{words(said)}">'
            f"<figcaption>{words(said)}</figcaption></figure>"
        )
    yield "</div>"


def warnings_list(material: Material) -> Iterator[str]:
    """Doubts about any of the runs."""
    found = list(dict.fromkeys(said for _, said in parts.warnings(material)))
    found += points_of_care(material)
    yield "<h2>To be read with care</h2>\n<ul>"
    yield from (f"<li>{words(said)}</li>" for said in found)
    yield (
        "<li>Intervals speak of the test images only; another seed may move a figure further.</li>"
        "<li>Attack success is measured with the trigger that was given. A backdoor with another "
        "trigger would not show in it.</li></ul>"
    )


def points_of_care(material: Material) -> Iterator[str]:
    """Points of the information that cannot be taken as they are, and what stands without them."""
    result = (material.information.result() if material.information else None) or {}
    uncertain = doubts.doubts(result) if result.get("curves") else []
    if not uncertain:
        return
    for where, why in doubts.lines(result, uncertain, plain=False):
        yield f"Information, {where}: {why}"
    stands = doubts.conclusion(result, uncertain)
    if stands:
        yield f"Does the conclusion from the information stand? {stands}"


def method(material: Material) -> Iterator[str]:
    """The method in two paragraphs."""
    config = material.run.about()["config"]
    weights = material.result.get("weights") or {}
    taught = ", ".join(f"{layer} {weight:,.1f}" for layer, weight in weights.items()) or "none"
    yield "<h2>Method</h2>"
    yield (
        "<p>A backdoored encoder gives every image that carries the attacker’s trigger the "
        "features of one class. MIMIC does not repair such an encoder: it keeps it as a teacher "
        "and trains a fresh, randomly initialised student of the same kind, which can hold no "
        "backdoor of its own. How much each of the teacher’s layers tells about its final features "
        "on clean images is estimated as mutual information, in nats, by a critic network that "
        f"learns to tell matching pairs from shuffled ones. {words(weighed(config, weights))}</p>"
    )
    yield (
        "<p>The student learns from a few clean images without labels. Three losses are added: "
        "NT-Xent draws two views of an image together, an attention loss aligns where both "
        f"encoders look in each layer (weights here: {words(taught)}), and a clone loss aligns "
        f"their final features (weight {words(shown(config.get('clone_weight')))}). No triggered "
        "image takes part; the trigger serves only to measure afterwards. After "
        f"{words(PAPER)}.</p>"
    )


def weighed(config: Mapping[str, Any], weights: Mapping[str, float]) -> str:
    """How strongly the layers were copied in this run, and what decided that."""
    if not any(weights.values()):
        return "In this run no layer was copied."
    by = "The more a layer tells, the more it was copied in this run"
    if config.get("weights"):
        by = "In this run each layer's strength was given as a number, by hand or from Layers"
    elif config.get("information") == UNIFORM:
        by = "In this run every layer was to be copied alike, whatever it tells"
    return f"{by}. {weights_said(weights)}"


def reproduce(material: Material) -> Iterator[str]:
    """The commands that made the runs."""
    yield "<h2>How to reproduce</h2>"
    yield (
        "<p>With the same files, library versions and seed, these commands repeat the runs of this "
        "report, in this order, from MIMIC Studio’s folder with the Python it was installed "
        "in. Where a setting names a run, name the new one. Names that begin "
        "with <code>asset:</code> ship with MIMIC Studio.</p>"
    )
    yield f"<pre>{lines(chr(10).join(command(run) for run in material.runs))}</pre>"
    found: dict[str, str] = {}
    for run in material.runs:
        found |= places.placeholders(run.about().get("inputs") or {})
    if found:
        yield (
            "<p>This report names files, not folders. In place of these names, put the path of "
            "your copy; it is the right one if its SHA-256 is this (of a data set: the one the run "
            "records).</p>"
        )
        rows = [{"in place of": name, "SHA-256": digest} for name, digest in found.items()]
        yield table(rows, hashed="SHA-256")


def command(run: Run) -> str:
    """The command of a run, or why there is none."""
    try:
        return places.command(jobs.in_terminal(run.kind, run.config()))
    except MimicError as error:
        return f"# run {run.id}: {places.without_places(error.cause)}"


def appendix(material: Material) -> Iterator[str]:
    """Settings, inputs, versions and machine of each run."""
    yield "<h2>Record</h2>"
    for run in material.runs:
        about, status = run.about(), jobs.state_of(run)
        kind = jobs.KINDS.get(run.kind, run.kind)
        settings = places.config(about["config"])
        config = [{"setting": k, "value": v} for k, v in settings.items()]
        inputs = list(places.inputs(about.get("inputs") or {}))
        held = (about.get("versions") or {}).items()
        used = [{"component": versions.called(k), "version": v} for k, v in held]
        memory = numbers.size(status.memory_mb * 2**20) if status.memory_mb else numbers.NOTHING
        machine = f"{status.device or 'device not recorded'}; {memory} memory at most"
        yield (
            f'<details class="record"><summary>{words(kind)}, run {words(run.id)}, '
            f"{words(whose.seed(run))}</summary>"
            f"<p>Machine: {words(machine)}.</p>"
            f"<h3>Inputs</h3>{table(inputs, hashed='SHA-256')}"
            f"<h3>Versions</h3>{table(used)}<h3>Settings</h3>{table(config)}</details>"
        )
