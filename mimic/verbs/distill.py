"""``distill``: measure, weigh, distil, score. The verb a team runs to clean an encoder."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import torch

from mimic import answers, distributed
from mimic.config import DistillConfig, InformationConfig
from mimic.datasets import ImageSet
from mimic.errors import ConfigError
from mimic.evaluation import Judge
from mimic.layer_weights import layer_weights, parse_weights, preset_scale
from mimic.mitigation import Distillation, distill
from mimic.mutual_information import Measurement, PairSource, measure_layers
from mimic.run import Checkpoints, find_run, require_space
from mimic.run.durable import RESERVE_BYTES
from mimic.verbs.cleaned import CARD_FILE, original_layout_name, write_student
from mimic.verbs.work import Stopped, Subject, Work

MEASURING_SHARE = 0.1
SAVE_SECONDS = 2.0
"""Between two checkpoints; longer where saving is slow, so that it takes about a twentieth."""
MOST_SAVE_SECONDS = 30.0
LIVE_KEYS = ("accuracy", "asr", "asr_all", "test_images", "stamped_images")


def distill_encoder(work: Work[DistillConfig]) -> dict[str, Any]:
    """Distil the subject's benign knowledge into a random student."""
    config = work.config
    distributed.claim(work.device)
    subject = Subject(work)
    teacher = subject.teacher
    for layer in config.layers:
        teacher.encoder.layer(layer)  # An unknown layer fails here, before any work.
    subset = subject.clean_subset()
    if distributed.rank() == 0:
        _ = subject.trigger  # One that does not fit the images fails here, too.
    plan = make_plan(work, subject, subset)
    weights = plan["weights"]

    state = begin(subject, config, work.device)
    require_space(work.run.directory, 2 * state.size + RESERVE_BYTES)
    continue_from_checkpoint(work, state)
    if distributed.rank() > 0:  # Helps to train; the first process judges and writes.
        train(work, subject, state, None, weights, subset)
        return {}
    live = subject.live_judge()
    if state.epoch == 0:
        record = {
            "epoch": 0,
            "epochs": config.epochs,
            "evaluation": evaluation(live, state, subject),
        }
        work.run.record(record)
    train(work, subject, state, live, weights, subset)

    work.step(0.97, "scoring teacher, student and clean twin")
    scores = final_scores(work, subject, state)
    result = {
        "weights": weights,
        "information": plan["information"],
        "notes": [*plan.get("notes", []), *training_notes(state)],
        "clean_images": len(subset),
        "clean_fraction": config.clean_fraction,
        "epochs": config.epochs,
        "stopped_early_at": state.stopped_early_at,
        "processes": distributed.count(),
        "reference": config.reference,
        "device": work.progress.status.device,
        "precision": str(work.precision).removeprefix("torch."),
        "target_class": subject.target if subject.is_labelled else None,
        "target_found": subject.target_found,
        "scores": scores,
        "student_file": "student.safetensors",
        "original_layout_file": original_layout_name(teacher),
        "model_card_file": CARD_FILE,
        "seconds": sum(m.get("seconds", 0.0) for m in work.run.metrics()),
    }
    with torch.no_grad():
        write_student(work, subject, state, result)
    return result


def begin(subject: Subject, config: DistillConfig, device: torch.device) -> Distillation:
    """The training before its first update, drawn by the seed; its head is the suspect's size."""
    head = subject.teacher.head
    return Distillation.begin(
        subject.teacher.encoder,
        config,
        device,
        projection_dim=0 if head is None else head.projection_dim,
    )


def make_plan(work: Work[DistillConfig], subject: Subject, subset: ImageSet) -> dict[str, Any]:
    """Layer weights and where they come from; a resumed run keeps those it began with.

    Of several processes the first one decides.
    """
    plan = None
    if distributed.rank() == 0:
        plan = work.run.read_json("plan.json")
        if plan is None:
            weights, information = choose_weights(work, subject, subset)
            notes = information_notes(work) if information else []
            plan = {"weights": weights, "information": information, "notes": notes}
            work.run.write_json("plan.json", plan)
    return dict(distributed.from_first(plan))


