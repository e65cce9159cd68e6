"""Every verb takes encoders of every kind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch

from mimic.checkpoint import save_encoder
from mimic.cli import main
from mimic.encoder import Architecture, Encoder
from mimic.preprocessing import parse_normalization
from tests.conftest import SubjectFiles
from tests.mimic.encoder.conftest import KINDS, side

NEW = [kind for kind in KINDS if kind != "resnet"]
Cli = Callable[..., dict[str, Any]]


@pytest.fixture(params=NEW)
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return KINDS[request.param]


@pytest.fixture
def cli(
    encoder: Encoder,
    architecture: Architecture,
    subject_files: SubjectFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Cli:
    """Runs verbs on a file of an encoder of the architecture and returns their results."""
    normalization = parse_normalization("imagenet")
    file = tmp_path / "suspect.safetensors"
    save_encoder(
        file, encoder, head=None, normalization=normalization, input_size=side(architecture)
    )

    def run(verb: str, *options: str) -> dict[str, Any]:
        capsys.readouterr()
        subject = subject_files.options()
        subject[1] = str(file)
        code = main([verb, *subject, *options, "--root", str(tmp_path / "runs"), "--json"])
        shown = capsys.readouterr()
        assert code == 0, shown.err
        answer: dict[str, Any] = json.loads(shown.out.strip().split("\n")[-1])
        return answer

    return run


def test_students_are_distilled_placed_and_scored(cli: Cli, architecture: Architecture) -> None:
    done = cli(
        "distill", "--epochs", "8", "--clean-fraction", "0.2", "--batch-size", "16",
        "--information", "uniform", "--learning-rate", "0.001", "--layers", "stem", "layer1",
        "layer2", "layer3", "layer4",
    )  # fmt: skip
    folder = Path(done["directory"])
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    trained = [line for line in lines if line["epoch"] > 0]
    assert len(trained) == 8
    for line in trained:
        assert all(np.isfinite(list(line["attention_by_layer"].values())))
        assert line["attention_by_layer"]["layer2"] > 0
        assert line["agreement"] is None or -1e-6 <= line["agreement"] <= 1
    assert trained[-1]["loss"] < trained[0]["loss"]
    placed = cli("embed", "--student", done["run"], "--points", "30", "--projections", "pca")
    arrays = np.load(Path(placed["directory"]) / "arrays" / "layer2-pca.npz", allow_pickle=False)
    assert all(np.isfinite(arrays[name]).all() for name in arrays)


def test_layers_are_measured_and_described(cli: Cli, architecture: Architecture) -> None:
    layers = cli("inspect")["encoder"]["layers"]
    assert [layer["name"] for layer in layers] == ["stem", "layer1", "layer2", "layer3", "layer4"]
    assert all(layer["parameters"] > 0 for layer in layers)
    if architecture.kind == "vit":
        assert {(layer["height"], layer["channels"]) for layer in layers} == {(4, 32)}
    measured = cli(
        "information", "--clean-fraction", "0.4", "--pairs", "60", "--critic-epochs", "2",
        "--networks", "teacher", "random",
    )  # fmt: skip
    for curve in measured["curves"]:
        assert set(curve["layers"]) >= {"layer1", "layer2", "layer3", "layer4"}
        assert all(np.isfinite(value) and value >= 0 for value in curve["layers"].values())


@pytest.mark.parametrize(
    ("options", "layer"),
    [
        (["--architecture", "vit", "--width", "16", "--depth", "4"], "blocks.3.mlp.fc2.weight"),
        (["--architecture", "clip_resnet50", "--width", "2", "--input-size", "32"],
         "attnpool.c_proj.weight"),
    ],
)  # fmt: skip
def test_clean_encoders_of_new_kinds_are_trained(
    options: list[str],
    layer: str,
    subject_files: SubjectFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["pretrain", "--data", str(subject_files.data), "--epochs", "1", "--images", "24",
               "--batch-size", "12", "--device", "cpu", *options]  # fmt: skip
    assert main([*command, "--root", str(tmp_path), "--json"]) == 0
    done = json.loads(capsys.readouterr().out.strip().split("\n")[-1])
    assert done["badencoder_file"] is None
    assert np.isfinite(done["contrastive"])
    tensors = safetensors.torch.load_file(Path(done["directory"]) / done["encoder_file"])
    assert np.isfinite(tensors[layer].numpy()).all()


@pytest.mark.parametrize(
    "options",
    [["--architecture", "vit", "--patch", "5"], ["--architecture", "vit", "--depth", "2"],
     ["--architecture", "clip_resnet50"], ["--architecture", "vgg"], ["--input-size", "-1"]],
)  # fmt: skip
def test_encoders_that_cannot_be_built_are_refused_in_a_sentence(
    options: list[str],
    subject_files: SubjectFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["pretrain", "--data", str(subject_files.data), "--device", "cpu", *options]
    assert main([*command, "--root", str(tmp_path), "--json"]) != 0
    shown = capsys.readouterr()
    assert "Choose" in shown.err
    assert "Traceback" not in shown.err
