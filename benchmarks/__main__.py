"""The engine against a plain implementation of the authors' schedule, in one run, as ratios.

    python -m benchmarks                        # both, side by side, and a table of how costs scale
    python -m benchmarks --json out.json        # the same, written down
    python -m benchmarks --full-schedule        # also 15,000 updates of the engine, for real

The task is the authors': ResNet-18 of width 64 at 32x32, batch 128, 2,000 images. Each measurement
is a process of its own; plain and engine take turns, and the median of the turns counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine
from mimic.config import InformationConfig

FULL_UPDATES = 15_000
ROOT = Path(__file__).resolve().parent.parent
VARIED: dict[str, list[tuple[str, list[Any]]]] = {
    "update": [
        ("width", [16, 32, 64]), ("batch", [32, 64, 128]), ("layers", [0, 1, 4]),
        ("threads", [1, 2]), ("precision", ["float32", "bfloat16"]),
    ],
    "information": [
        ("images", [500, 1_000, 2_000]), ("width", [16, 32, 64]), ("layers", [1, 4]),
        ("batch", [64, 128]), ("threads", [1, 2]), ("pool", [2, 4]),
    ],
}  # fmt: skip
SMALL = {"width": 16, "epochs": 20, "updates": 10}
"""Where one setting varies, the others stay here."""


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--width", type=int, default=64, help="channels of the first stage")
    parser.add_argument("--rounds", type=int, default=2, help="turns of plain and engine")
    parser.add_argument("--updates", type=int, default=3, help="timed updates per turn")
    parser.add_argument("--critic-epochs", type=int, default=200, help="epochs of each critic")
    parser.add_argument("--workers", type=int, default=0, help="view workers of the plain way")
    parser.add_argument("--no-scaling", action="store_true", help="leave the scaling table out")
    parser.add_argument("--full-schedule", action="store_true", help="run 15,000 updates as well")
    options = parser.parse_args()
    shared = {"device": options.device, "width": options.width}
    about = child({"what": "machine", **shared})
    found = {
        "machine": about,
        "settings": {k: v for k, v in vars(options).items() if k != "json"},
        "updates": compare_updates(options, shared, about),
        "information": compare_information(options, shared),
    }
    if options.full_schedule:
        found["full_schedule_seconds"] = full_schedule(shared)
    if not options.no_scaling:
        found["scaling"] = scaling(options.device)
    print(table(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def child(case: dict[str, Any]) -> dict[str, Any]:
    """Measure one case in its own process."""
    print(f"  {json.dumps(case)}", file=sys.stderr)
    threads = {"OMP_NUM_THREADS": str(case["threads"])} if case.get("threads") else {}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measure", json.dumps(case)],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **threads},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"A measurement failed: {case}\n{done.stderr[-2_000:]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def in_turns(rounds: int, plain: dict[str, Any], engine: dict[str, Any], key: str) -> Any:
    """Both cases, taking turns; medians, their ratio, and peak memory."""
    turns = [(child(plain), child(engine)) for _ in range(rounds)]
    slow, fast = (median(turn[side][key] for turn in turns) for side in (0, 1))
    memory = [max(turn[side]["memory_mib"] for turn in turns) for side in (0, 1)]
    return {
        "plain": slow, "engine": fast, "ratio": slow / fast,
        "plain_memory_mib": memory[0], "engine_memory_mib": memory[1],
    }  # fmt: skip


def compare_updates(
    options: argparse.Namespace, shared: dict[str, Any], about: dict[str, Any]
) -> dict[str, Any]:
    """Milliseconds per update, and the share of the measured matrix rate this achieves."""
    case = {**shared, "what": "update", "updates": options.updates}
    plain = {**case, "engine": False, "workers": options.workers}
    found: dict[str, Any] = in_turns(options.rounds, plain, case, "milliseconds")
    needed = machine.update_flops(options.width, 128)
    for way, ceiling in (("plain", "float32"), ("engine", "bfloat16")):
        rate = needed / (found[way] / 1e3)
        found[f"{way}_gflops"] = rate / 1e9
        found[f"{way}_share_of_{ceiling}_rate"] = rate / 1e9 / about[f"{ceiling}_gflops"]
    return found


def compare_information(options: argparse.Namespace, shared: dict[str, Any]) -> dict[str, Any]:
    """Seconds for all layers at equal critic updates: pooled maps, and the authors' flat ones."""
    case = {**shared, "what": "information", "epochs": options.critic_epochs}
    found: dict[str, Any] = in_turns(1, {**case, "engine": False}, case, "seconds")
    flat = child({**case, "flat": True})
    usual = InformationConfig()
    as_used = {"critics": usual.critics, "epochs": usual.critic_epochs}
    return {
        **found, "engine_flat": flat["seconds"], "ratio_flat": found["plain"] / flat["seconds"],
        "engine_flat_memory_mib": flat["memory_mib"],
        "engine_default": child({**case, **as_used})["seconds"], "default": as_used,
    }  # fmt: skip


