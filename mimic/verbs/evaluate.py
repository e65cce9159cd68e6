"""``evaluate``: accuracy and ASR of suspect, student and clean twin, by each chosen probe."""

from __future__ import annotations

from typing import Any

from mimic import answers
from mimic.checkpoint import EncoderFile
from mimic.config import EvaluateConfig, SubjectConfig
from mimic.errors import RunError
from mimic.evaluation import Prediction
from mimic.run import find_run
from mimic.verbs.work import Subject, Work


def evaluate(work: Work[EvaluateConfig]) -> dict[str, Any]:
    """Score up to three encoders with up to three probes."""
    subject = Subject(work)
    subject.train.need_classes()
    encoders = {
        "teacher": subject.teacher,
        "student": load_student(work, work.config.student),
        "clean_twin": subject.twin,
    }
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
                given = judge.predict(loaded.encoder, loaded.preprocessing, probe=probe)
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


def load_student(work: Work[SubjectConfig], text: str) -> EncoderFile | None:
    """The cleaned encoder a setting names: a distil run's, or any encoder file; nothing is None."""
    if not text:
        return None
    try:
        run = find_run(text, work.run.directory.parent)
    except RunError:
        return work.encoder("student", text)
    path = run.directory / "student.safetensors"
    if not path.is_file():
        raise RunError(
            f"Run {run.id} has no cleaned encoder yet.", "Wait until it is finished, or resume it."
        )
    return work.encoder("student", str(path))
