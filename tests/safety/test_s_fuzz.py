"""Damaged copies of good files: each is refused, or gives exactly the good file's tensors.

Zip archives carry a checksum of every member, so there is no third outcome for them. Safetensors
and old torch files carry none: a changed weight in them is just another weight, which only a hash
known from elsewhere can tell. Those cases are counted apart, and what they may change is bounded.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimic.checkpoint import load_encoder
from mimic.checkpoint.gate import read_file
from mimic.errors import EncoderError
from mimic.parsing import child
from tests.conftest import make_encoder
from tests.safety.model_files import GOOD, members_of, packed, saved

FILES = {kind: make() for kind, make in GOOD.items()}
ENDED = re.compile("crashed|longer than|tried to leave|memory|stopped")
CHECKSUMMED = ("zip", "torchscript")
Tensors = Mapping[str, torch.Tensor]


def damaged(content: bytes, draw: Callable[[st.SearchStrategy[int]], int]) -> bytes:
    """One or two random damages: a flipped bit, a cut, an insertion, a gap, a copied stretch."""
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        what = draw(st.integers(0, 9))
        if what <= 4 and content:
            bit = 1 << draw(st.integers(0, 7))
            content = content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
        elif what == 5:
            content = content[:place]
        elif what == 6:
            content = content[:place] + bytes([draw(st.integers(0, 255))]) + content[place:]
        elif what == 7:
            content = content[:place] + content[place + draw(st.integers(1, 64)) :]
        elif what == 8:
            length, other = draw(st.integers(1, 64)), draw(st.integers(0, len(content)))
            stretch = content[other : other + length]
            content = content[:place] + stretch + content[place + len(stretch) :]
        else:
            length = draw(st.integers(1, 64))
            content = content[:place] + bytes(length) + content[place + length :]
    return content


def outcome(kind: str, good: Tensors, read: Callable[[], Tensors]) -> str:
    """What became of a damaged file; fails on anything but the outcomes allowed for its kind."""
    try:
        found = read()
    except EncoderError as error:
        return "ended" if ENDED.search(error.cause) else "refused"
    if same(found, good):
        return "accepted unchanged"
    assert kind not in CHECKSUMMED, "silently wrong load"
    if list(found) != list(good):
        return "accepted with another name"
    if any(found[k].shape != good[k].shape or found[k].dtype != good[k].dtype for k in good):
        return "accepted with another shape"
    return "accepted with other values"


def same(found: Tensors, good: Tensors) -> bool:
    return set(found) == set(good) and all(
        found[k].dtype == good[k].dtype
        and found[k].shape == good[k].shape
        and found[k].numpy().tobytes() == good[k].numpy().tobytes()
        for k in good
    )


def fuzz(read: Callable[[bytes], Tensors], kind: str, cases: int, content: bytes) -> Counter[str]:
    good, counts = read(content), Counter[str]()

    @settings(
        max_examples=cases, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def check(data: st.DataObject) -> None:
        broken = damaged(content, data.draw)
        result = outcome(kind, good, lambda: read(broken))
        assert result != "ended"
        counts[result] += 1

    check()
    assert counts["refused"] > 0
    if kind in ("legacy", "safetensors"):
        odd = counts["accepted with another name"] + counts["accepted with another shape"]
        assert odd < 0.2 * counts.total()
    return counts


def apart(path: Path) -> Callable[[bytes], Tensors]:
    """Reading as the app does, through a child."""

    def read(content: bytes) -> Tensors:
        path.write_bytes(content)
        return read_file(path).tensors

    return read


def here(content: bytes) -> Tensors:
    """What a child does, without one: fast, and a crash would end the tests."""
    about, tensors = child.read(content, "e.pth")
    return dict(zip(about["names"], tensors, strict=True))


@pytest.mark.parametrize("kind", FILES)
def test_s_damaged_files_never_load_silently_wrong(
    tmp_path: Path, kind: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("outcomes", dict(fuzz(apart(tmp_path / "e.pth"), kind, 40, FILES[kind])))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", FILES)
def test_s_thousands_of_damaged_files_never_load_silently_wrong(
    kind: str, record_property: Callable[[str, object], None]
) -> None:
    cases = int(os.environ.get("MIMIC_FUZZ_CASES", "1500"))
    record_property("outcomes", dict(fuzz(here, kind, cases, FILES[kind])))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_s_a_damaged_encoder_is_refused_or_differs_in_values_only(
    tmp_path: Path, kind: str, record_property: Callable[[str, object], None]
) -> None:
    state = dict(make_encoder(width=1).state_dict())
    write = {
        "zip": lambda: saved(state), "legacy": lambda: saved(state, legacy=True),
        "safetensors": lambda: safetensors.torch.save(state),
    }  # fmt: skip
    path = tmp_path / "e.pth"

    def read(content: bytes) -> Tensors:
        path.write_bytes(content)
        return load_encoder(path).encoder.state_dict()

    counts = fuzz(read, kind, 150, write[kind]())
    assert counts["accepted with another name"] == counts["accepted with another shape"] == 0
    record_property("outcomes", dict(counts))


def test_s_exchanged_members_never_change_a_name_or_shape(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Whoever can rewrite the checksums can write any weights: only their form is bound."""
    counts: Counter[str] = Counter()
    for kind in CHECKSUMMED:
        members, read = members_of(FILES[kind]), apart(tmp_path / "e.pth")
        good, names = read(FILES[kind]), list(members)
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        for first, second in pairs[:: max(1, len(pairs) // 20)]:
            swapped = members | {first: members[second], second: members[first]}
            result = outcome("swapped", good, lambda r=read, s=swapped: r(packed(s)))
            assert result not in (
                "ended",
                "accepted with another name",
                "accepted with another shape",
            )
            counts[result] += 1
    assert counts["refused"] > 0
    record_property("outcomes", dict(counts))