def full_schedule(shared: dict[str, Any]) -> float:
    """Seconds of the authors' whole schedule."""
    measured = child({**shared, "what": "update", "updates": FULL_UPDATES})
    return float(measured["milliseconds"]) * FULL_UPDATES / 1e3


def scaling(device: str) -> list[dict[str, Any]]:
    """How costs grow with one setting at a time."""
    rows = []
    for what, settings in VARIED.items():
        for name, values in settings:
            for value in values:
                measured = child({"what": what, "device": device, **SMALL, name: value})
                cost = measured.get("milliseconds", measured.get("seconds"))
                rows.append({"what": what, "setting": name, "value": value, "cost": cost})
    return rows


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    updates, information, about = found["updates"], found["information"], found["machine"]
    lines = [
        f"{about['processor']}, {about['cores']} cores, {about['threads']} threads, device "
        f"{about['device']}, torch {about['torch']}; measured matrix rate "
        f"{about['float32_gflops']:,} GFLOP/s in float32, {about['bfloat16_gflops']:,} in "
        "bfloat16.",
        "",
        "| | plain | engine | ratio |",
        "|---|---|---|---|",
        f"| one update, ms | {updates['plain']:,.0f} | {updates['engine']:,.0f} "
        f"| {updates['ratio']:.1f} |",
        f"| share of the matrix rate | {updates['plain_share_of_float32_rate']:.0%} of float32 "
        f"| {updates['engine_share_of_bfloat16_rate']:.0%} of bfloat16 | |",
        f"| information, all layers, s | {information['plain']:,.0f} "
        f"| {information['engine']:,.1f} | {information['ratio']:.0f} |",
        f"| the same with the authors' flattened critics, s | {information['plain']:,.0f} "
        f"| {information['engine_flat']:,.1f} | {information['ratio_flat']:.0f} |",
        f"| {information['default']['critics']} critics of {information['default']['epochs']} "
        f"epochs, the default, s | | {information['engine_default']:,.1f} | |",
        f"| peak memory, updates, MiB | {updates['plain_memory_mib']:,.0f} "
        f"| {updates['engine_memory_mib']:,.0f} | |",
        f"| peak memory, information, MiB | {information['plain_memory_mib']:,.0f} "
        f"| {information['engine_memory_mib']:,.0f} | |",
    ]
    if "full_schedule_seconds" in found:
        lines.append(f"| 15,000 updates, s | | {found['full_schedule_seconds']:,.0f} | |")
    if "scaling" in found:
        lines += ["", "| cost | setting | value: cost |", "|---|---|---|"]
        grouped: dict[tuple[str, str], list[str]] = {}
        for row in found["scaling"]:
            unit = "ms" if row["what"] == "update" else "s"
            grouped.setdefault((row["what"], row["setting"]), []).append(
                f"{row['value']}: {row['cost']:.3g} {unit}"
            )
        lines += [f"| {what} | {name} | {', '.join(v)} |" for (what, name), v in grouped.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
