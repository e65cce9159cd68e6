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
from torch import nn

from mimic.checkpoint import (
    load_encoder,
    save_badencoder,
    save_encoder,
    save_in_layout,
)
from mimic.encoder import Architecture, Encoder, ProjectionHead, build_encoder
from mimic.errors import EncoderError
from mimic.preprocessing import parse_normalization

State = dict[str, torch.Tensor]
NUMBERS = {"conv1": "0", "bn1": "1", "layer1": "3", "layer2": "4", "layer3": "5", "layer4": "6"}


def make(seed: int = 0, name: str = "resnet18", stem: str = "cifar") -> Encoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = build_encoder(Architecture(name, width=2, stem=stem))  # type: ignore[arg-type]
        for key, buffer in encoder.named_buffers():
            if key.endswith("running_mean"):
                buffer.normal_()
    return encoder.eval()


def make_head(seed: int = 0) -> ProjectionHead:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ProjectionHead(16, 8)


def prefixed(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


def numbered(prefix: str, state: State) -> State:
    parts = {key: key.partition(".") for key in state}
    return {f"{prefix}{NUMBERS[parts[k][0]]}.{parts[k][2]}": v for k, v in state.items()}


def shortcuts(state: State) -> State:
    return {key.replace(".downsample.", ".shortcut."): value for key, value in state.items()}


def wrap(state: State, **more: Any) -> dict[str, Any]:
    return {"epoch": 200, "state_dict": state, "optimizer": {"state": {}}, **more}


def scheduler_state() -> dict[str, Any]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5, 5]).state_dict()


def layouts(own: State, twin: State) -> dict[str, Any]:
    """Public checkpoints' key names; ``twin`` stands for weights that must not be taken."""
    head = make_head().state_dict()
    fc = {"fc.weight": torch.zeros(1000, 16), "fc.bias": torch.zeros(1000)}
    mlp = {"fc.0.weight": torch.zeros(16, 16), "fc.2.weight": torch.zeros(8, 16)}
    queue = {"queue": torch.zeros(8, 64), "queue_ptr": torch.zeros(1, dtype=torch.long)}
    byol = {
        **prefixed("backbone.", shortcuts(own)),
        **prefixed("backbone_k.", shortcuts(twin)),
        **prefixed("encoder_k.0.", shortcuts(twin)),
        **prefixed("encoder_q.0.", shortcuts(own)),
    }
    moco = {**prefixed("encoder_k.", twin | mlp), **prefixed("encoder_q.", own | mlp), **queue}
    return {
        "A": wrap(numbered("f.f.", own) | prefixed("g.", head)),
        "B": wrap(numbered("f.", own)),
        "C": {"state_dict": own | fc},
        "D": wrap(prefixed("visual.", own | fc)),
        "H": wrap(prefixed("backbone.", shortcuts(own))
                  | {"proj_head.0.weight": torch.zeros(16, 16)}),
        "H-parallel": wrap(prefixed("module.backbone.", shortcuts(own))),
        "I": wrap(byol),
        "J": wrap(prefixed("module.", moco), arch="resnet18"),
        "K": prefixed("model_t.module.", twin) | prefixed("head_t.", head)
        | prefixed("model.module.", own) | prefixed("head.", head) | prefixed("pred.", head),
        "L": wrap(prefixed("module.", own | fc), best_acc1=71.5, lr_scheduler=scheduler_state()),
        "M": {"epoch": 1, "network": own | prefixed("_feature_blocks.0.", {
            "conv1.weight": torch.zeros(2, 3, 3, 3)}) | {"fc.1.weight": torch.zeros(4, 16)}},
        "N": wrap(prefixed("module.encoder.", own), arch="resnet18"),
        "P": numbered("f.f.", own) | {"c.fc1.weight": torch.zeros(8, 16)},
        "torchvision": own | fc,
        "model": {"model": own}, "model_state_dict": {"model_state_dict": own},
    }  # fmt: skip


