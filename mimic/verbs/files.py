"""``inspect FILE ...``: what encoder files hold, without images and without a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mimic import fingerprint, pretrained
from mimic.activations import record_activations
from mimic.checkpoint import EncoderFile, MatchError, load_encoder
from mimic.config import PUBLIC_PREFIX, InspectConfig, resolve_path
from mimic.encoder import Encoder
from mimic.errors import EncoderError, MimicError
from mimic.parsing.opcodes import shorten
from mimic.printable import printable

CHECKED = "no code found and none run; read as weights only"
NOT_ACCEPTED: dict[str, Any] = {
    "architecture": None, "feature_dim": None, "input_size": None, "match": None, "family": None,
    "layout": None, "width": None, "stem": None, "parameters": None, "normalization": None,
    "max_pool": None, "layers": [], "checked": None,
}  # fmt: skip


def inspect_file(text: str, config: InspectConfig) -> dict[str, Any]:
    """What one file holds, or why it is refused; never raises.

    Args:
        text: the file's path.
        config: normalisation, input size and max-pool, where the user wants others than the file's.

    Returns:
        JSON-ready: ``file``, ``accepted``, ``reason`` (cause and remedy, None if accepted),
        ``warnings``, ``architecture``, ``feature_dim``, ``input_size``, ``sha256``, ``bytes``,
        ``match`` and what else was recognised.
    """
    name = shorten(Path(text).name)
    found: dict[str, Any] = {"file": name, "accepted": False, "warnings": []}
    found |= {
        "reason": None,
        "cause": None,
        "remedy": None,
        "sha256": None,
        "bytes": None,
        **NOT_ACCEPTED,
    }
    try:
        path, options = located(text, config)
    except MimicError as error:  # Of a file that may not be named, nothing is told.
        return found | reason_of(error)
    try:
        loaded = load_encoder(path, **options)
        found |= {"sha256": loaded.file.sha256, "bytes": loaded.file.bytes}
        return found | describe(loaded) | {"accepted": True, "checked": CHECKED}
    except MatchError as error:
        report = None if error.match is None else error.match.to_json()
        return found | identity(path) | reason_of(error) | {"match": report}
    except MimicError as error:
        return found | identity(path) | reason_of(error)
    except OSError:
        failure = EncoderError(
            f"'{name}' cannot be read.",
            "Check that the file exists and that you may read it.",
        )
    except Exception:  # Whatever a hostile file provokes is one more refusal.
        failure = EncoderError(
            f"'{name}' cannot be understood.",
            "Ask for the weights as .safetensors or as a plain dictionary of tensors.",
        )
    return found | identity(path) | reason_of(failure)


def located(text: str, config: InspectConfig) -> tuple[Path, dict[str, Any]]:
    """The file's path and the options to load it with, as an inspection with images has them.

    Raises:
        MimicError: if it may not be named, or is a public encoder that is not here.
    """
    names = ("normalization", "input_size", "max_pool", "heads")
    options = {name: getattr(config, name) for name in names}
    if not text.startswith(PUBLIC_PREFIX):
        return resolve_path(text), options
    folder = resolve_path(config.data_root)
    known = pretrained.locate(text, folder=folder, download=config.download)
    return known.path, known.fill(options)


def identity(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file that was refused, as far as it is a file of bearable size."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            return {}
        return {"bytes": size, "sha256": fingerprint.of_file(path)}
    except (OSError, ValueError):
        return {}


def reason_of(error: MimicError) -> dict[str, str]:
    """Cause and remedy, together and each for itself."""
    return {
        "reason": f"{error.cause} {error.remedy}", "cause": error.cause, "remedy": error.remedy,
    }  # fmt: skip


def describe(loaded: EncoderFile) -> dict[str, Any]:
    """What was recognised in a file."""
    architecture = loaded.encoder.architecture
    side = loaded.preprocessing.size_for(32)
    return {
        "warnings": loaded.warnings,
        "architecture": architecture.name,
        "feature_dim": architecture.feature_dim,
        "input_size": side,
        "input_size_source": loaded.size.source,
        "match": loaded.match.to_json(),
        "family": {"id": loaded.family.id, "title": loaded.family.title},
        "layout": loaded.summary,
        "width": architecture.width,
        "stem": architecture.stem,
        "parameters": sum(p.numel() for p in loaded.encoder.parameters()),
        "normalization": loaded.normalization.to_json(),
        "max_pool": loaded.max_pool.to_json(),
        "layers": layer_shapes(loaded.encoder, side),
    }


def layer_shapes(encoder: Encoder, side: int) -> list[dict[str, Any]]:
    """Every layer's name, map and number of parameters for images of a side; computes no numbers.

    Args:
        encoder: moved to the meta device, so unusable afterwards.
        side: of the images, in pixels.
    """
    names = encoder.layer_names()
    shapes = encoder.to("meta")
    with torch.no_grad(), record_activations(shapes, names) as recorded:
        shapes(torch.empty(1, 3, side, side, device="meta"))
    return [
        {
            "name": name,
            "channels": recorded[name].shape[1],
            "height": recorded[name].shape[2],
            "width": recorded[name].shape[3],
            "parameters": encoder.layer_parameters(name),
        }
        for name in names
    ]


def as_text(found: Mapping[str, Any]) -> str:
    """A readable table of one file's findings."""
    name = printable(Path(str(found["file"])).name)
    sha = found["sha256"] or "–"
    if not found["accepted"]:
        lines = [
            f"{name}: refused",
            *(f"  {printable(found[part])}" for part in ("cause", "remedy")),
        ]
        return "\n".join([*lines, *match_lines(found["match"]), f"  SHA-256      {sha}"])
    rows = {
        "checked": found["checked"],
        "family": f"{found['family']['title']} ({found['family']['id']})",
        "layout": printable(found["layout"]),
        "network": f"{found['architecture']}, width {found['width']}, {found['stem']} stem, "
        f"{found['parameters']:,} parameters, {found['feature_dim']} features",
        "images": f"{found['input_size']} pixels ({found['input_size_source']})",
        "normalised": found["normalization"]["source"],
        "max-pool": found["max_pool"]["source"],
        "layers": ", ".join(
            f"{x['name']} {x['channels']}x{x['height']}x{x['width']}" for x in found["layers"]
        ),
        "SHA-256": sha,
    }
    lines = [f"  {label:<12} {value}" for label, value in rows.items()]
    doubts = [f"  ! {printable(doubt)}" for doubt in found["warnings"]]
    return "\n".join([f"{name}: accepted", *lines, *match_lines(found["match"]), *doubts])


def match_lines(match: Mapping[str, Any] | None) -> list[str]:
    """Counts of the match report; what is wrong is listed."""
    if match is None:
        return []
    kinds: dict[str, int] = {}
    for entry in match["ignored"]:
        kinds[entry["why"]] = kinds.get(entry["why"], 0) + 1
    ignored = ", ".join(f"{count} {why}" for why, count in kinds.items()) or "none"
    lines = [f"  {'tensors':<12} {len(match['matched'])} matched; ignored: {ignored}"]
    lines += [f"    missing {printable(name)}" for name in match["missing"]]
    lines += [
        f"    {printable(entry['name'])}: expected {entry['expected']}, found {entry['found']}"
        for entry in match["mismatched"]
    ]
    return lines
