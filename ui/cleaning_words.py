"""What is said before a cleaning: whether there is anything to clean, how long it will be, why."""

from __future__ import annotations

import streamlit as st

from mimic.config import DistillConfig
from mimic.run import is_bundled
from mimic.subjects import recommended_distillation
from mimic.training_length import batches_per_epoch, suited_epochs, suited_updates
from ui import mode, numbers, verdict
from ui.subject import Subject, has_result


def length(subject: Subject, config: DistillConfig) -> str:
    """How long a distillation will be, and why."""
    images = config.clean_images(int(subject.result["data"]["images"]))
    if not images:
        return "No clean image would be left: choose a larger share."
    told = f"{numbers.count(images)} clean images, {rounds(config.epochs)}"
    if mode.is_expert():
        updates = config.epochs * batches_per_epoch(images, config.batch_size)
        told += f" (about {numbers.count(updates)} updates)"
    return (
        f"{told}{took(subject)}. {basis(subject, config, images)} Fewer {mode.word('epochs')} "
        "leave the cleaned encoder weak; many more can bring the backdoor back."
    )


def took(subject: Subject) -> str:
    """How long the newest cleaning of this encoder worked, and where, if there is one."""
    made = [run for run in subject.runs("distill") if has_result(run)]
    own = next((run for run in made if not is_bundled(run)), None)
    last = own or next(iter(made), None)
    result = (last.result() if last else None) or {}
    if not result.get("seconds"):
        return ""
    lasted = f"{rounds(result['epochs'])} took {numbers.duration(result['seconds'])}"
    where = "last time on this machine" if own else "on the machine that made the demo"
    return f"; {lasted} {where}"


def rounds(count: int) -> str:
    """A number of epochs, as the view calls them."""
    return f"{numbers.count(count)} {mode.word('epoch' if count == 1 else 'epochs')}"


def basis(subject: Subject, config: DistillConfig, images: int) -> str:
    """Why a distillation is as long as it is: one sentence."""
    measured = recommended_distillation(subject.settings["subject"])
    if measured and length_of(config) == length_of(DistillConfig(**measured)):
        return "This length was measured on this example."
    if config.epochs == suited_epochs(images, config.batch_size):
        of_what = "with so many" if measured else "on your encoder"
        return f"This length suits that many images; it was not measured {of_what}."
    suited = numbers.count(suited_updates(images))
    return f"About {suited} updates are recommended for so many images."


def length_of(config: DistillConfig) -> tuple[float, int, int]:
    """The settings that decide how often a student sees how many images."""
    return config.clean_fraction, config.epochs, config.batch_size


def before_cleaning(subject: Subject) -> None:
    """Whether there is anything to clean, as far as was seen."""
    if verdict.on_suspect(subject).level == "not_seen":
        st.info("No backdoor was seen; cleaning usually costs accuracy.", icon=":material/info:")
