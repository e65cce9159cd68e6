"""S4 and S5: what is refused by its bytes, before any loader sees it; and layout G."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from mimic.checkpoint.gate import StoredFile, read_file
from mimic.errors import EncoderError
from mimic.parsing import archive as archive_rules
from mimic.parsing import opcodes
from mimic.trigger import Trigger
from mimic.trigger.stored import KEYS
from mimic.trigger.text import from_text
from tests.safety.model_files import (
    GOOD,
    changed,
    members_of,
    packed,
    saved,
    scripted,
    small_module,
    small_state,
)


def read_bytes(folder: Path, content: bytes, name: str = "e.pth") -> StoredFile:
    (folder / name).write_bytes(content)
    return read_file(folder / name)


def refused(folder: Path, content: bytes, name: str = "e.pth") -> str:
    with pytest.raises(EncoderError) as caught:
        read_bytes(folder, content, name)
    assert "crash" not in caught.value.cause
    return caught.value.cause


def assert_same(found: StoredFile, wanted: dict[str, torch.Tensor]) -> None:
    assert list(found.tensors) == list(wanted)
    for name, tensor in wanted.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert found.tensors[name].shape == tensor.shape
        assert torch.equal(found.tensors[name], tensor)


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("suffix", ["pth", "safetensors", "tar", "png", "bin"])
def test_s4_the_content_decides_not_the_name(tmp_path: Path, kind: str, suffix: str) -> None:
    found = read_bytes(tmp_path, GOOD[kind](), f"e.{suffix}")
    wanted = small_state()
    assert_same(found, {name: wanted[name] for name in found.tensors})
    assert set(found.tensors) == set(wanted)
    assert found.kind == ("safetensors" if kind == "safetensors" else "torch")
    assert found.legacy == (kind == "legacy")
    if kind == "safetensors":
        assert found.metadata == {"who": "me"}
    else:
        assert (found.state_key, found.wrapper) == ("state_dict", {"epoch": 3})
        assert found.top_level[:2] == ("epoch", "state_dict")


OTHERS = {
    "a PNG image": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a JPEG image": b"\xff\xd8\xff\xe0" + bytes(100),
    "a gzip archive": b"\x1f\x8b\x08" + bytes(100),
    "a tar archive": bytes(257) + b"ustar\x0000" + bytes(500),
    "an HTML page (a download page?)": b"\n <!DOCTYPE html><html>sign in</html>",
    "a text": b"hello, this is a text\n" * 9,
    "filled with zeros": bytes(5000),
    "a NumPy array": b"\x93NUMPY\x01\x00" + bytes(100),
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    "of an unknown format": b"\x01\x02\x03" * 50,
    "a NumPy archive (.npz)": packed({"a.npy": b"x"}),
    "a trigger, not an encoder": packed({"tm.npy": b"x", "t.npy": b"x"}),
    "an image set, not an encoder": packed({"x.npy": b"x", "y.npy": b"x"}),
    "a zip archive of something else": packed({"folder/a.txt": b"x"}),
    "an exported program (.pt2)": packed({"p/archive_format": b"pt2", "p/models/m.json": b"{}"}),
    "an empty zip archive": packed({}),
    "a torch.package archive": packed({"p/.data/extern_modules": b"", "p/a.py": b""}),
}


@pytest.mark.parametrize("what", OTHERS)
def test_s4_other_files_are_called_by_what_they_are(tmp_path: Path, what: str) -> None:
    assert what in refused(tmp_path, OTHERS[what])


@pytest.mark.parametrize("text", ["square:1:1:3", "sig:40:6", "ctrl"])
def test_s4_a_trigger_that_was_saved_here_is_sent_where_it_belongs(
    tmp_path: Path, text: str
) -> None:
    from_text(text, image_size=32).save(tmp_path / "trigger.npz")
    with pytest.raises(EncoderError, match="is a trigger, not an encoder") as caught:
        read_file(tmp_path / "trigger.npz")
    assert caught.value.remedy == "Give it with --trigger."


def test_s4_compressed_images_are_sent_where_they_belong(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "set.npz", x_train=np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(EncoderError, match="is an image set, not an encoder") as caught:
        read_file(tmp_path / "set.npz")
    assert caught.value.remedy == "Give it with --data."


@pytest.mark.parametrize("kind", KEYS)
def test_s4_a_triggers_arrays_are_enough_to_call_it_one(
    tmp_path: Path, kind: type[Trigger]
) -> None:
    arrays = {f"{name}.npy": b"x" for name in ("kind", *KEYS[kind])}
    assert "a trigger, not" in refused(tmp_path, packed(arrays))


def zip_with(**members: bytes | None) -> bytes:
    return changed(saved(small_state()), **members)


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    assert content.count(old) >= 1
    return content.replace(old, new, 1)


def renamed(content: bytes, old: str, new: str) -> bytes:
    return packed({(new if n.endswith(old) else n): v for n, v in members_of(content).items()})


def second_archive() -> bytes:
    good = saved(small_state())
    other = {k: v + 1 for k, v in small_state().items()}
    return good + saved(other)


def with_comment() -> bytes:
    buffer = io.BytesIO(saved(small_state()))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"what is this"
    return buffer.getvalue()


def overlapping() -> bytes:
    """Two members of the list lead to the same bytes."""
    content = packed({"a/data.pkl": b"K\x01.", "a/data/0": b"xxxx", "a/data/1": b"xxxx"})
    at = content.rindex(b"a/data/1") - 46 + 42
    first = content.index(b"a/data/0") - 30
    return content[:at] + struct.pack("<I", first) + content[at + 4 :]


PACKED_ODDLY: dict[str, Callable[[], bytes]] = {
    "compressed": lambda: packed(members_of(saved(small_state())), zipfile.ZIP_DEFLATED),
    "inflating": lambda: packed({"a/data.pkl": b"N.", "a/data/0": bytes(10**7)}, 8),
    "parent": lambda: renamed(saved(small_state()), "data/0", "archive/../0"),
    "absolute": lambda: renamed(saved(small_state()), "data/0", "/data/0"),
    "backslash": lambda: renamed(saved(small_state()), "data/0", "archive\\0"),
    "foreign": lambda: zip_with(**{"notes.txt": b"x"}),
    "many": lambda: zip_with(**{f"data/{i}": b"" for i in range(20_000)}),
    "trailing": lambda: saved(small_state()) + b"x",
    "second": second_archive,
    "comment": with_comment,
    "overlap": overlapping,
    "case": lambda: zip_with(**{"DATA.PKL": b"N."}),
}  # fmt: skip


@pytest.mark.parametrize("kind", PACKED_ODDLY)
def test_s5_an_archive_torch_never_writes_is_refused(tmp_path: Path, kind: str) -> None:
    cause = refused(tmp_path, PACKED_ODDLY[kind]())
    odd = "torch.save never does" in cause or "something else" in cause or "damaged" in cause
    assert odd, cause


DISAGREEING: dict[str, tuple[Callable[[], bytes], str]] = {
    "short-record": (lambda: zip_with(**{"data/0": b"1234"}), "do not fit"),
    "long-record": (lambda: zip_with(**{"data/0": bytes(10**5)}), "do not fit"),
    "absent-record": (lambda: zip_with(**{"data/0": None}), "do not fit"),
    "surplus-record": (lambda: zip_with(**{"data/99": b"12"}), "do not fit"),
    "byte-order": (lambda: zip_with(byteorder=b"big"), "byte order"),
    "no-stop": (lambda: zip_with(**{"data.pkl": b"\x80\x02}"}), "damaged"),
    "after-stop": (lambda: zip_with(**{"data.pkl": b"\x80\x02}.}"}), "after its list"),
    "list-too-long": (lambda: zip_with(**{"data.pkl": bytes(17 * 2**20)}), "above 16 MiB"),
    "opcodes": (
        lambda: zip_with(**{"data.pkl": b"\x80\x02]" + b"N0" * 600_000 + b"."}), "damaged",
    ),
    "many-opcodes": (
        lambda: zip_with(**{"data.pkl": b"\x80\x02]" + b"Na" * 600_000 + b"."}), "damaged",
    ),
    "odd-key": (lambda: zip_with(**{"data.pkl": b"\x80\x02})\x85\x85N s.".replace(b" ", b"")}), ""),
    "codec": (
        lambda: zip_with(**{"data.pkl": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00"
                            b"\x00\x00hex\x86R."}), "damaged",
    ),
    "legacy-short": (lambda: saved(small_state(), legacy=True)[:-1], "do not fit"),
    "legacy-long": (lambda: saved(small_state(), legacy=True) + b"x", "do not fit"),
    "sparse": (lambda: saved({"a": torch.eye(3).to_sparse()}), "sparse"),
    "complex": (
        lambda: saved({"a": torch.ones((2, 2), dtype=torch.complex64)}), "complex numbers",
    ),
    "meta": (lambda: saved({"a": torch.ones(3, device="meta")}), "without values"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DISAGREEING)
def test_s5_a_list_that_disagrees_with_its_records_is_refused(tmp_path: Path, kind: str) -> None:
    make, reason = DISAGREEING[kind]
    assert reason in refused(tmp_path, make())


def test_s5_a_compressed_member_is_refused_by_the_rules_themselves() -> None:
    with pytest.raises(EncoderError, match=r"torch\.save never does"):
        archive_rules.open_archive(PACKED_ODDLY["inflating"](), "e.pth")


def test_s5_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", Path(os.devnull), tmp_path / "a\0b"):
        with pytest.raises(EncoderError, match="no encoder file"):
            read_file(path)


def test_s5_what_trainers_keep_beside_the_weights_is_allowed(tmp_path: Path) -> None:
    module = small_module()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.1)
    module(torch.zeros(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3])
    content = {
        "epoch": 4, "arch": "resnet18", "best_acc1": torch.tensor(0.5), "loss": float("nan"),
        "state_dict": OrderedDict(module.state_dict()), "optimizer": optimizer.state_dict(),
        "lr_scheduler": schedule.state_dict(), "seen": Counter("aab"), "raw": b"\x00\xff",
        "sides": {3, 4}, "size": torch.Size([2]), "half": torch.ones(2).bfloat16(),
        "parameter": nn.Parameter(torch.ones(1)), "device": torch.device("cuda:0"),
    }  # fmt: skip
    for legacy in (False, True):
        found = read_bytes(tmp_path, saved(content, legacy=legacy))
        assert_same(found, dict(module.state_dict()))
        assert (found.wrapper["epoch"], found.wrapper["arch"]) == (4, "resnet18")
        assert "best_acc1" in found.top_level


def test_s5_numpy_numbers_and_own_classes_are_named(tmp_path: Path) -> None:
    for value, named in (
        (np.float64(1), "scalar"), (small_module(), "torch.nn.modules.container.Sequential"),
    ):  # fmt: skip
        assert named in refused(tmp_path, saved({"state_dict": small_state(), "x": value}))


def safetensors_with(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


ONE = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
BROKEN_HEADERS = {
    "twice": (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
              b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', "twice"),
    "overlap": ({"a": ONE, "b": ONE}, "damaged"),
    "hole": ({"a": {**ONE, "data_offsets": [4, 8]}}, "damaged"),
    "short": ({"a": {**ONE, "shape": [2]}}, "damaged"),
    "giant": ({"a": {**ONE, "shape": [2**40, 2**40, 0]}}, "damaged"),
    "negative": ({"a": {**ONE, "shape": [-1]}}, "damaged"),
    "complex": ({"a": {**ONE, "dtype": "C64"}}, "C64"),
    "no-shape": ({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, "damaged"),
    "number": ({"a": 3}, "damaged"),
    "metadata": ({"a": ONE, "__metadata__": {"x": 3}}, "damaged"),
    "nested": (b'{"a":' + b"[" * 10**6, "damaged"),
    "encoding": (b'{"\xff": 1}', "damaged"),
    "nan": (b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN_HEADERS)
def test_s5_a_safetensors_header_that_lies_is_refused(tmp_path: Path, kind: str) -> None:
    header, reason = BROKEN_HEADERS[kind]
    assert reason in refused(tmp_path, safetensors_with(header, bytes(4)))


def test_s5_a_safetensors_header_longer_than_its_file_is_refused(tmp_path: Path) -> None:
    for length in (2**63, 101 * 2**20, 100):
        content = struct.pack("<Q", length) + b'{"a": 1}'
        assert "damaged" in refused(tmp_path, content)


def test_s5_the_symbolic_reader_neither_imports_nor_calls() -> None:
    import sys

    stream = b"\x80\x02cthis_module.exists_nowhere\nf\n)R."
    value, reader = opcodes.read_stream(stream, lambda _: True, "x")
    assert isinstance(value, opcodes.Instance)
    assert reader.globals == {"this_module.exists_nowhere.f"}
    assert "this_module" not in sys.modules


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.visual = small_module()
        self.register_buffer("table", torch.arange(6).reshape(2, 3).t())
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.note = "text"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.visual(images) * self.scale


@pytest.mark.parametrize("trace", [True, False])
@pytest.mark.parametrize("number_format", [torch.float32, torch.float16])
def test_s5_a_torchscript_archive_gives_its_weights_and_runs_nothing(
    tmp_path: Path, trace: bool, number_format: torch.dtype
) -> None:
    module = Tied().eval().to(number_format)
    content = scripted(module, trace=trace)
    code = {n: b"raise SystemExit(3)\n" for n in members_of(content) if n.endswith(".py")}
    assert code
    for archive in (content, packed({**members_of(content), **code})):
        found = read_bytes(tmp_path, archive)
        assert found.kind == "torchscript"
        wanted = module.state_dict()
        assert set(found.tensors) == set(wanted)
        assert_same(found, {name: wanted[name] for name in found.tensors})


def test_s5_a_torchscript_archive_that_inflates_or_lies_is_refused(tmp_path: Path) -> None:
    good = scripted(small_module())
    top = next(iter(members_of(good))).partition("/")[0]
    bomb = io.BytesIO(good)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{top}/code/bomb.py", bytes(10**8))
    assert "never does" in refused(tmp_path, bomb.getvalue())
    assert "damaged" in refused(tmp_path, changed(good, **{"data/0": b"1234"}))
    assert "damaged" in refused(tmp_path, changed(good, **{"data.pkl": b"\x80\x02}"}))
    wide = members_of(good)[f"{top}/data.pkl"].replace(
        b"K\x04K\x03K\x03K\x03t", b"K\x7fK\x03K\x03K\x03t"
    )
    assert "damaged" in refused(tmp_path, changed(good, **{"data.pkl": wide}))


def test_a_file_of_one_tensor_or_a_tuple_is_called_what_it_is(tmp_path: Path) -> None:
    for value, word in ((torch.ones(2), "tensor"), ((torch.ones(2), 1), "tuple"), ([1], "list")):
        assert f"holds a {word} on its own" in refused(tmp_path, saved(value))


def test_tensors_with_odd_strides_come_through_bit_for_bit(tmp_path: Path) -> None:
    state = {
        "one": torch.arange(9.0).as_strided((1,), (9,)),
        "last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "turned": torch.arange(6).reshape(2, 3).t(),
        "slice": torch.arange(10.0)[3:7:2],
    }
    for legacy in (False, True):
        assert_same(read_bytes(tmp_path, saved(state, legacy=legacy)), state)


def test_safetensors_of_many_formats_come_through_bit_for_bit(tmp_path: Path) -> None:
    state = {
        str(kind): torch.arange(6).reshape(2, 3).to(kind)
        for kind in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64,
                     torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
    }  # fmt: skip
    found = read_bytes(tmp_path, safetensors.torch.save(state))
    assert set(found.tensors) == set(state)
    assert_same(found, {name: state[name] for name in found.tensors})
    assert_same(read_bytes(tmp_path, saved(state)), state)


def dotted_twice() -> bytes:
    """A module with an attribute ``a.b`` beside a sub-module ``a`` that has an attribute ``b``."""

    def text(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    def tensor(key: str) -> bytes:
        storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu")
        place = storage + b"K\x02tQ" + b"K\x00" + b"(K\x02t" + b"(K\x01t"
        hooks = b"\x89ccollections\nOrderedDict\n)R"
        return b"ctorch._utils\n_rebuild_tensor_v2\n(" + place + hooks + b"tR"

    def module(**attributes: bytes) -> bytes:
        inside = b"".join(text(key) + value for key, value in attributes.items())
        return b"c__torch__\nM\n)\x81}(" + inside + b"ub"

    tree = module(**{"a.b": tensor("0"), "a": module(b=tensor("1"))})
    members = {
        "m/data.pkl": b"\x80\x02" + tree + b".", "m/constants.pkl": b"\x80\x02).",
        "m/code/__torch__.py": b"x", "m/data/0": bytes(8), "m/data/1": b"\x01" * 8,
    }  # fmt: skip
    return packed(members)


def test_s5_two_tensors_under_one_torchscript_path_are_refused(tmp_path: Path) -> None:
    assert "damaged TorchScript" in refused(tmp_path, dotted_twice())
