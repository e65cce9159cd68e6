"""Executing one run in the several processes that torchrun started."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mimic import distributed
from mimic.config import VERB_CONFIGS
from mimic.errors import ConfigError
from mimic.run import Run
from mimic.verbs.execution import execute


def execute_together(
    verb: str, prepare: Callable[[], Run], *, on_progress: Callable[[float, str], None]
) -> dict[str, Any]:
    """Execute a run as one of several processes.

    The first process makes the run directory and writes it. The others work on a copy of the
    settings in a scratch directory that is thrown away.

    Args:
        verb: which verb; only ``distill`` knows how to share its work.
        prepare: makes the run, or makes one ready to be continued; called in the first process.
        on_progress: told the progress of the first process.

    Returns:
        What the command prints; empty except in the first process.

    Raises:
        ConfigError: if the verb is computed by one process only.
        MimicError: if the run failed.
    """
    if verb != "distill":
        raise ConfigError(
            f"The verb {verb} is computed by one process.", "Start it without torchrun."
        )
    with distributed.process_group(), tempfile.TemporaryDirectory() as scratch:
        run = prepare() if distributed.rank() == 0 else None
        about = distributed.from_first(None if run is None else run.about())
        if run is None:
            config = VERB_CONFIGS[verb].from_json(about["config"])
            helper = f"helper-{os.getpid()}"
            inputs = about["inputs"]
            execute(Run.create(Path(scratch), verb, config, run_id=helper, inputs=inputs))
            return {}
        result = execute(run, on_progress=on_progress)
        return {"run": run.id, "directory": str(run.directory), "state": run.status().state} | (
            result
        )
