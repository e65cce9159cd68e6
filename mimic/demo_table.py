"""What ``demo`` says to a person: the student of each seed between the suspect and the floor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimic.outcomes import FIGURES, NETWORKS, figures, layer_weights
from mimic.tables import aligned, percent

MEANS = ("accuracy", "asr", "asr_all", "stamped_accuracy")
"""The figures whose means over the seeds ``mimic.demo.show`` gives."""


def told(found: Mapping[str, Any]) -> str:
    """The demo's figures in tables.

    Args:
        found: see ``mimic.demo.show``.
    """
    seeds = found["seeds"]
    several = len(seeds) > 1
    means = {name: found[f"student_{name}"] for name in MEANS}
    rows = [
        (NETWORKS["teacher"], "", *figures(found["teacher"])),
        *((NETWORKS["student"], str(own["seed"]), *figures(own)) for own in seeds),
        *([(f"cleaned, mean of {len(seeds)}", "", *figures(means))] if several else []),
        (NETWORKS["clean_twin"], "", *figures(found["clean_twin"])),
    ]
    table = aligned([("encoder", "seed", *FIGURES), *rows], right=(1, 2, 4, 5, 7, 8, 10))
    about = [
        f"Each student was distilled on {found['clean_images']} clean images "
        f"({percent(found['clean_fraction'])} of the data), drawn by its seed.",
        "Intervals speak of the test images, not of other seeds.",
    ]
    if several:
        lowest, highest = (percent(end(own["asr"] for own in seeds)) for end in (min, max))
        about.append(f"Over the seeds the ASR lies between {lowest} and {highest}.")
    layers = f"Layers, as seed {seeds[0]['seed']} measured and weighed them\n{layer_weights(found)}"
    runs = "\n".join(f"Run of seed {own['seed']}: {own['run']}" for own in seeds)
    took = f"{found['seconds']:.0f} seconds in all; --json has every figure."
    return "\n\n".join((table, "\n".join(about), layers, f"{runs}\n{took}"))
