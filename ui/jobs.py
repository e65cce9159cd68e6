"""Starting, stopping and resuming jobs, and how a run looks in a list."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import streamlit as st

from mimic import job
from mimic.config import Config, DistillConfig, SubjectConfig
from mimic.errors import MimicError
from mimic.run import Run, Status, is_bundled, run_created
from mimic.subjects import subject_fields
from ui import frame, lasting, mode, numbers, text

Colour = Literal["blue", "green", "orange", "red", "gray"]
STATES: dict[str, tuple[str, Colour, str]] = {
    "starting": ("starting", "blue", ":material/hourglass_top:"),
    "queued": ("waiting for the device", "blue", ":material/hourglass_top:"),
    "running": ("running", "blue", ":material/play_circle:"),
    "stopping": ("stopping", "orange", ":material/stop_circle:"),
    "stopped": ("stopped", "orange", ":material/stop_circle:"),
    "interrupted": ("interrupted", "orange", ":material/power_off:"),
    "failed": ("failed", "red", ":material/error:"),
    "finished": ("finished", "green", ":material/check_circle:"),
}
SILENT: tuple[str, Colour, str] = ("not responding", "orange", ":material/heart_broken:")
"""Instead of an active state whose process has not given a sign of life for half a minute."""
KINDS = {
    "inspect": "Inspection",
    "information": "Layer measurement",
    "distill": "Cleaning",
    "sweep": "Sweep",
    "embed": "Embedding",
    "attention": "Look into the layers",
    "evaluate": "Evaluation",
    "placement": "Trigger at other places",
    "pretrain": "Pre-training",
    "attack": "Backdoor implant",
}
TELLS_ITSELF = ("distill",)
"""Kinds whose form says how long the job takes, see ``ui.cleaning_words``."""
VENV_PYTHON = ".venv/bin/python"
ENDED_EARLY = ("stopped", "interrupted", "failed")


def badge(status: Status) -> None:
    """The run's state as a badge: colour, sign and word."""
    label, colour, icon = STATES.get(status.state, ("unknown", "gray", ":material/help:"))
    if not status.is_responding:
        label, colour, icon = SILENT
    st.badge(label, color=colour, icon=icon)


def state_of(run: Run) -> Status:
    """The run's status; a damaged one reads as failed, with its cause."""
    try:
        return run.status()
    except MimicError as error:
        return Status(state="failed", cause=error.cause, remedy=error.remedy)


def label(run: Run) -> str:
    """A run in a selector: when it was begun, its note or what tells it apart, and its id's end.

    Browsers keep showing the words of the moment when a run was picked; so nothing in here changes
    while the run works.
    """
    if is_bundled(run) or run.id.startswith("demo-"):
        return f"{text.bare(run.id)} (ships with the project)"
    told = text.bare(run.note(), 40) or traits(run)
    parts = (numbers.moment(run_created(run)), told, text.bare(run.id[-4:]))
    return " · ".join(part for part in parts if part)


def labels(runs: Mapping[str, Run]) -> Callable[[str], str]:
    """What a selector calls each of some runs by its id; one that is gone keeps its id."""
    return lambda run_id: label(runs[run_id]) if run_id in runs else run_id


def traits(run: Run) -> str:
    """What a person set of a distillation and would know it by: length, layers, losses, seed."""
    try:
        config = run.config()
    except MimicError:
        return ""
    if not isinstance(config, DistillConfig):
        return ""
    off = [n for n in ("contrastive", "attention", "clone") if not getattr(config, f"{n}_weight")]
    said = [f"{config.epochs} {mode.word('epochs')}", *(f"no {name} loss" for name in off)]
    if config.attention_weight and config.layers != DistillConfig().layers:
        said.append("+".join(text.bare(layer, 12) for layer in config.layers))
    return ", ".join([*said, f"seed {config.seed}"] if config.seed else said)


def start(kind: str, config: Config, key: str) -> None:
    """Start a job and remember its id under ``key``; a refusal becomes a card. For callbacks."""
    try:
        st.session_state[key] = job.start(kind, config).id
        st.session_state[f"{kind}_started"] = st.session_state.get(f"{kind}_started", 0) + 1
    except MimicError as error:
        frame.remember_error(error)


@contextlib.contextmanager
def form(label: str, kind: str, *, opened: bool) -> Iterator[None]:
    """The fold with a job's settings; what fails inside becomes a card.

    Starting the job folds it again, so that what the job shows is in sight, and a choice that has
    no outcome yet unfolds it: a new key is a new fold to the browser, while the settings inside
    keep their values.

    Args:
        label: its title.
        kind: of the job.
        opened: whether it is open at first.
    """
    times = st.session_state.get(f"{kind}_started", 0)
    key = f"form-{kind}-{times}{'-open' if opened else ''}"
    with st.expander(label, expanded=opened, key=key), frame.errors_as_cards():
        yield


def start_button(label: str, kind: str, config: Config, key: str, *, icon: str) -> None:
    """The button that starts a job, and the command that does the same in a terminal."""
    st.button(
        label, type="primary", icon=icon, key=f"start-{kind}", on_click=start,
        args=(kind, config, key),
    )  # fmt: skip
    if not mode.is_expert():
        expected = "" if kind in TELLS_ITSELF else lasting.told(kind, KINDS[kind])
        if expected:
            st.caption(expected)
        return
    st.caption("The same in a terminal, from the project's folder:")
    st.code(text.code(in_terminal(kind, config)), language=None, wrap_lines=True)


def in_terminal(kind: str, config: Config) -> str:
    """The command that does the same, as it works from the project's folder.

    The system's Python knows nothing of the project: where this app runs from the folder's own
    environment, as the README installs it, the command names that one.
    """
    line = job.command_line(kind, brief(config))
    own = job.CODE_ROOT / VENV_PYTHON
    runs_from_it = Path(sys.prefix).resolve() == own.parent.parent.resolve()
    return VENV_PYTHON + line.removeprefix("python") if runs_from_it else line


def brief(config: Config) -> Config:
    """The same settings without those that a built-in subject's name implies."""
    if not isinstance(config, SubjectConfig) or not config.subject:
        return config
    default = SubjectConfig()
    implied = subject_fields(config.subject).items()
    said = {k: getattr(default, k) for k, v in implied if getattr(config, k) == v}
    return dataclasses.replace(config, **said)


def stop(run: Run) -> None:
    """Ask a run to stop. Use as a callback."""
    try:
        job.stop(run)
    except MimicError as error:
        frame.remember_error(error)


def resume(run: Run) -> None:
    """Continue a run. Use as a callback."""
    try:
        job.resume(run)
    except MimicError as error:
        frame.remember_error(error)


def controls(run: Run) -> None:
    """Stop or Resume, whichever applies to the run."""
    status = state_of(run)
    if is_bundled(run):
        return
    if status.is_active:
        st.button(
            "Stop",
            icon=":material/stop_circle:",
            key=f"stop-{run.id}",
            on_click=stop,
            args=(run,),
            disabled=status.state == "stopping",
        )
    elif status.state in ENDED_EARLY and run.kind in job.RESUMABLE:
        st.button(
            "Resume",
            icon=":material/resume:",
            key=f"resume-{run.id}",
            on_click=resume,
            args=(run,),
        )
