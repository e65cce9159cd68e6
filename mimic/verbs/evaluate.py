"""``evaluate``: accuracy and ASR of suspect, student and clean twin, by each chosen probe."""

from __future__ import annotations

from typing import Any

from mimic import answers
from mimic.checkpoint import EncoderFile
from mimic.config import DistillConfig, EvaluateConfig, SubjectConfig
from mimic.encoder import Encoder
from mimic.errors import RunError
from mimic.evaluation import Prediction
from mimic.run import Run, find_run
from mimic.verbs.distill import begin
from mimic.verbs.work import Subject, Work


def evaluate(work: Work[EvaluateConfig]) -> dict[str, Any]:
    """Score up to four encoders with up to three probes.

    The student before its training is one where the student is a run's: what it reaches, no
    training has brought.
    """
    subject = Subject(work)
    subject.train.need_classes()
    encoders = {
        name: None if loaded is None else (loaded.encoder, loaded.preprocessing)
        for name, loaded in (
            ("teacher", subject.teacher),
            ("student", load_student(work, work.config.student)),
            ("clean_twin", subject.twin),
        )
    }
    begun = untrained(work, subject)
    encoders["untrained"] = None if begun is None else (begun, subject.teacher.preprocessing)
    judge = subject.judge()
    probes: dict[str, dict[str, Any]] = {}
    found: dict[str, Prediction | None] = {}
    total = len(work.config.probes) * len(encoders)
    for probe in work.config.probes:
        probes[probe] = dict.fromkeys(encoders)
        for name, loaded in encoders.items():
            done = (len(probes) - 1) * len(encoders) + list(encoders).index(name)
            work.step(done / total, f"scoring {name.replace('_', ' ')} with the {probe} probe")
            if loaded is not None and judge is not None:
                given = judge.predict(*loaded, probe=probe)
                choices = subject.choices if name == "teacher" else 1
                probes[probe][name] = judge.score(given, choices=choices)
                found.setdefault(name, given)  # The first probe's, which comparisons speak of.
    if judge is not None:
        work.run.write_arrays(answers.NAME, **judge.answers(found))
    return {
        "probes": probes,
        "target_class": subject.target,
        "target_found": subject.target_found,
        "seconds": work.seconds,
    }


def untrained(work: Work[EvaluateConfig], subject: Subject) -> Encoder | None:
    """The network that a distil run's student was before its training; None of any other file."""
    run = run_of(work, work.config.student)
    config = run.config() if run is not None and run.kind == "distill" else None
    if not isinstance(config, DistillConfig):
        return None
    return begin(subject, config, work.device).student


def run_of(work: Work[Any], text: str) -> Run | None:
    """The run a setting names; None where it names a file or nothing."""
    try:
        return find_run(text, work.run.directory.parent) if text else None
    except RunError:
        return None


def load_student(work: Work[SubjectConfig], text: str) -> EncoderFile | None:
    """The cleaned encoder a setting names: a distil run's, or any encoder file; nothing is None."""
    if not text:
        return None
    run = run_of(work, text)
    if run is None:
        return work.encoder("student", text)
    path = run.directory / "student.safetensors"
    if not path.is_file():
        raise RunError(
            f"Run {run.id} has no cleaned encoder yet.", "Wait until it is finished, or resume it."
        )
    return work.encoder("student", str(path))