def training_notes(state: Distillation) -> list[str]:
    """What a reader of the result has to know of how the training went."""
    notes = []
    if state.parts > 1:
        notes.append(
            f"Memory ran out, so each batch was split into {state.parts} micro-batches; "
            "batch-norm saw one micro-batch at a time."
        )
    if state.stopped_early_at is not None:
        notes.append(
            f"The training ended early, at epoch {state.stopped_early_at}: the agreement with the "
            "teacher had stopped to rise."
        )
    return notes


def choose_weights(
    work: Work[DistillConfig], subject: Subject, subset: ImageSet
) -> tuple[dict[str, float], dict[str, float] | None]:
    """Layer weights, and the information they come from: by hand, uniform, stored, or measured."""
    config = work.config
    if config.weights:
        weights = parse_weights(config.weights)
        for layer in weights:
            subject.teacher.encoder.layer(layer)
        return weights, None
    preset = preset_scale(config.preset)
    base = config.base if config.base >= 0 else preset.base
    budget = config.budget if config.budget >= 0 else preset.budget
    if config.information == "uniform":
        return layer_weights(dict.fromkeys(config.layers, 0.0), base=base, budget=budget), None
    if config.information == "measure":
        nats = measured(work, subject, subset)
    else:
        nats = stored_information(config.information, work)
    missing = [layer for layer in config.layers if layer not in nats]
    if missing:
        raise ConfigError(
            f"Run {config.information} has not measured {', '.join(missing)}.",
            "Measure these layers first, or choose --information measure.",
        )
    nats = {layer: nats[layer] for layer in config.layers}
    return layer_weights(nats, base=base, budget=budget), nats


def measured(work: Work[DistillConfig], subject: Subject, subset: ImageSet) -> dict[str, float]:
    """Information of the teacher's layers on clean images, measured now with default settings."""
    layers = work.config.layers
    asked = InformationConfig(layers=layers, seed=work.config.seed)
    source = PairSource.draw(
        subset,
        None,
        pairs=asked.pairs,
        held_out=asked.held_out,
        recipe=subject.recipe(),
        seed=asked.seed,
    )
    nats = {}
    total = len(layers) * asked.critic_epochs
    records = measure_layers(
        subject.teacher.encoder,
        subject.teacher.preprocessing,
        source,
        Measurement.from_config(asked),
        network="teacher",
        inputs=("clean",),
        device=work.device,
        precision=work.precision,
    )
    for number, curve in enumerate(records, start=1):
        work.step(
            MEASURING_SHARE * number / total,
            f"measuring how much {curve.layer} of the suspect tells",
        )
        if curve.estimate is not None:
            nats[curve.layer] = curve.estimate
    return nats


def stored_information(run_id: str, work: Work[DistillConfig]) -> dict[str, float]:
    """Clean-image information of the teacher from a finished information run."""
    run = find_run(run_id, work.run.directory.parent)
    for curve in (run.result() or {}).get("curves", []):
        if (curve["network"], curve["input"]) == ("teacher", "clean"):
            return dict(curve["layers"])
    raise ConfigError(
        f"Run {run_id} holds no information of the suspect on clean images.",
        "Name a finished information run, or choose --information measure.",
    )


def information_notes(work: Work[DistillConfig]) -> list[str]:
    """Where a stored measurement was made on other clean images than this run distils on."""
    config = work.config
    if config.information == "measure":
        return []
    asked = find_run(config.information, work.run.directory.parent).about()["config"]
    same = (asked["clean_fraction"], asked["seed"]) == (config.clean_fraction, config.seed)
    return [] if same else [
        f"The layer weights come from run {config.information}, which measured "
        f"{asked['clean_fraction']:.2%} of the images drawn by seed {asked['seed']}; this run "
        f"distils on {config.clean_fraction:.2%} drawn by seed {config.seed}."
    ]  # fmt: skip


def continue_from_checkpoint(work: Work[DistillConfig], state: Distillation) -> None:
    """Take over a saved state, if there is one, and drop metric lines written after it.

    Of several processes the first one finds it and hands it to the others.
    """
    found = Checkpoints(work.run).latest() if distributed.rank() == 0 else None
    for name in found.damaged if found else ():
        work.warn(f"The checkpoint {name} was damaged; the run continued from the one before it.")
    path = found.path if found else work.run.directory / "received.safetensors"
    if distributed.count() > 1:
        received = distributed.from_first(path.read_bytes() if found else None)
        if distributed.rank() > 0 and received is not None:
            path.write_bytes(received)
    if path.is_file():
        state.restore(path)
        work.run.keep_metrics(lambda metric: int(metric["epoch"]) <= state.epoch)
    else:
        work.run.keep_metrics(lambda _metric: False)


