"""The cleaned encoder as files: safetensors, the layout the suspect came in, and a model card."""

from __future__ import annotations

from typing import Any

from mimic.answers import kept_by
from mimic.checkpoint import EncoderFile, export_suffix, save_encoder, save_in_layout
from mimic.config import DistillConfig
from mimic.mitigation import Distillation
from mimic.run import file_sha256
from mimic.run.origins import INSPECTED
from mimic.verbs.model_card import model_card, without_folder
from mimic.verbs.work import Subject, Work
from mimic.verdict import of_cleaning

STUDENT_FILE = "student.safetensors"
CARD_FILE = "MODEL_CARD.md"
NAMED_HERE = ("information", INSPECTED)
"""What names other runs on this machine. The file does not, nor does it name its own run: whoever
repeats the run gets the same bytes, and so the same SHA-256."""


def original_layout_name(teacher: EncoderFile) -> str | None:
    """The file that takes the suspect's place; None where that is the safetensors file anyway."""
    if teacher.is_mine:
        return None
    suffix = export_suffix(teacher)
    return f"student.{suffix}" if suffix == "pth" else f"student-as-original.{suffix}"


def write_student(
    work: Work[DistillConfig], subject: Subject, state: Distillation, result: dict[str, Any]
) -> None:
    """Write the cleaned encoder in both layouts, and the card that says how it came about."""
    teacher, student, head = subject.teacher, state.student.eval(), state.head.eval()
    inputs = work.run.about()["inputs"]
    card = {
        "made_by": "MIMIC Studio, verb distill",
        "config": {
            key: without_folder(value) if isinstance(value, str) else value
            for key, value in work.config.to_json().items()
            if key not in NAMED_HERE
        },
        "inputs": {
            without_folder(name): {k: v for k, v in known.items() if k not in NAMED_HERE}
            for name, known in inputs.items()
        },
        "scores": result["scores"],
        "layer_weights": result["weights"],
    }
    work.run.write_file(
        STUDENT_FILE,
        lambda path: save_encoder(
            path,
            student,
            head=head,
            normalization=teacher.normalization,
            input_size=teacher.preprocessing.size_for(subject.data.size[0]),
            card=card,
        ),
    )
    names, renewed = [STUDENT_FILE], []
    if original := result["original_layout_file"]:
        names.append(original)
        work.run.write_file(
            original,
            lambda path: renewed.extend(
                save_in_layout(path, student, head, teacher, seed=work.config.seed)
            ),
        )
    result["renewed_tensors"] = renewed
    files = {name: file_sha256(work.run.directory / name) for name in names}
    scored = (result["scores"].get("student") or {}).get("accuracy") is not None
    found = of_cleaning(result["scores"], kept_by(work.run)) if scored else None
    text = model_card(
        config=work.config, result=result, inputs=inputs, teacher=teacher, files=files,
        renewed=renewed, run_id=work.run.id, found=found,
    )  # fmt: skip
    work.run.write_file(CARD_FILE, lambda path: path.write_text(text, encoding="utf-8"))
