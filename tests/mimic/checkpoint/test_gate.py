import copy
import dataclasses
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from mimic.checkpoint import load_encoder
from mimic.encoder import Architecture, Encoder
from mimic.errors import EncoderError
from tests.mimic.checkpoint.published import make


def features(encoder: Encoder) -> torch.Tensor:
    side = 16 if encoder.architecture.stem == "cifar" else 64
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return encoder(images)


def assert_refused(path: Path) -> EncoderError:
    with pytest.raises(EncoderError) as caught:
        load_encoder(path)
    for sentence in (caught.value.cause, caught.value.remedy):
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert not re.search(
            r"weights_only|Traceback|[Uu]npickl|add_safe_globals|File \"", sentence
        )
    return caught.value


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Path]]:
        return (type(self.marker).touch, (self.marker,))


@pytest.mark.parametrize("kind", ["zip", "old", "plain", "inside"])
def test_files_that_carry_code_are_refused_and_not_executed(tmp_path: Path, kind: str) -> None:
    marker, path = tmp_path / "executed", tmp_path / "e.pth"
    state: Any = make().state_dict()
    if kind == "plain":
        path.write_bytes(pickle.dumps(Payload(marker)))
    elif kind == "inside":
        torch.save({"state_dict": state, "optimizer": Payload(marker)}, path)
    else:
        torch.save(Payload(marker), path, _use_new_zipfile_serialization=kind == "zip")
    error = assert_refused(path)
    assert not marker.exists()
    assert "code" in error.cause
    pickle.loads(pickle.dumps(Payload(marker)))  # noqa: S301 - shows that the payload is live
    assert marker.exists()


@pytest.mark.parametrize("style", ["zip", "old", "safetensors"])
def test_truncated_files_are_refused_wherever_they_end(tmp_path: Path, style: str) -> None:
    whole, path = tmp_path / "whole", tmp_path / "e.pth"
    if style == "safetensors":
        safetensors.torch.save_file(make().state_dict(), whole)
    else:
        torch.save(make().state_dict(), whole, _use_new_zipfile_serialization=style == "zip")
    content = whole.read_bytes()
    load_encoder(whole)
    for kept in (0, 1, 3, 7, 9, 64, 1000, len(content) // 3, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:kept])
        assert_refused(path)


def test_one_flipped_bit_anywhere_in_the_weights_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "e.pth"
    torch.save(make().state_dict(), path)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if "/data/" in m.filename]
    for member in members[:: len(members) // 8]:
        start = content.find(member.filename.encode(), member.header_offset)
        extra = int.from_bytes(
            content[member.header_offset + 28 : member.header_offset + 30], "little"
        )
        place = start + len(member.filename.encode()) + extra + member.file_size // 2
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        assert "checksum" in assert_refused(path).cause


def test_files_that_are_no_checkpoint_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.pth"
    for content in (b"", b"\n", b"hello, this is a text file\n" * 40, b"{" * 100, bytes(5000),
                    b"\x80\x02N.", b"PK\x03\x04" + bytes(100), b"12345678{\"a\": 1}"):  # fmt: skip
        path.write_bytes(content)
        assert_refused(path)
    path.write_bytes(b"")
    assert "is empty" in assert_refused(path).cause
    assert "no encoder file" in assert_refused(tmp_path / "absent.pth").cause
    assert_refused(tmp_path)


def test_an_npz_is_no_encoder(tmp_path: Path) -> None:
    import numpy as np

    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "e.npz", **{k: v.numpy() for k, v in make().state_dict().items()})
        assert_refused(tmp_path / "e.npz")


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    torch.save(make().state_dict(), tmp_path / "plain.pth")
    path = tmp_path / "packed.pth"
    with (
        zipfile.ZipFile(tmp_path / "plain.pth") as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for member in source.infolist():
            target.writestr(member.filename, source.read(member))
    assert "torch.save never does" in assert_refused(path).cause


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_torchscript_archive_gives_its_weights(tmp_path: Path) -> None:
    path, encoder = tmp_path / "scripted.pt", make(Architecture("resnet10", width=2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(encoder, torch.zeros(1, 3, 16, 16)).save(str(path))
    assert torch.equal(features(load_encoder(path).encoder), features(encoder))


@pytest.mark.parametrize(
    "content",
    [torch.zeros(3), [torch.zeros(3)], {}, {"state_dict": {}}, {"a": 1}, {"state_dict": [1]}, 5],
    ids=str,
)
def test_checkpoints_of_something_else_are_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "e.pth")
    assert_refused(tmp_path / "e.pth")


def test_a_tensor_that_claims_more_than_its_storage_is_not_taken(tmp_path: Path) -> None:
    state = dict(make().state_dict())
    state["layer1.0.conv1.weight"] = torch.zeros(1).expand(10**4, 10**4, 3, 3)
    torch.save(state, tmp_path / "e.pth")
    assert "layer1.0.conv1.weight" in assert_refused(tmp_path / "e.pth").cause


def test_files_above_the_limit_are_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(make().state_dict(), tmp_path / "e.pth")
    monkeypatch.setattr("mimic.checkpoint.gate.MAX_FILE_BYTES", 1000)
    assert "limit" in assert_refused(tmp_path / "e.pth").cause


def test_a_loaded_file_can_be_copied_without_its_weights_changing(tmp_path: Path) -> None:
    torch.save(make().state_dict(), tmp_path / "e.pth")
    loaded = load_encoder(tmp_path / "e.pth")
    again = copy.deepcopy(loaded.encoder)
    assert torch.equal(features(again), features(loaded.encoder))
    assert dataclasses.is_dataclass(loaded)
