"""A job that only pretends to train: a process that writes a distillation's lines into a run.

    python -m tests.browser.fake_work RUNS_FOLDER RUN_ID EPOCHS SECONDS_PER_EPOCH

It obeys a request to stop as real jobs do, and lets tests of the page choose the pace.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from mimic.config import DistillConfig
from mimic.run import Progress, Run
from mimic.subjects import subject_fields


def line(epoch: int, epochs: int) -> dict[str, object]:
    """One epoch's metrics: losses fall, accuracy rises, attack success stays low."""
    fall = 0.9**epoch
    return {
        "epoch": epoch, "epochs": epochs, "loss": 4 * fall + 1, "contrastive": 2 * fall + 1,
        "attention": 1.5 * fall, "clone": -0.9 + 0.5 * fall, "learning_rate": 3e-3,
        "seconds": 0.4, "agreement": 0.95 - 0.4 * fall,
        "evaluation": {"accuracy": 0.97 - 0.3 * fall, "asr": 0.02, "asr_all": 0.1},
    }  # fmt: skip


def work(root: Path, run_id: str, epochs: int, pace: float) -> None:
    """Write one line per ``pace`` seconds until all are written or someone asks to stop."""
    root.mkdir(parents=True, exist_ok=True)
    config = DistillConfig(subject="demo", **subject_fields("demo"), epochs=epochs)
    run = Run.create(root, "distill", config, run_id=run_id)
    progress = Progress(run, device="CPU")
    with progress.beating():
        for epoch in range(1, epochs + 1):
            run.record(line(epoch, epochs))
            progress.update(epoch / epochs, f"Epoch {epoch} of {epochs}")
            time.sleep(pace)
            if run.stop_requested():
                progress.set_state("stopped")
                return
    progress.set_state("stopped")  # Finished runs need a student's files.


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
