"""What else stands in a checkpoint beside the encoder, and which of it are copies of it."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping

import torch

from mimic.checkpoint.layouts import Layout, place_of, strip_parallel

TWIN_ENDINGS = ("_k", "_t", "_m", "_ema", "_target", "_momentum")
TWIN_BEGINNINGS = ("momentum_", "target_", "ema_")
TEXT_TOWER = {
    "transformer", "token_embedding", "ln_final", "text_projection", "logit_scale",
    "positional_embedding", "context_length", "vocab_size", "input_resolution",
}  # fmt: skip
HEADS = {"g", "mlp", "pooler", "pre_logits", "mask_token"}
ORDERED_ALIAS = "_feature_blocks."
SECOND = "second encoder"
"""A whole backbone that differs from the one in use, under a name that is no known twin's; or what
may be one, where a file has more groups within each other than are looked at."""
LAST = chr(0x10FFFF)
"""Sorts after every character that may follow a common start."""
MAX_LOOKS = 8
"""How often a name is looked at on average, in search of whole copies of the backbone."""


def kind_of(key: str, layout: Layout) -> str:
    """What an ignored tensor is, judged by its name; the first kind that fits counts.

    Only plain comparisons of the name's parts: a stranger chooses the names, and regular
    expressions can be made to take long.
    """
    short = strip_parallel(key)
    parts = strip_parallel(short.removeprefix(layout.prefix)).split(".")
    first, second = parts[0], parts[1] if len(parts) > 1 else ""
    if any("queue" in part for part in parts):
        return "queue"
    if any(map(is_twin, parts)):
        return "momentum twin"
    if first == ORDERED_ALIAS.removesuffix(".") and second:
        return "alias"
    if first in TEXT_TOWER:
        return "text tower"
    if is_classifier(first, parts[1:]):
        return "classifier"
    return "head" if any(map(is_head, parts)) or has_numbered_fc(parts) else "other"


def is_twin(part: str) -> bool:
    """Whether a part of a name says that a momentum encoder or teacher follows."""
    return (
        part == "teacher" or part.endswith(TWIN_ENDINGS) or part.startswith(TWIN_BEGINNINGS)
    ) and part not in (*TWIN_ENDINGS, *TWIN_BEGINNINGS)


def is_classifier(first: str, rest: list[str]) -> bool:
    """Whether a name is that of a classifier's layer."""
    if not rest:
        return False
    if first in ("fc", "linear", "head") and rest in (["weight"], ["bias"]):
        return True
    if first == "heads" and rest in (["head", "weight"], ["head", "bias"]):
        return True
    return first in ("classifier", "c") or (first == "fc" and rest[0] == "1" and len(rest) > 1)


def is_head(part: str) -> bool:
    """Whether a part of a name is that of a head's module."""
    return (
        part in HEADS
        or part.startswith("decoder")
        or any(word in part for word in ("head", "proj", "pred"))
    )


def has_numbered_fc(parts: list[str]) -> bool:
    """Whether layers of an ``fc`` are numbered, as MoCo's projection head's are."""
    return any(a == "fc" and b.isdecimal() for a, b in itertools.pairwise(parts))


def sort_ignored(
    tensors: Mapping[str, torch.Tensor], layout: Layout
) -> tuple[dict[str, str], dict[str, str]]:
    """Everything outside the backbone.

    Returns:
        Name to kind (head, momentum twin, queue, classifier, alias, text tower, second encoder,
        other), and for whole copies of the backbone the name to that of the original tensor in
        the file.
    """
    own = {key for keys in layout.sources.values() for key in keys}
    ignored = {key: kind_of(key, layout) for key in tensors if key not in own}
    copies: dict[str, str] = {}
    equal = Comparison(tensors)
    groups, unseen = copies_by_name(ignored, tensors, layout)
    for group in (*groups, copy_by_order(ignored, tensors, own)):
        same = all(equal(copy, original) for copy, original in group.items())
        twin = "momentum twin" in {ignored[key] for key in group}
        kind = "alias" if same else "momentum twin" if twin else SECOND
        ignored |= dict.fromkeys(group, kind)
        copies |= group
    return ignored | dict.fromkeys(unseen, SECOND), copies


class Comparison:
    """Whether two tensors are equal, by name; tied ones are compared once, however many names."""

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        self.tensors = tensors
        self.known: dict[tuple[int, int], bool] = {}

    def __call__(self, one: str, other: str) -> bool:
        """Whether the tensors of two names are equal."""
        first, second = self.tensors[one], self.tensors[other]
        pair = (id(first), id(second))
        if pair not in self.known:
            self.known[pair] = first is second or torch.equal(first, second)
        return self.known[pair]


def copies_by_name(
    ignored: Mapping[str, str], tensors: Mapping[str, torch.Tensor], layout: Layout
) -> tuple[list[dict[str, str]], list[str]]:
    """Groups that hold the whole backbone once more, under another prefix.

    A group is looked at if it is large enough to be a copy and begins with a first filter of the
    right shape. Only groups within each other can make that many looks.

    Returns:
        The groups, and the first filter of one that there were too many others to look at.
    """
    stem_key = layout.sources[layout.names.stem][0]
    stem = stem_key.removeprefix(layout.written_prefix)
    wanted = weights_of(layout)
    ordered = sorted(ignored)
    shape = tensors[stem_key].shape
    starts = {
        key.removesuffix(stem)
        for key in ordered
        if key.endswith(stem) and tensors[key].shape == shape
    }
    groups: list[dict[str, str]] = []
    unseen: list[str] = []
    looks = MAX_LOOKS * len(ordered)
    for start in sorted(start for start in starts if not start or start.endswith(".")):
        begin = bisect.bisect_left(ordered, start)
        end = bisect.bisect_right(ordered, start + LAST) if start else len(ordered)
        if end - begin < len(wanted):
            continue
        looks -= end - begin
        if looks < 0:
            unseen.append(start + stem)
            break
        group = same_places(ordered[begin:end], start, tensors, layout)
        if set(group.values()) >= wanted:
            groups.append(group)
    return groups, unseen


def same_places(
    keys: list[str], start: str, tensors: Mapping[str, torch.Tensor], layout: Layout
) -> dict[str, str]:
    """Those names that mean, after a common start, a tensor of the backbone; and which one."""
    group = {}
    for key in keys:
        place = place_of(key.removeprefix(start), "", layout.names)
        if place is None:
            continue
        name, part = place
        sources = layout.sources.get(name, ())
        if part < len(sources) and tensors[sources[part]].shape == tensors[key].shape:
            group[key] = sources[part]
    return group


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
