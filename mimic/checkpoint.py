"""Encoder files: the one gate through which a stranger's file enters, and the way back out.

Nothing else in the project may call ``torch.load``. Files are read weights-only, with no fallback;
a file either matches a known layout completely or is refused in two sentences.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from mimic.encoder import DEPTHS, MAX_WIDTH, Architecture, Encoder, ProjectionHead, Stem
from mimic.errors import EncoderError
from mimic.preprocessing import Normalization, Preprocessing, parse_normalization

MAX_FILE_BYTES = 4 * 2**30
MAX_TENSORS = 20_000
WRAPPERS = ("state_dict", "model", "network", "model_state_dict")
PREFIXES = (
    "backbone.", "encoder_q.", "model.module.", "model.", "encoder.", "visual.", "f.f.", "f.", "",
)  # fmt: skip
"""Where public checkpoints keep the backbone, most specific first."""

SEQUENTIAL = {"0": "conv1", "1": "bn1", "3": "layer1", "4": "layer2", "5": "layer3", "6": "layer4"}
BACKBONE = re.compile(r"(conv1|bn1|layer[1-4])\.")
SAFE_REMEDY = "Ask for the weights as .safetensors or as a plain dictionary of tensors."


@dataclass
class EncoderFile:
    """An encoder as it came out of a file.

    Args:
        encoder: the backbone in eval mode, float32, gradients off.
        head: its projection head, where the file holds one that we know.
        normalization: what its inputs need.
        input_size: side it was trained at, or None where the file does not say.
        layout: what was recognised, in words.
        key_names: our parameter name to the file's.
        dtypes: the file's number formats, by its own names.
        wrapper: the file's keys around the state dict, for writing it back; None if bare.
        state_key: the key of the state dict among them; empty if bare.
        is_checkpoint: whether it was a torch checkpoint, not safetensors.
    """

    encoder: Encoder
    head: ProjectionHead | None
    normalization: Normalization
    input_size: int | None
    layout: str
    key_names: dict[str, str] = field(default_factory=dict)
    dtypes: dict[str, torch.dtype] = field(default_factory=dict)
    wrapper: dict[str, Any] | None = None
    state_key: str = ""
    is_checkpoint: bool = False

    @property
    def preprocessing(self) -> Preprocessing:
        """What its images go through first."""
        return Preprocessing(self.normalization, self.input_size)


def load_encoder(path: Path, *, normalization: str = "auto") -> EncoderFile:
    """Read an encoder.

    Args:
        path: a ``.safetensors`` file or a torch checkpoint; the content decides, not the name.
        normalization: ``auto`` or what ``parse_normalization`` takes.

    Raises:
        EncoderError: if the file is missing, too large, unreadable weights-only, of an unknown
            layout, or does not fill the whole backbone.
    """
    check_file(path)
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
        file.seek(8)
        is_safetensors = file.read(1) == b"{" and not is_zip
    metadata: dict[str, str] = {}
    if is_safetensors:
        stored, metadata = read_safetensors(path)
        wrapper, state_key = None, ""
    else:
        stored, wrapper, state_key = read_checkpoint(path, is_zip=is_zip)
    names = backbone_names(stored)
    tensors = {k: stored[v] for k, v in names.items()}
    architecture = find_architecture(tensors)
    with torch.device(
        "meta"
    ):  # Shapes only: a small file must not make us allocate a huge network.
        check_match(Encoder(architecture), tensors, path.name)
    loaded = EncoderFile(
        encoder=Encoder(architecture),
        head=None,
        normalization=choose_normalization(normalization, metadata, architecture.stem),
        input_size=stored_size(metadata, architecture.stem),
        layout=describe_layout(names, is_safetensors=is_safetensors, wrapped=bool(state_key)),
        wrapper=wrapper,
        state_key=state_key,
        is_checkpoint=not is_safetensors,
    )
    fill(loaded.encoder, tensors, path.name)
    loaded.key_names = names
    load_head(loaded, stored)
    loaded.dtypes = {theirs: stored[theirs].dtype for theirs in loaded.key_names.values()}
    loaded.encoder.eval().requires_grad_(False)
    return loaded


def check_file(path: Path) -> None:
    """Refuse what is no regular file of a bearable size."""
    if not path.is_file():
        raise EncoderError(f"There is no encoder file '{path.name}'.", "Check the path.")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise EncoderError(
            f"'{path.name}' has {size / 2**30:.1f} GiB, above the limit of 4 GiB.",
            "Store the weights alone, without optimiser state.",
        )
    if size == 0:
        raise EncoderError(f"'{path.name}' is empty.", "Download or copy the file again.")


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors and the metadata of a safetensors file."""
    try:
        with safetensors.safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    except Exception as error:  # The reader raises several kinds; each means refusal.
        raise EncoderError(
            f"'{path.name}' is a damaged safetensors file.", "Download or copy the file again."
        ) from error
    return tensors, metadata


