"""S1 and S3: nothing a file holds is ever run. Payloads only make an empty folder."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import pickle
import re
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mimic.checkpoint.gate import read_file
from mimic.errors import EncoderError
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


class Payload:
    """Makes a folder when unpickled by a loader that calls what it is told."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (self.marker,)


class Evaluated(Payload):
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return eval, (f"__import__('os').mkdir({self.marker!r})",)


class Executed(Payload):
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return exec, (f"import os; os.mkdir({self.marker!r})",)


def by_hand(marker: Path, module: str = "os", name: str = "mkdir") -> bytes:
    return f"c{module}\n{name}\n(V{marker}\ntR.".encode()


def instance_by_hand(marker: Path) -> bytes:
    return f"(V{marker}\nios\nmkdir\n.".encode()


def resolved_name(marker: Path) -> bytes:
    """Asks for a harmless-looking resolver, then calls what that gives."""
    return b"\x80\x02cpkgutil\nresolve_name\n(X\x08\x00\x00\x00os:mkdirtR(V%stR." % (
        f"{marker}\n".encode()
    )


def legacy_with(marker: Path, place: int) -> bytes:
    """A legacy file one of whose five pickles is the payload."""
    whole = saved(small_state(), legacy=True)
    parts, stream = [], io.BytesIO(whole)
    for _ in range(5):
        start = stream.tell()
        skim(stream)
        parts.append(whole[start : stream.tell()])
    parts[place] = pickle.dumps(Payload(marker), protocol=2)
    return b"".join(parts) + whole[stream.tell() :]


def skim(stream: io.BytesIO) -> None:
    """Read one pickle of our own making without its tensors."""

    class Skimmer(pickle.Unpickler):
        def persistent_load(self, identity: Any) -> Any:
            return identity

        def find_class(self, module: str, name: str) -> Any:
            return (
                (lambda *_: {}) if name.startswith("_rebuild") else super().find_class(module, name)
            )

    Skimmer(stream).load()


