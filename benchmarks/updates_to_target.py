"""How many updates until the student is clean and able: the authors' schedule against ours.

    python -m benchmarks.updates_to_target --subject demo
    python -m benchmarks.updates_to_target --subject cifar10 --data-root DATA --updates 1860

Target: attack success within 2 points of the clean twin's, accuracy within 3 points of the
suspect's, both as measured while training. The authors' schedule is a constant rate of 1e-3 (their
script's default; their README says 1e-2), batch 128 and weights of 1,000 + 10,000; ours are the
defaults. Runs go through the command line and are found again when the benchmark is repeated.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from mimic.run import Run
from mimic.training import batches_per_epoch

ROOT = Path(__file__).resolve().parent.parent
ASR_POINTS, ACCURACY_POINTS = 0.02, 0.03
MEASUREMENTS = 40
AUTHORS = {"preset": "authors", "batch-size": 128, "schedule": "constant"}
SCHEDULES: dict[str, dict[str, Any]] = {
    "ours": {"batch-size": 64},
    "authors, rate 1e-3": {**AUTHORS, "learning-rate": 1e-3},
    "authors, rate 1e-2": {**AUTHORS, "learning-rate": 1e-2},
}


def main() -> None:
    """Run every schedule with every seed, print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--subject", default="demo", help="a subject with a clean twin")
    parser.add_argument("--data-root", default="data", help="folder of torchvision sets")
    parser.add_argument("--clean-images", type=int, default=0, help="as the subject has at 4 %%")
    parser.add_argument("--updates", type=int, default=1_000, help="length of each training")
    parser.add_argument("--seeds", type=int, default=2, help="trainings per schedule")
    parser.add_argument("--root", type=Path, default=Path("runs"), help="folder of runs")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    count = options.clean_images or {"demo": 58, "cifar10": 2_000}[options.subject]
    rows = []
    for name, settings in SCHEDULES.items():
        for seed in range(options.seeds):
            rows.append({"schedule": name, **measure(options, settings, seed, count)})
            print(f"  {rows[-1]}", file=sys.stderr)
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def measure(
    options: argparse.Namespace, settings: dict[str, Any], seed: int, count: int
) -> dict[str, Any]:
    """One training: when it reached the target, and where it ended."""
    per_epoch = batches_per_epoch(count, settings["batch-size"])
    epochs = round(options.updates / per_epoch)
    told = distil(options, {
        **settings, "seed": seed, "epochs": epochs,
        "evaluate-every": max(1, epochs // MEASUREMENTS),
    })  # fmt: skip
    teacher, twin, student = (told["scores"][k] for k in ("teacher", "clean_twin", "student"))
    reached = None
    for record in Run.open(Path(told["directory"])).metrics():
        found = record.get("evaluation") or {}
        if (
            reached is None
            and found.get("asr") is not None
            and found["asr"] <= twin["asr"] + ASR_POINTS
            and found["accuracy"] >= teacher["accuracy"] - ACCURACY_POINTS
        ):
            reached = int(record["epoch"]) * per_epoch
    return {
        "seed": seed, "updates": epochs * per_epoch, "reached": reached,
        "accuracy": student["accuracy"], "asr": student["asr"],
        "teacher_accuracy": teacher["accuracy"], "floor_asr": twin["asr"],
    }  # fmt: skip


def distil(options: argparse.Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    """Run the verb and take its JSON."""
    command = [
        sys.executable, "-m", "mimic", "distill", "--json", "--subject", options.subject,
        "--data-root", options.data_root, "--root", str(options.root),
    ]  # fmt: skip
    for key, value in settings.items():
        command += [f"--{key}", str(value)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2_000:])
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def table(rows: list[dict[str, Any]]) -> str:
    """The figures as Markdown."""
    lines = [
        "| schedule | seed | target reached after | ended at accuracy | ASR |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        when = "never" if row["reached"] is None else f"{row['reached']:,}"
        lines.append(
            f"| {row['schedule']} | {row['seed']} | {when} of {row['updates']:,} updates "
            f"| {row['accuracy']:.1%} (suspect {row['teacher_accuracy']:.1%}) "
            f"| {row['asr']:.1%} (floor {row['floor_asr']:.1%}) |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
