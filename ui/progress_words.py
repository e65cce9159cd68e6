"""What a distillation at work has come to, in words below its charts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ui import mode, numbers

IN_SAMPLE = (
    "measured on the clean images of the training; on images the cleaned encoder has not seen it "
    "may be lower"
)
"""Of the agreement: nothing but these images is known to whoever cleans."""
Records = list[dict[str, Any]]


def loss_sentence(records: Records) -> str:
    """The newest loss in words."""
    trained = [r for r in records if r.get("loss") is not None]
    if not trained:
        return f"No {mode.word('epoch')} has been trained yet."
    last, epoch = trained[-1], mode.word("epoch").capitalize()
    return f"{epoch} {last['epoch']} of {last['epochs']}: total loss {last['loss']:.3f}."


def score_sentence(records: Records) -> str:
    """The newest measurement in words."""
    measured = [r for r in records if r.get("evaluation")]
    if not measured:
        return "Not measured yet."
    last = measured[-1]
    found = last["evaluation"]
    images, stamped = found.get("test_images"), found.get("stamped_images")
    on = f" on {numbers.count(images)} test images" if images else ""
    of_those = f" on the {numbers.count(stamped)} of other classes" if stamped else ""
    return (
        f"Measured at {mode.word('epoch')} {last['epoch']}: accuracy "
        f"{numbers.percent(found.get('accuracy'))}{on}, attack success "
        f"{numbers.percent(found.get('asr'))}{of_those}."
    )


def quick_sentence(records: Records, final: Mapping[str, Any] | None) -> str:
    """What a finished run's rings are, and why its last measurement is not its score."""
    if not final:
        return ""
    measured = [r["evaluation"] for r in records if r.get("evaluation")]
    quick, whole = (measured or [{}])[-1].get("test_images"), final.get("test_images")
    if not quick or not whole or quick == whole:
        return " Rings: the final scores." if measured else ""
    return (
        f" This is the quick measurement of the training, with fewer images for classifier and "
        f"test; the rings and the scores below are the final ones, on {numbers.count(whole)} test "
        "images."
    )


def agreement_sentence(records: Records) -> str:
    """The newest agreement in words."""
    agreed = [r["agreement"] for r in records if r.get("agreement") is not None]
    if not agreed:
        return "The agreement with the suspect is not measured yet."
    return f"Agreement with the suspect, from 0 to 1: {agreed[-1]:.3f}, {IN_SAMPLE}."