def old_tar(marker: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            content = pickle.dumps(Payload(marker), protocol=2)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def objects(marker: Path, save: Callable[..., None]) -> bytes:
    buffer = io.BytesIO()
    save(buffer, np.array([Payload(marker)], dtype=object))
    return buffer.getvalue()


def twice(marker: Path) -> bytes:
    good = saved(small_state())
    buffer = io.BytesIO(good)
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(archive.namelist()[0], pickle.dumps(Payload(marker), protocol=2))
    return buffer.getvalue()


def pickle_run(content: bytes) -> None:
    pickle.loads(content)  # noqa: S301 - the control


def torch_run(content: bytes) -> None:
    torch.load(io.BytesIO(content), weights_only=False)


def numpy_run(content: bytes) -> None:
    loaded = np.load(io.BytesIO(content), allow_pickle=True)
    loaded["arr_0"] if isinstance(loaded, np.lib.npyio.NpzFile) else None


def member_run(name: str) -> Callable[[bytes], None]:
    def run(content: bytes) -> None:
        found = next(v for k, v in members_of(content).items() if k.endswith(name))
        pickle_run(found)

    return run


def tar_run(content: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        member = archive.extractfile("pickle")
        assert member is not None
        pickle_run(member.read())


def legacy_run(content: bytes) -> None:
    stream = io.BytesIO(content)
    for _ in range(5):
        skim(stream)


def second_data(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pickle_run(archive.read(archive.infolist()[-1]))


Hostile = tuple[Callable[[Path], bytes], Callable[[bytes], None]]
HOSTILE: dict[str, Hostile] = {
    "zip": (lambda m: saved(Payload(m)), torch_run),
    "zip-eval": (lambda m: saved(Evaluated(m)), torch_run),
    "zip-exec": (lambda m: saved([Executed(m)]), torch_run),
    "zip-optimizer": (
        lambda m: saved({"state_dict": small_state(), "optimizer": {0: Payload(m)}}), torch_run,
    ),
    "zip-by-hand": (lambda m: changed(saved(1), **{"data.pkl": by_hand(m)}), torch_run),
    "zip-system-module": (
        lambda m: changed(saved(1), **{"data.pkl": by_hand(m, "posix")}), torch_run,
    ),
    "zip-resolver": (lambda m: changed(saved(1), **{"data.pkl": resolved_name(m)}), torch_run),
    "zip-compressed": (
        lambda m: packed(members_of(saved(Payload(m))), zipfile.ZIP_DEFLATED), torch_run,
    ),
    "zip-twice": (twice, second_data),
    "legacy": (lambda m: saved(Payload(m), legacy=True), torch_run),
    "legacy-inside": (
        lambda m: saved({"state_dict": small_state(), "args": Payload(m)}, legacy=True), torch_run,
    ),
    **{f"legacy-part-{i}": (lambda m, i=i: legacy_with(m, i), legacy_run) for i in range(5)},
    **{
        f"pickle-{p}": (lambda m, p=p: pickle.dumps(Payload(m), protocol=p), pickle_run)
        for p in range(6)
    },
    "pickle-resolver": (resolved_name, pickle_run),
    "pickle-instance": (instance_by_hand, pickle_run),
    "tar": (old_tar, tar_run),
    "gzip": (lambda m: gzip.compress(pickle.dumps(Payload(m))),
             lambda c: pickle_run(gzip.decompress(c))),
    "bzip2": (lambda m: bz2.compress(pickle.dumps(Payload(m))),
              lambda c: pickle_run(bz2.decompress(c))),
    "npy": (lambda m: objects(m, np.save), numpy_run),
    "npz": (lambda m: objects(m, np.savez), numpy_run),
    "torchscript-data": (
        lambda m: changed(scripted(small_module()), **{"data.pkl": by_hand(m)}),
        member_run("data.pkl"),
    ),
    "torchscript-constants": (
        lambda m: changed(scripted(small_module()), **{"constants.pkl": by_hand(m)}),
        member_run("constants.pkl"),
    ),
}  # fmt: skip
HARMLESS = {"torchscript-constants"}
"""Constants belong to the program, which is never run: the weights are taken without them."""


def refusal(path: Path) -> EncoderError:
    with pytest.raises(EncoderError) as caught:
        read_file(path)
    text = f"{caught.value.cause} {caught.value.remedy}"
    assert not re.search(r"weights_only|Traceback|npickl|add_safe|File \"|site-packages", text)
    assert str(path.parent) not in text
    return caught.value


def test_s1_there_are_enough_hostile_inputs() -> None:
    assert len(HOSTILE) >= 20


@pytest.mark.parametrize("kind", HOSTILE)
def test_s1_no_payload_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    make, run_naively = HOSTILE[kind]
    marker, path, temporary = tmp_path / "executed", tmp_path / "e.pth", tmp_path / "t"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    content = make(marker)
    path.write_bytes(content)
    if kind in HARMLESS:
        assert set(read_file(path).tensors) == set(small_module().state_dict())
    else:
        error = refusal(path)
        assert kind.split("-")[0] not in ("zip", "legacy") or "crash" not in error.cause
    assert not marker.exists()
    assert list(temporary.iterdir()) == []
    try:  # Control: a loader that does as it is told runs it.
        run_naively(content)
    except Exception:
        assert marker.exists()
    assert marker.exists()


@pytest.mark.parametrize(
    ("kind", "named"),
    [("zip", "posix.mkdir"), ("zip-eval", "builtins.eval"), ("pickle-4", "posix.mkdir"),
     ("pickle-instance", "not an encoder file"), ("zip-resolver", "pkgutil.resolve_name"),
     ("legacy-inside", "posix.mkdir"), ("zip-by-hand", "os.mkdir")],
)  # fmt: skip
def test_s5_what_a_file_asks_to_run_is_named(tmp_path: Path, kind: str, named: str) -> None:
    (tmp_path / "e.pth").write_bytes(HOSTILE[kind][0](tmp_path / "executed"))
    assert named in refusal(tmp_path / "e.pth").cause


@pytest.mark.parametrize(
    "name",
    ["$(mkdir executed).pth", ";mkdir executed;.pth", "`mkdir executed`.pth", "a\nb\x1b[31m.pth",
     "\u202egnp.pth", "x" * 240 + ".pth", "%s%n{0}{name}.pth", "-rf.pth", "asset:x.pth"],
    ids=range(9),
)  # fmt: skip
def test_s1_a_hostile_name_is_only_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(GOOD["zip"]())
    assert torch.equal(
        read_file(tmp_path / name).tensors["conv1.half"], small_state()["conv1.half"]
    )
    (tmp_path / name).write_bytes(b"something else")
    cause = refusal(tmp_path / name).cause
    assert cause.isprintable()
    assert len(cause) < 200
    assert not (tmp_path / "executed").exists()


READ = """
import sys
from pathlib import Path
import torch
from mimic.checkpoint.gate import read_file
from mimic.errors import EncoderError
try:
    read_file(Path(sys.argv[1]))
except EncoderError:
    print("refused", not Path(sys.argv[2]).exists())
torch.load(sys.argv[1])
"""


def test_s3_no_environment_variable_opens_the_gate(tmp_path: Path) -> None:
    marker, path = tmp_path / "executed", tmp_path / "e.pth"
    path.write_bytes(saved({"state_dict": Payload(marker)}))
    variables = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(marker)], env={**os.environ, **variables},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout.split() == ["refused", "True"], done.stderr
    assert marker.exists()  # Control: torch itself obeys the variable.


def test_s3_a_refusal_of_the_loader_is_final(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mimic.parsing import torch_file

    attempts = []

    def refuse(*arguments: Any, **options: Any) -> None:
        attempts.append(options)
        raise pickle.UnpicklingError("retry with weights_only=False")

    monkeypatch.setattr(torch, "load", refuse)
    with pytest.raises(EncoderError) as caught:
        torch_file.load(saved(small_state()), "e.pth")
    assert attempts == [{"map_location": "cpu", "weights_only": True}]
    assert "weights_only" not in str(caught.value)
