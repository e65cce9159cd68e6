"""``attention``: where each layer looks, with and without the trigger."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from mimic.attention_numbers import (
    Numbers,
    cosine,
    covered,
    explain,
    layer_maps,
    mean_over_images,
    share_inside,
)
from mimic.checkpoint import EncoderFile
from mimic.config import AttentionConfig
from mimic.errors import EncoderError
from mimic.trigger import PatchTrigger, Trigger
from mimic.verbs.evaluate import load_student
from mimic.verbs.work import Subject, Work

BATCH = 50
LEVELS = 64
"""Steps from 0 to the largest value of kept maps: finer than eyes tell, and files stay small."""
Maps = dict[tuple[str, str], dict[str, torch.Tensor]]
"""(network, input) and layer to maps (B, h, w)."""
Values = dict[tuple[str, str, str], list[np.ndarray]]
"""(network, layer, number) to values per image, batch by batch."""


def attention(work: Work[AttentionConfig]) -> dict[str, Any]:
    """Keep the maps of a few images, and take numbers over many."""
    config = work.config
    subject = Subject(work)
    networks = encoders(work, subject)
    trigger = subject.trigger
    sizes = keep_maps(work, subject, networks)
    chosen = subject.test.take(subject.test.draw(config.measured, seed=config.seed)).images
    values: Values = {}
    for start in range(0, len(chosen), BATCH):
        work.step(0.1 + 0.85 * start / len(chosen), f"measuring {len(chosen)} images")
        collect(values, *look(networks, chosen[start : start + BATCH], trigger, work))
    rows = [
        numbers(values, network, layer, seed=config.seed)
        for network in networks
        for layer in config.layers
    ]
    area, ceilings = room(values, config.layers)
    return {
        "layers": list(config.layers),
        "networks": list(networks),
        "inputs": ["clean"] if trigger is None else ["clean", "triggered"],
        "sizes": sizes,
        "area": area,
        "ceilings": ceilings,
        "numbers": [asdict(row) for row in rows],
        "sentences": {
            layer: explain(
                {row.network: row for row in rows if row.layer == layer},
                images=len(chosen), area=area, ceiling=ceilings.get(layer),
            )
            for layer in config.layers
        },
        "images": min(config.images, len(subject.examples())),
        "measured": len(chosen),
        "target_class": subject.target,
        "seconds": work.seconds,
    }  # fmt: skip


def encoders(work: Work[AttentionConfig], subject: Subject) -> dict[str, EncoderFile]:
    """The networks to look into: suspect, cleaned encoder and clean twin, as far as given.

    Raises:
        EncoderError: if the cleaned encoder is of another kind than the suspect.
    """
    own = subject.teacher.encoder.architecture
    networks = {"teacher": subject.teacher}
    student = load_student(work, work.config.student)
    if student is not None:
        if student.encoder.architecture != own:
            raise EncoderError(
                "The cleaned encoder has another architecture than the suspect.",
                "Name the distil run that cleaned this suspect.",
            )
        networks["student"] = student
    twin = subject.twin
    if twin is not None and twin.encoder.architecture == own:
        networks["clean_twin"] = twin
    elif twin is not None:
        work.warn(
            "The clean twin has another architecture than the suspect: its layers are left out, so "
            "there is no floor."
        )
    for loaded in networks.values():
        loaded.encoder.eval()
    return networks


def look(
    networks: dict[str, EncoderFile],
    images: np.ndarray,
    trigger: Trigger | None,
    work: Work[AttentionConfig],
) -> tuple[Maps, torch.Tensor | None]:
    """All maps of some images, and the trigger's area on each.

    Args:
        networks: name to encoder.
        images: uint8 (B, H, W, 3).
        trigger: what is stamped on them, or None.
        work: says which layers, and where to compute.

    Returns:
        The maps, and the area as bool (B, H, W), None without a trigger.
    """
    pictures = {"clean": images}
    area = None
    if trigger is not None:
        pictures["triggered"] = trigger.apply(images)
        area = torch.from_numpy(trigger_area(trigger, images, pictures["triggered"]))
    maps = {
        (network, given): {
            layer: found.cpu()
            for layer, found in layer_maps(
                loaded.encoder, loaded.preprocessing(shown, work.device), work.config.layers
            ).items()
        }
        for network, loaded in networks.items()
        for given, shown in pictures.items()
    }
    return maps, area


def trigger_area(trigger: Trigger, images: np.ndarray, stamped: np.ndarray) -> np.ndarray:
    """The pixels that belong to the trigger: a patch's own, else those it changed, (N, H, W)."""
    if isinstance(trigger, PatchTrigger):  # A patch also covers pixels that had its colour before.
        return np.repeat((trigger.mask == 0).any(axis=-1)[None], len(images), axis=0)
    return np.asarray((images != stamped).any(axis=-1))