LAYOUTS = list(layouts({"conv1.weight": torch.zeros(1)}, {"conv1.weight": torch.zeros(1)}))


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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_public_layouts_give_the_backbone_and_nothing_else(tmp_path: Path, layout: str) -> None:
    own, twin = make(0), make(1)
    path = tmp_path / "checkpoint.pth.tar"
    torch.save(layouts(own.state_dict(), twin.state_dict())[layout], path)
    loaded = load_encoder(path)
    assert loaded.encoder.architecture == own.architecture
    for key, value in own.state_dict().items():
        assert torch.equal(loaded.encoder.state_dict()[key], value), key
    assert torch.equal(features(loaded.encoder), features(own))
    assert not loaded.encoder.training
    assert not any(p.requires_grad for p in loaded.encoder.parameters())


@pytest.mark.parametrize("name", ["resnet10", "resnet34", "resnet50"])
@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_depth_and_stem_are_recognised_from_the_weights(
    tmp_path: Path, name: str, stem: str
) -> None:
    own = make(name=name, stem=stem)
    torch.save(wrap(prefixed("visual.", own.state_dict())), tmp_path / "e.pth")
    loaded = load_encoder(tmp_path / "e.pth")
    assert loaded.encoder.architecture == own.architecture
    assert torch.equal(features(loaded.encoder), features(own))
    assert loaded.input_size == (224 if stem == "imagenet" else None)
    usual = parse_normalization("imagenet" if stem == "imagenet" else "cifar10")
    assert loaded.normalization.mean == usual.mean
    assert "assumed" in loaded.normalization.source


def test_half_precision_and_old_style_files_are_read_as_float32(tmp_path: Path) -> None:
    own = make()
    half = {k: v.half() if v.is_floating_point() else v for k, v in own.state_dict().items()}
    torch.save(half, tmp_path / "half.pth", _use_new_zipfile_serialization=False)
    loaded = load_encoder(tmp_path / "half.pth")
    for key, value in loaded.encoder.state_dict().items():
        assert torch.equal(value, half[key].to(value.dtype))
    assert {p.dtype for p in loaded.encoder.parameters()} == {torch.float32}