def train(
    work: Work[DistillConfig],
    subject: Subject,
    state: Distillation,
    live: Judge | None,
    weights: dict[str, float],
    subset: ImageSet,
) -> None:
    """Run the remaining epochs; record each, score every few, save every few seconds."""
    config = work.config
    images = subject.teacher.preprocessing.unit(subset.images, work.device)
    first = distributed.rank() == 0
    checkpoints, due = Checkpoints(work.run), time.monotonic() + SAVE_SECONDS

    def save() -> float:
        """Save the state, and tell when to do so next."""
        began = time.monotonic()
        if first:
            work.run.sync_metrics()  # A state without its metric lines could not be resumed.
            checkpoints.save(state.save)
        ended = time.monotonic()
        return ended + min(max(SAVE_SECONDS, 20 * (ended - began)), MOST_SAVE_SECONDS)

    def tell(share: float) -> None:
        split = f", batches split in {state.parts} to fit the memory" if state.parts > 1 else ""
        work.step(
            MEASURING_SHARE + (0.97 - MEASURING_SHARE) * share,
            f"distilling{split}",
            stoppable=distributed.count() == 1,  # Several processes have to stop together.
        )

    for record in distill(
        subject.teacher.encoder,
        images,
        state,
        config,
        weights=weights,
        normalization=subject.teacher.normalization,
        recipe=subject.recipe(),
        precision=work.precision,
        on_step=tell,
    ):
        values = asdict(record)
        is_last = state.is_finished(config.epochs)
        if first and (record.epoch % config.evaluate_every == 0 or is_last):
            values["evaluation"] = evaluation(live, state, subject)
        work.run.record(values)
        if time.monotonic() > due or is_last:
            due = save()
        if distributed.from_first(work.run.stop_requested()):
            save()
            raise Stopped


def evaluation(
    live: Judge | None, state: Distillation, subject: Subject
) -> dict[str, float | None]:
    """Accuracy and ASR of the student as it stands."""
    if live is None:
        return dict.fromkeys(LIVE_KEYS)
    scores = live(state.student, subject.teacher.preprocessing)
    return {key: scores[key] for key in LIVE_KEYS}


def final_scores(
    work: Work[DistillConfig], subject: Subject, state: Distillation
) -> dict[str, Any]:
    """Scores of teacher, student and clean twin, and the example images for the pages.

    The student before its training is scored too: what it reaches, no training has brought.
    """
    judge = subject.judge()
    if judge is None:
        return {"teacher": None, "student": None, "clean_twin": None, "untrained": None}
    preprocessing = subject.teacher.preprocessing
    before = judge.predict(subject.teacher.encoder, preprocessing)
    after = judge.predict(state.student, preprocessing)
    twin = subject.twin
    floor = None if twin is None else judge.predict(twin.encoder, twin.preprocessing)
    begun = judge.predict(begin(subject, work.config, work.device).student, preprocessing)
    found = {"teacher": before, "student": after, "clean_twin": floor, "untrained": begun}
    work.run.write_arrays(answers.NAME, **judge.answers(found))
    chosen = subject.examples()
    work.run.write_arrays(
        "examples",
        **subject.pictures(chosen),
        labels=subject.test.need_classes()[chosen],
        before_clean=before.clean[chosen],
        before_stamped=before.stamped[chosen],
        after_clean=after.clean[chosen],
        after_stamped=after.stamped[chosen],
        before_clean_confidence=before.clean_confidence[chosen],
        before_stamped_confidence=before.stamped_confidence[chosen],
        after_clean_confidence=after.clean_confidence[chosen],
        after_stamped_confidence=after.stamped_confidence[chosen],
    )
    return {
        "teacher": judge.score(before, choices=subject.choices),
        "student": judge.score(after),
        "clean_twin": None if floor is None else judge.score(floor),
        "untrained": judge.score(begun),
    }