def collect(values: Values, maps: Maps, area: torch.Tensor | None) -> None:
    """Add one batch's values per image."""

    def add(network: str, layer: str, name: str, found: torch.Tensor) -> None:
        values.setdefault((network, layer, name), []).append(found.numpy())

    for network in dict.fromkeys(name for name, _ in maps):
        for layer in maps[network, "clean"]:
            clean, expected = maps[network, "clean"][layer], maps["teacher", "clean"][layer]
            alike = network != "teacher" and clean.shape == expected.shape
            if alike:
                add(network, layer, "like_suspect_clean", cosine(clean, expected))
            if area is None:
                continue
            triggered = maps[network, "triggered"][layer]
            size = (clean.shape[-2], clean.shape[-1])
            inside = covered(area, size)
            add(network, layer, "on_trigger", share_inside(triggered, inside))
            add(network, layer, "same_place", share_inside(clean, inside))
            add(network, layer, "unmoved", cosine(clean, triggered))
            if alike:
                found = cosine(triggered, maps["teacher", "triggered"][layer])
                add(network, layer, "like_suspect_triggered", found)
            if network == "teacher":
                add("", layer, "area", area.float().flatten(1).mean(1))
                add("", layer, "ceiling", inside.flatten(1).amax(1))


def joined(values: Values, network: str, layer: str, name: str) -> np.ndarray:
    """One value per image, (N,)."""
    return np.concatenate(values[network, layer, name])


def room(values: Values, layers: tuple[str, ...]) -> tuple[float | None, dict[str, float]]:
    """Mean share of the picture in the trigger's area, and most of each layer's map that could be.

    Without a trigger there is no area: None, and no layer.
    """
    if ("", layers[0], "area") not in values:
        return None, {}
    area = float(joined(values, "", layers[0], "area").mean())
    return area, {layer: float(joined(values, "", layer, "ceiling").mean()) for layer in layers}


def numbers(values: Values, network: str, layer: str, *, seed: int) -> Numbers:
    """The means of one network and layer; None where nothing was measured."""
    found = {
        name: joined(values, network, layer, name)
        for at, of, name in values
        if (at, of) == (network, layer)
    }
    if network != "clean_twin" and ("clean_twin", layer, "on_trigger") in values:
        floor = joined(values, "clean_twin", layer, "on_trigger")
        found["above_twin"] = found["on_trigger"] - floor
    means = {name: mean_over_images(per_image, seed=seed) for name, per_image in found.items()}
    return Numbers(
        network, layer, means.get("on_trigger"), means.get("same_place"), means.get("above_twin"),
        means.get("unmoved"), means.get("like_suspect_clean"), means.get("like_suspect_triggered"),
    )  # fmt: skip


def keep_maps(
    work: Work[AttentionConfig], subject: Subject, networks: dict[str, EncoderFile]
) -> dict[str, list[int]]:
    """Write the maps of the images that are shown, and those images.

    Returns:
        Height and width of each layer's maps.
    """
    work.step(0.05, "looking at the images to show")
    shown = subject.test.take(subject.examples()[: work.config.images])
    maps, area = look(networks, shown.images, subject.trigger, work)
    stamped = {} if subject.trigger is None else {"stamped": subject.trigger.apply(shown.images)}
    work.run.write_arrays(
        "pictures",
        images=shown.images,
        labels=np.full(len(shown), -1) if shown.labels is None else shown.labels,
        **stamped,
        **({} if area is None else {"area": area.numpy()}),
    )
    sizes = {}
    for layer in work.config.layers:
        kept = {"_".join(key): packed(of_layer[layer].numpy()) for key, of_layer in maps.items()}
        work.run.write_arrays(f"maps-{layer}", **kept)
        sizes[layer] = list(maps["teacher", "clean"][layer].shape[-2:])
        work.run.record({"layer": layer, "seconds": work.seconds})
    return sizes


def packed(maps: np.ndarray) -> np.ndarray:
    """Unit maps (N, h, w) as float16 in ``LEVELS`` steps of their largest value."""
    top = float(maps.max()) or 1.0
    return np.asarray(np.round(maps / top * LEVELS) / LEVELS * top, dtype=np.float16)
