"""What else stands in a checkpoint beside the encoder, and which of it are copies of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from mimic.checkpoint.layouts import Layout, place_of, strip_parallel

KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (why, re.compile(pattern))
    for why, pattern in (
        ("queue", r"(^|\.)\w*queue"),
        (
            "momentum twin",
            r"(^|\.)(\w+_(k|t|m|ema|target|momentum)|teacher|(momentum|target|ema)_\w+)(\.|$)",
        ),
        ("alias", r"^_feature_blocks\."),
        ("text tower", r"^(transformer|token_embedding|ln_final|text_projection|logit_scale|"
                       r"positional_embedding|context_length|vocab_size|input_resolution)(\.|$)"),
        ("classifier", r"^((fc|linear|head|heads\.head|classifier)\.(weight|bias)$|classifier\.|"
                       r"c\.|fc\.1\.)"),
        ("head", r"(^|\.)(g|fc\.\d+|mlp|\w*head\w*|\w*proj\w*|\w*pred\w*|pooler|decoder\w*|"
                 r"pre_logits|mask_token)(\.|$)"),
    )
)  # fmt: skip
"""Kind of an ignored tensor, and how its name shows it; the first that fits counts."""
ORDERED_ALIAS = "_feature_blocks."


def kind_of(key: str, layout: Layout) -> str:
    """What an ignored tensor is, judged by its name."""
    short = strip_parallel(key)
    short = strip_parallel(short.removeprefix(layout.prefix))
    return next((why for why, pattern in KINDS if pattern.search(short)), "other")


def sort_ignored(
    tensors: Mapping[str, torch.Tensor], layout: Layout
) -> tuple[dict[str, str], dict[str, str]]:
    """Everything outside the backbone.

    Returns:
        Name to kind (head, momentum twin, queue, classifier, alias, text tower, other), and for
        whole copies of the backbone the name to that of the original tensor in the file.
    """
    own = {key for keys in layout.sources.values() for key in keys}
    ignored = {key: kind_of(key, layout) for key in tensors if key not in own}
    copies: dict[str, str] = {}
    for group in (*copies_by_name(ignored, tensors, layout), copy_by_order(ignored, tensors, own)):
        same = all(torch.equal(tensors[copy], tensors[original])
                   for copy, original in group.items())  # fmt: skip
        ignored |= dict.fromkeys(group, "alias" if same else "momentum twin")
        copies |= group
    return ignored, copies


def copies_by_name(
    ignored: Mapping[str, str], tensors: Mapping[str, torch.Tensor], layout: Layout
) -> list[dict[str, str]]:
    """Groups that hold the whole backbone once more, under another prefix."""
    stem_key = layout.sources[layout.names.stem][0]
    stem = stem_key.removeprefix(layout.written_prefix)
    starts = {key.removesuffix(stem) for key in ignored if key.endswith(stem)}
    groups = []
    for start in sorted(starts):
        if start and not start.endswith("."):
            continue
        group = {}
        for key in ignored:
            place = place_of(key.removeprefix(start), "", layout.names)
            if key.startswith(start) and place is not None:
                name, part = place
                sources = layout.sources.get(name, ())
                if part < len(sources) and tensors[sources[part]].shape == tensors[key].shape:
                    group[key] = sources[part]
        if set(group.values()) >= weights_of(layout):
            groups.append(group)
    return groups


def copy_by_order(
    ignored: Mapping[str, str], tensors: Mapping[str, torch.Tensor], own: set[str]
) -> dict[str, str]:
    """RotNet's second list of the same modules: other names, the same tensors in their order."""
    aliases = [key for key in ignored if strip_parallel(key).startswith(ORDERED_ALIAS)]
    originals = [key for key in tensors if key in own]
    if len(aliases) != len(originals):
        return {}
    pairs = dict(zip(aliases, originals, strict=True))
    alike = all(torch.equal(tensors[copy], tensors[key]) for copy, key in pairs.items())
    return pairs if alike else {}


def weights_of(layout: Layout) -> set[str]:
    """The file's names of the backbone, batch counters left out."""
    return {
        key
        for name, keys in layout.sources.items()
        for key in keys
        if not name.endswith("num_batches_tracked")
    }
