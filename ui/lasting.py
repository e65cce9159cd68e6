"""How long a job takes, judged by the last one of its kind."""

from __future__ import annotations

from mimic.errors import MimicError
from mimic.run import Run, is_bundled, list_runs
from ui import numbers, subject, text


def told(kind: str, name: str) -> str:
    """How long the newest finished job of a kind took, and where; nothing where there is none.

    Args:
        kind: of the job.
        name: what the job is called on screen.
    """
    made = [run for run in list_runs(kind=kind) if subject.has_result(run)]
    own = next((run for run in made if not is_bundled(run)), None)
    if own:
        return (
            f"The last {name.lower()} on this machine, of {text.plain(subject.title(own))}, took "
            f"{numbers.duration(seconds(own))}. Time left is shown while it works."
        )
    if not made:
        return ""
    return (
        f"The demo's took {numbers.duration(seconds(made[0]))} on the machine that made it; larger "
        "encoders and more images take longer. Time left is shown while it works."
    )


def seconds(run: Run) -> float | None:
    """How long a run worked, as every other place says it."""
    try:
        return (run.result() or {}).get("seconds") or run.status().lasted
    except MimicError:
        return None