def read_checkpoint(
    path: Path, *, is_zip: bool
) -> tuple[dict[str, torch.Tensor], dict[str, Any] | None, str]:
    """The state dict of a torch checkpoint, what surrounded it, and under which key it was."""
    if is_zip:
        check_archive(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # At least six kinds (safety.md); each means refusal, none a retry.
        raise EncoderError(
            f"'{path.name}' cannot be read as plain weights: it is damaged, no checkpoint, or asks "
            "to run code.",
            SAFE_REMEDY,
        ) from error
    if not isinstance(loaded, Mapping):
        raise EncoderError(
            f"'{path.name}' holds a {type(loaded).__name__}, no state dict.", SAFE_REMEDY
        )
    for key in WRAPPERS:
        if isinstance(loaded.get(key), Mapping):
            around = {k: v for k, v in loaded.items() if isinstance(v, int | float | str)}
            return tensors_only(loaded[key]), around, key
    return tensors_only(loaded), None, ""


def check_archive(path: Path) -> None:
    """Refuse archives that torch.save does not write: compressed, duplicate or damaged members."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            odd = (
                len(members) > MAX_TENSORS
                or len(set(names)) < len(names)
                or any(member.compress_type != zipfile.ZIP_STORED for member in members)
                or sum(member.file_size for member in members) > path.stat().st_size
            )
            damaged = None if odd else archive.testzip()
    except Exception as error:
        raise EncoderError(
            f"'{path.name}' is a damaged archive.", "Download or copy the file again."
        ) from error
    if odd:
        raise EncoderError(
            f"'{path.name}' is packed in a way that torch.save never does.", SAFE_REMEDY
        )
    if damaged is not None:
        raise EncoderError(
            f"'{path.name}' is damaged: a checksum is wrong.", "Download or copy the file again."
        )


def tensors_only(state: Mapping[Any, Any]) -> dict[str, torch.Tensor]:
    """The plain dense tensors of a state dict."""
    if len(state) > MAX_TENSORS:
        raise EncoderError(f"The file holds {len(state)} entries.", SAFE_REMEDY)
    return {
        key: value
        for key, value in state.items()
        if isinstance(key, str)
        and isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and not value.is_quantized
        and value.device.type == "cpu"
        and value.numel() * value.element_size() <= max(64, value.untyped_storage().nbytes())
    }


def backbone_names(stored: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """Our parameter names to the file's, for the first prefix that yields a backbone.

    Raises:
        EncoderError: if no prefix does.
    """
    for prefix in PREFIXES:
        names = {}
        for key in stored:
            short = key
            while short.startswith("module."):
                short = short.removeprefix("module.")
            if short.startswith(prefix):
                ours = our_name(short.removeprefix(prefix), sequential=prefix in ("f.f.", "f."))
                if BACKBONE.match(ours):
                    names[ours] = key
        if "conv1.weight" in names and any(n.startswith("layer1.") for n in names):
            return names
    shown = ", ".join(sorted(stored)[:5]) or "none"
    raise EncoderError(
        f"No residual encoder was recognised; the first of {len(stored)} tensors are: {shown}.",
        "Supported are ResNets saved by SimCLR, BadEncoder, MoCo, BYOL and torchvision code.",
    )


def our_name(name: str, *, sequential: bool) -> str:
    """The name torchvision gives to a parameter of a public checkpoint."""
    if sequential:
        first, _, rest = name.partition(".")
        name = f"{SEQUENTIAL.get(first, first)}.{rest}"
    return name.replace(".shortcut.", ".downsample.")


def find_architecture(tensors: Mapping[str, torch.Tensor]) -> Architecture:
    """Depth, width and stem, from the tensors' names and shapes.

    Raises:
        EncoderError: if they fit no residual network we build.
    """
    stem_weight = tensors["conv1.weight"]
    kernels: dict[tuple[int, ...], Stem] = {(3, 3): "cifar", (7, 7): "imagenet"}
    stem = kernels.get(tuple(stem_weight.shape[2:])) if stem_weight.ndim == 4 else None
    bottleneck = "layer1.0.conv3.weight" in tensors
    blocks = tuple(
        len({n.split(".")[1] for n in tensors if n.startswith(f"layer{stage}.")})
        for stage in (1, 2, 3, 4)
    )
    for name, known in DEPTHS.items():
        fits = known == (bottleneck, blocks) and stem_weight.shape[1:2] == (3,)
        if fits and stem is not None and 1 <= stem_weight.shape[0] <= MAX_WIDTH:
            return Architecture(name, width=stem_weight.shape[0], stem=stem)
    raise EncoderError(
        f"The file holds a residual network with {blocks} blocks and a stem of shape "
        f"{tuple(stem_weight.shape)}, which is not supported.",
        f"Supported are {', '.join(DEPTHS)} with a 3x3 or 7x7 stem on RGB images.",
    )


def check_match(encoder: Encoder, tensors: Mapping[str, torch.Tensor], file_name: str) -> None:
    """Refuse tensors that do not fill the whole encoder, each in its shape."""
    wanted = encoder.state_dict()
    optional = {key for key in wanted if key.endswith("num_batches_tracked")}
    missing = sorted(set(wanted) - optional - set(tensors))
    extra = sorted(set(tensors) - set(wanted))
    shaped = sorted(k for k in set(wanted) & set(tensors) if wanted[k].shape != tensors[k].shape)
    for what, keys in (("lacks", missing), ("has unknown", extra), ("has mis-shaped", shaped)):
        if keys:
            raise EncoderError(
                f"'{file_name}' {what} {', '.join(keys[:5])}"
                f"{f' and {len(keys) - 5} more' if len(keys) > 5 else ''}.",
                f"It does not match a {encoder.architecture.name} of width "
                f"{encoder.architecture.width}; check that the file is complete.",
            )


def fill(encoder: Encoder, tensors: Mapping[str, torch.Tensor], file_name: str) -> None:
    """Copy matching weights into the encoder; all must be finite."""
    wanted = encoder.state_dict()
    bad = [k for k, v in tensors.items() if not torch.isfinite(v.double()).all()]
    if bad:
        raise EncoderError(
            f"'{file_name}' holds values that are not finite, for example in {bad[0]}.",
            "The training that wrote it failed; choose an earlier checkpoint.",
        )
    wanted.update({k: v.to(wanted[k].dtype) for k, v in tensors.items()})
    encoder.load_state_dict(wanted)


def load_head(loaded: EncoderFile, stored: Mapping[str, torch.Tensor]) -> None:
    """Take the projection head along where the file holds one of SimCLR's shape."""
    for prefix in ("g.", "module.g.", "head."):
        last = stored.get(f"{prefix}3.weight")
        if last is None or last.ndim != 2:
            continue
        head = ProjectionHead(loaded.encoder.architecture.feature_dim, last.shape[0])
        names = {key: f"{prefix}{key}" for key in head.state_dict()}
        fits = all(
            name in stored
            and stored[name].shape == head.state_dict()[key].shape
            and bool(torch.isfinite(stored[name].double()).all())
            for key, name in names.items()
        )
        if fits:
            head.load_state_dict({key: stored[name] for key, name in names.items()})
            loaded.head = head.eval().requires_grad_(False)
            loaded.key_names |= {f"head.{key}": name for key, name in names.items()}
            return


def choose_normalization(text: str, metadata: Mapping[str, str], stem: Stem) -> Normalization:
    """What the user said, else what the file says, else the usual one for the kind of stem."""
    if text != "auto":
        return parse_normalization(text)
    if "normalization" in metadata:
        stored = parse_normalization(metadata["normalization"])
        return Normalization(stored.mean, stored.std, "stored in the file")
    usual = {"cifar": "cifar10", "imagenet": "imagenet"}[stem]
    preset = parse_normalization(usual)
    source = f"assumed ({usual}); the file does not say"
    return Normalization(preset.mean, preset.std, source)


def stored_size(metadata: Mapping[str, str], stem: Stem) -> int | None:
    """Side the encoder was trained at; small-image stems without a record take the data's own."""
    text = metadata.get("input_size", "")
    if text.isdigit() and 4 <= int(text) <= 1024:
        return int(text)
    return 224 if stem == "imagenet" else None


def describe_layout(names: Mapping[str, str], *, is_safetensors: bool, wrapped: bool) -> str:
    """What was recognised, in words."""
    prefix = names["conv1.weight"].removesuffix("conv1.weight").removesuffix("0.weight")
    kind = "safetensors" if is_safetensors else "torch checkpoint"
    parts = [kind, "state dict in a wrapper" if wrapped else "bare tensors"]
    parts.append(f"keys begin with '{prefix}'" if prefix else "torchvision's key names")
    return ", ".join(parts)


def save_encoder(
    path: Path,
    encoder: Encoder,
    *,
    head: ProjectionHead | None,
    normalization: Normalization,
    input_size: int | None,
    card: Mapping[str, Any] | None = None,
) -> None:
    """Write an encoder as safetensors, with what is needed to use it as metadata."""
    tensors = dict(encoder.state_dict())
    if head is not None:
        tensors |= {f"head.{key}": value for key, value in head.state_dict().items()}
    metadata = {
        "architecture": encoder.architecture.name,
        "normalization": normalization.text,
        **({"input_size": str(input_size)} if input_size else {}),
        **({"card": json.dumps(card)} if card else {}),
    }
    plain = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    path.write_bytes(safetensors.torch.save(plain, metadata=metadata))


def save_in_layout(
    path: Path, encoder: Encoder, head: ProjectionHead | None, like: EncoderFile
) -> None:
    """Write an encoder with the key names, wrapper and number formats of the file it replaces.

    Momentum copies, queues and optimiser state of the original are left out: they belong to the
    suspect network and would carry it along.
    """
    tensors = dict(encoder.state_dict())
    if head is not None:
        tensors |= {f"head.{key}": value for key, value in head.state_dict().items()}
    state = {
        theirs: tensors[ours].detach().cpu().contiguous().to(like.dtypes[theirs])
        for ours, theirs in like.key_names.items()
        if ours in tensors
    }
    wrapped = {**(like.wrapper or {}), like.state_key: state, "optimizer": {}}
    write_checkpoint(path, wrapped if like.state_key else state)


def save_badencoder(path: Path, encoder: Encoder, head: ProjectionHead, *, epoch: int) -> None:
    """Write an encoder as BadEncoder's code does: ``f.f.N`` backbone, ``g.N`` head, wrapped."""
    numbered = {name: index for index, name in SEQUENTIAL.items()}
    state = {}
    for key, value in encoder.state_dict().items():
        first, _, rest = key.partition(".")
        state[f"f.f.{numbered[first]}.{rest}"] = value
    state |= {f"g.{key}": value for key, value in head.state_dict().items()}
    plain = {k: v.detach().cpu().contiguous() for k, v in state.items()}
    write_checkpoint(path, {"epoch": epoch, "state_dict": plain, "optimizer": {}})


def write_checkpoint(path: Path, value: dict[str, Any]) -> None:
    """Write a torch checkpoint, made in memory first so that a full disk shows as an OSError."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    path.write_bytes(buffer.getvalue())