def test_files_without_batch_counters_are_complete(tmp_path: Path) -> None:
    own = {k: v for k, v in make().state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save(own, tmp_path / "e.pth")
    assert torch.equal(features(load_encoder(tmp_path / "e.pth").encoder), features(make()))


def test_safetensors_keep_weights_head_and_preprocessing(tmp_path: Path) -> None:
    own, head, path = make(), make_head(), tmp_path / "any-name.bin"
    normalization = parse_normalization("0.1,0.2,0.3/0.4,0.5,0.6")
    save_encoder(
        path, own, head=head, normalization=normalization, input_size=24, card={"made": "here"}
    )
    loaded = load_encoder(path)
    assert torch.equal(features(loaded.encoder), features(own))
    assert loaded.normalization.mean == normalization.mean
    assert loaded.normalization.std == normalization.std
    assert loaded.normalization.source == "stored in the file"
    assert loaded.preprocessing.input_size == 24
    assert loaded.head is not None
    for key, value in head.state_dict().items():
        assert torch.equal(loaded.head.state_dict()[key], value), key
    by_hand = load_encoder(path, normalization="clip")
    assert by_hand.normalization.mean == parse_normalization("clip").mean


def test_safetensors_without_head_or_size_are_read(tmp_path: Path) -> None:
    none = parse_normalization("none")
    save_encoder(tmp_path / "e", make(), head=None, normalization=none, input_size=None)
    loaded = load_encoder(tmp_path / "e")
    assert loaded.head is None
    assert loaded.input_size is None


def test_badencoders_layout_round_trips_with_its_exact_key_names(tmp_path: Path) -> None:
    own, head, path = make(), make_head(), tmp_path / "model_200.pth"
    save_badencoder(path, own, head, epoch=200)
    stored = torch.load(path, weights_only=True)
    assert set(stored) == {"epoch", "state_dict", "optimizer"}
    assert stored["epoch"] == 200
    expected = numbered("f.f.", own.state_dict()) | prefixed("g.", head.state_dict())
    assert set(stored["state_dict"]) == set(expected)
    loaded = load_encoder(path)
    assert torch.equal(features(loaded.encoder), features(own))
    assert loaded.head is not None
    assert torch.equal(loaded.head[3].bias, head[3].bias)
    assert "f.f." in loaded.layout


@pytest.mark.parametrize("number_format", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("layout", ["A", "D"])
def test_a_student_written_in_the_suspects_layout_fits_its_place_exactly(
    tmp_path: Path, layout: str, number_format: torch.dtype
) -> None:
    suspect, student, student_head = make(0), make(1), make_head(1)
    original = layouts(suspect.state_dict(), suspect.state_dict())[layout]
    for key, value in original["state_dict"].items():
        if value.is_floating_point():
            original["state_dict"][key] = value.to(number_format)
    torch.save(original, tmp_path / "suspect.pth")
    like = load_encoder(tmp_path / "suspect.pth")
    save_in_layout(tmp_path / "student.pth", student, student_head, like)
    written = torch.load(tmp_path / "student.pth", weights_only=True)
    assert set(written) == set(original)
    assert written["epoch"] == 200
    kept = {k: v for k, v in original["state_dict"].items() if "fc." not in k}
    assert {k: (v.shape, v.dtype) for k, v in written["state_dict"].items()} == {
        k: (v.shape, v.dtype) for k, v in kept.items()
    }
    cleaned = load_encoder(tmp_path / "student.pth")
    rounded = {
        k: v.to(number_format).float() if v.is_floating_point() else v
        for k, v in student.state_dict().items()
    }
    for key, value in cleaned.encoder.state_dict().items():
        assert torch.equal(value, rounded[key]), key


def test_nothing_of_the_suspect_travels_along_into_the_students_file(tmp_path: Path) -> None:
    suspect, student = make(0), make(1)
    torch.save(layouts(suspect.state_dict(), suspect.state_dict())["J"], tmp_path / "suspect.pth")
    like = load_encoder(tmp_path / "suspect.pth")
    save_in_layout(tmp_path / "student.pth", student, None, like)
    written = torch.load(tmp_path / "student.pth", weights_only=True)["state_dict"]
    assert set(written) == set(prefixed("module.encoder_q.", student.state_dict()))
    own = suspect.conv1.weight
    assert not any(v.shape == own.shape and torch.equal(v, own) for v in written.values())


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
    path, encoder = tmp_path / "scripted.pt", make(name="resnet10")
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


def broken(change: Callable[[State], object]) -> State:
    state = dict(make().state_dict())
    change(state)
    return state


def spoil(state: State, value: float) -> None:
    state["layer2.0.conv1.weight"] = state["layer2.0.conv1.weight"].clone()
    state["layer2.0.conv1.weight"].view(-1)[3] = value


BROKEN: dict[str, tuple[Callable[[State], object], str]] = {
    "missing": (lambda s: s.pop("layer3.1.bn2.running_var"), "lacks layer3.1.bn2.running_var"),
    "extra": (
        lambda s: s.update({"layer1.0.conv9.weight": torch.zeros(1)}),
        "unknown layer1.0.conv9.weight",
    ),
    "extra-block": (
        lambda s: s.update({"layer1.2.conv1.weight": torch.zeros(2, 2, 3, 3)}),
        "not supported",
    ),
    "shape": (
        lambda s: s.update({"layer4.0.conv2.weight": torch.zeros(16, 16, 1, 1)}),
        "mis-shaped layer4.0.conv2.weight",
    ),
    "nan": (lambda s: spoil(s, float("nan")), "not finite, for example in layer2.0.conv1.weight"),
    "infinite": (lambda s: spoil(s, float("inf")), "not finite"),
    "grey-stem": (lambda s: s.update({"conv1.weight": torch.zeros(2, 1, 3, 3)}), "not supported"),
    "odd-stem": (lambda s: s.update({"conv1.weight": torch.zeros(2, 3, 5, 5)}), "not supported"),
    "flat-stem": (lambda s: s.update({"conv1.weight": torch.zeros(2)}), "not supported"),
    "no-stem": (lambda s: s.pop("conv1.weight"), "No residual encoder"),
    "wide-stem": (lambda s: s.update({"conv1.weight": torch.zeros(4, 3, 3, 3)}), "mis-shaped"),
    "no-width": (lambda s: s.update({"conv1.weight": torch.zeros(0, 3, 3, 3)}), ""),
    "sparse": (
        lambda s: s.update({"layer1.0.conv1.weight": torch.zeros(2, 2, 3, 3).to_sparse()}), "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_weights_that_do_not_fill_the_network_are_refused_with_the_reason(
    tmp_path: Path, kind: str
) -> None:
    change, reason = BROKEN[kind]
    torch.save(broken(change), tmp_path / "e.pth")
    assert reason in assert_refused(tmp_path / "e.pth").cause


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
