"""How much the curve of information moves when everything random is drawn anew.

``python -m benchmarks.stability --subject demo`` measures the suspect and its clean twin with
several seeds: other clean images, other views, other noise, other critics. It prints mean and
standard deviation of every point, that deviation as a share of the range between layers, and how
much of the information the trigger leaves.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mimic.cli import make_config, share_processors

NETWORKS = ("teacher", "clean_twin")


def measure(arguments: argparse.Namespace, root: Path) -> list[dict[str, Any]]:
    """One result of ``information`` per seed."""
    from mimic.verbs.execution import perform  # Here, because importing torch takes seconds.

    results = []
    for seed in range(arguments.seeds):
        given = {
            "subject": arguments.subject, "data_root": arguments.data_root, "seed": seed,
            "networks": NETWORKS, **dict(arguments.set),
        }  # fmt: skip
        started = time.perf_counter()
        run = perform("information", make_config("information", given), root=root)
        results.append(run.result() or {})
        print(f"seed {seed}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return results


def summarise(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Means, deviations and what the trigger leaves, over the results."""
    points: dict[tuple[str, str], dict[str, list[float]]] = {}
    for result in results:
        for curve in result["curves"]:
            layers = points.setdefault((curve["network"], curve["input"]), {})
            for layer, nats in curve["layers"].items():
                layers.setdefault(layer, []).append(nats)
    curves = []
    for (network, kind), layers in points.items():
        means = {layer: statistics.fmean(values) for layer, values in layers.items()}
        deviations = {layer: statistics.stdev(values) for layer, values in layers.items()}
        between = max(means.values()) - min(means.values())
        share = statistics.fmean(deviations.values()) / between if between > 0 else None
        curves.append(
            {
                "network": network,
                "input": kind,
                "mean": means,
                "deviation": deviations,
                "range_between_layers": between,
                "deviation_over_range": share,
            }
        )
    return {"curves": curves, "kept_with_trigger": kept_shares(points), "seeds": len(results)}


def kept_shares(points: dict[tuple[str, str], dict[str, list[float]]]) -> dict[str, list[float]]:
    """Triggered information as a share of clean, summed over layers, by network and seed."""
    shares = {}
    for network in NETWORKS:
        clean, triggered = (
            [sum(values) for values in zip(*points[network, kind].values(), strict=True)]
            for kind in ("clean", "triggered")
        )
        shares[network] = [t / max(c, 1e-9) for c, t in zip(clean, triggered, strict=True)]
    return shares


def show(summary: dict[str, Any]) -> None:
    """The summary as a table."""
    for curve in summary["curves"]:
        cells = "  ".join(
            f"{layer} {nats:.2f} ± {curve['deviation'][layer]:.2f}"
            for layer, nats in curve["mean"].items()
        )
        share = curve["deviation_over_range"]
        tail = "" if share is None else f"  deviation / range {share:.0%}"
        print(f"{curve['network']:<11}{curve['input']:<10}{cells}{tail}")
    for network, shares in summary["kept_with_trigger"].items():
        text = ", ".join(f"{share:.1%}" for share in shares)
        print(f"{network} keeps with the trigger: {text}")


def setting(word: str) -> tuple[str, Any]:
    """``name=value`` as a setting of the ``information`` verb."""
    name, _, value = word.partition("=")
    return name, json.loads(value)


def main() -> None:
    """Measure and print."""
    share_processors()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--subject", default="demo")
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument(
        "--set", nargs="*", type=setting, default=[], metavar="NAME=JSON",
        help="settings of the information verb, for example pairs=1000",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        summary = summarise(measure(arguments, Path(root)))
    print(json.dumps(summary)) if arguments.json else show(summary)


if __name__ == "__main__":
    main()
