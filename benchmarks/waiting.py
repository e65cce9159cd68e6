"""How long people wait: one table of the delays a user meets, on this machine.

    python -m benchmarks.waiting                 # library part and app part, some four minutes
    python -m benchmarks.waiting --no-library    # the pages only, some two minutes
    python -m benchmarks.waiting --json out.json

Library: all-layer information, distillation, first and repeated UMAP on the demo, each as the app
runs it (a process of its own, start-up included). App: how long each page takes, see
``benchmarks.page_waits``, and the server's memory over ten passes through all pages (needs Chromium
and the dev extra). Numbers taken while the machine had other work are no good: the load averages
stand above and below them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks import page_waits
from mimic import job
from mimic.config import DistillConfig, EmbedConfig, InformationConfig
from mimic.run import Run
from mimic.subjects import recommended_distillation, subject_fields


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-app", action="store_true", help="leave the app part out")
    parser.add_argument("--no-library", action="store_true", help="leave the library part out")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    print(f"load averages before: {load()}")
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        if not options.no_library:
            rows |= library(Path(folder))
        for name, value in rows.items():
            print(f"{name:<58}{value:>10.2f}")
        if not options.no_app:
            waits, grown = page_waits.measure(Path(folder) / "none")
            print(f"\n{page_waits.table(waits)}\n")
            memory = f"server memory growth over {page_waits.PASSES} passes (MiB)"
            print(f"{memory:<58}{grown:>10.2f}")
            rows |= {"pages (s)": waits, memory: grown}
    print(f"load averages after: {load()}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def library(root: Path) -> dict[str, float]:
    """Seconds of the demo's jobs, from the press of the button."""
    fields: dict[str, Any] = {"subject": "demo", **subject_fields("demo")}
    suited: dict[str, Any] = recommended_distillation("demo")
    rows = {}
    information, seconds, _ = timed("information", InformationConfig(**fields), root)
    rows["information of all layers, teacher and random (s)"] = seconds
    config = DistillConfig(**fields, **suited, information=information.id)
    distilled, seconds, first = timed("distill", config, root)
    rows["distillation (s)"] = seconds
    rows["distillation: first point on the chart (s)"] = first
    embed = EmbedConfig(**fields, student=distilled.id)
    _, seconds, first = timed("embed", embed, root)
    rows["first UMAP on screen (s)"] = first
    rows["UMAP and PCA of five layers (s)"] = seconds
    _, seconds, _ = timed("embed", embed, root)
    rows["the same embedding once more (s)"] = seconds
    return rows


def timed(kind: str, config: Any, root: Path) -> tuple[Run, float, float]:
    """A job's run, its seconds, and the seconds to its first metric line."""
    began, first = time.perf_counter(), 0.0
    run = job.start(kind, config, root=root)
    while run.status().state != "finished":
        if not first and run.metrics():
            first = time.perf_counter() - began
        if run.status().state in ("failed", "interrupted"):
            raise SystemExit(f"{kind} failed: {run.status().cause} {run.status().remedy}")
        time.sleep(0.05)
    return run, time.perf_counter() - began, first


def load() -> str:
    """The load averages over 1, 5 and 15 minutes."""
    return ", ".join(f"{average:.2f}" for average in psutil.getloadavg())


if __name__ == "__main__":
    main()
