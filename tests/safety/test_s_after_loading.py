"""S6 and S8: what loads but is no plain state dict; and that the hash is of what was parsed."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from mimic.checkpoint.gate import read_file
from mimic.errors import EncoderError
from mimic.parsing import client, walk
from tests.safety.model_files import GOOD, changed, saved, small_state


def holding_itself() -> dict[str, Any]:
    made: dict[str, Any] = {"state_dict": small_state()}
    made["again"] = made
    return made


def doubling(levels: int) -> list[Any]:
    made: list[Any] = [1, 1]
    for _ in range(levels):
        made = [made, made]
    return made


def nested(levels: int) -> bytes:
    stream = b"\x80\x02" + b"}X\x01\x00\x00\x00a" * levels + b"}" + b"s" * levels + b"."
    return changed(saved({}), **{"data.pkl": stream})


UNBOUNDED: dict[str, tuple[Callable[[], bytes], str]] = {
    "holding-itself": (lambda: saved(holding_itself()), "contains itself"),
    "list-of-2^33-leaves": (lambda: saved({"a": doubling(28)}), "more entries"),
    "deep-list": (lambda: saved({"a": doubling(33)}), "more"),
    "20000-deep": (lambda: nested(20_000), "levels deep"),
    "stride-0-giant": (
        lambda: saved({"a": {"b": torch.zeros(1).expand(2**20, 2**20)}}), "claims more numbers",
    ),
    "many-tensors": (
        lambda: saved({"a": [torch.zeros(1)] * 20_002}), "more entries",
    ),
    "many-leaves": (lambda: saved({"a": list(range(200_001))}), "more entries"),
    "meta": (lambda: saved({"a": [torch.ones(3, device="meta")]}), "without values"),
    "long-name": (lambda: saved({"a" * 501: torch.ones(1)}), "too long"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNBOUNDED)
def test_s6_unbounded_or_odd_values_are_refused_fast(tmp_path: Path, kind: str) -> None:
    make, reason = UNBOUNDED[kind]
    (tmp_path / "e.pth").write_bytes(make())
    read_file_or_none(tmp_path / "e.pth")  # The server may have to start first.
    before, start = psutil.Process().memory_info().rss, time.monotonic()
    with pytest.raises(EncoderError, match=reason) as caught:
        read_file(tmp_path / "e.pth")
    assert "crash" not in caught.value.cause
    assert time.monotonic() - start < 30
    assert psutil.Process().memory_info().rss - before < 64 * 2**20


def read_file_or_none(path: Path) -> object:
    try:
        return read_file(path)
    except EncoderError:
        return None


@pytest.mark.parametrize(
    ("tensor", "word"),
    [
        (torch.eye(3).to_sparse(), "sparse"),
        (torch.ones(2, dtype=torch.complex64), "complex64"),
        (torch.ones(2, device="meta"), "without values"),
        (torch.ones(2, dtype=torch.complex64).conj(), "complex64"),
        (torch.ones(2).to(torch.float8_e5m2), "float8_e5m2"),
    ],
    ids=str,
)
def test_s6_the_walk_refuses_every_tensor_that_is_not_plain(
    tensor: torch.Tensor, word: str
) -> None:
    for value in (tensor, {"a": [tensor]}, {"optimizer": {0: (1, tensor)}}):
        with pytest.raises(EncoderError, match=word):
            walk.check_value(value, 10**6, "e.pth")


def test_s6_a_tensor_subclass_or_a_foreign_object_is_refused() -> None:
    class Special(torch.Tensor):
        pass

    for value in (torch.ones(2).as_subclass(Special), {"a": object()}, [{1: 2j}]):
        with pytest.raises(EncoderError):
            walk.check_value(value, 10**6, "e.pth")


def test_s6_plain_values_pass_the_walk() -> None:
    walk.check_value({"a": [small_state(), (1, "x", None, True, b"", {2})]}, 10**6, "e.pth")


def test_s6_twice_the_files_bytes_are_the_limit() -> None:
    shared = torch.zeros(250)
    walk.check_value([shared, shared], 1000, "e.pth")
    with pytest.raises(EncoderError, match="claims more"):
        walk.check_value([shared, shared, torch.zeros(1)], 1000, "e.pth")


@pytest.mark.parametrize("kind", GOOD)
def test_s8_the_hash_is_that_of_the_bytes_parsed(tmp_path: Path, kind: str) -> None:
    content = GOOD[kind]()
    (tmp_path / "e.pth").write_bytes(content)
    found = read_file(tmp_path / "e.pth")
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.bytes == len(content)


def test_s8_a_file_that_changes_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, parse_apart = tmp_path / "e.pth", client.parse_apart

    def changing(*arguments: Any) -> str:
        outcome = parse_apart(*arguments)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        return outcome

    path.write_bytes(GOOD["safetensors"]())
    monkeypatch.setattr(client, "parse_apart", changing)
    with pytest.raises(EncoderError, match="changed while"):
        read_file(path)


def test_s16_neither_success_nor_refusal_leaves_a_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    for content in (GOOD["zip"](), b"text", GOOD["zip"]()[:-9]):
        (tmp_path / "e.pth").write_bytes(content)
        read_file_or_none(tmp_path / "e.pth")
        assert list((tmp_path / "t").iterdir()) == []


def test_s6_tensors_are_copies_in_memory_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "e.pth").write_bytes(GOOD["zip"]())
    first, second = (read_file(tmp_path / "e.pth").tensors for _ in range(2))
    first["conv1.weight"].zero_()
    assert not torch.equal(first["conv1.weight"], second["conv1.weight"])
    starts = {tensor.untyped_storage().data_ptr() for tensor in second.values() if tensor.numel()}
    assert len(starts) == len(second) - 1


def overlapping(dtype: torch.dtype = torch.float16) -> dict[str, torch.Tensor]:
    """Two tensors that are mostly the same bytes."""
    base = torch.randn(30_000).to(dtype)
    return {"a": base[:-1], "b": base[1:]}


def test_s6_overlapping_tensors_that_exceed_the_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "e.pth").write_bytes(saved({"state_dict": overlapping()}))
    with pytest.raises(EncoderError, match="its tensors overlap"):
        read_file(tmp_path / "e.pth")


def test_s6_tied_weights_come_through_as_one_tensor_under_two_names(tmp_path: Path) -> None:
    own = torch.randn(30_000)
    (tmp_path / "e.pth").write_bytes(saved({"a": own, "b": own, "c": own[:10]}))
    found = read_file(tmp_path / "e.pth").tensors
    assert torch.equal(found["a"], own)
    assert found["a"] is found["b"]
    assert torch.equal(found["c"], own[:10])


@pytest.mark.parametrize("legacy", [False, True])
def test_s6_remarks_no_output_can_carry_are_left_out(tmp_path: Path, legacy: bool) -> None:
    beside = {"epoch": 3, "steps": 2**63, "far": -(2**80), "args": "x" * 200_000, "lr": 0.5}
    content = saved({**beside, "state_dict": small_state()}, legacy=legacy)
    (tmp_path / "e.pth").write_bytes(content)
    found = read_file(tmp_path / "e.pth")
    assert found.wrapper == {"epoch": 3, "lr": 0.5}
    assert set(found.tensors) == set(small_state())


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("zipped", [True, False])
def test_s3_a_protocol_torch_does_not_read_safely_is_named(
    tmp_path: Path, protocol: int, zipped: bool
) -> None:
    path = tmp_path / "e.pth"
    torch.save(small_state(), path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    with pytest.raises(EncoderError, match=f"pickle protocol {protocol}") as caught:
        read_file(path)
    assert "own protocol" in caught.value.remedy
