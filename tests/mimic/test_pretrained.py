from pathlib import Path
from typing import Any

import pytest
import safetensors.torch

from mimic.config import InspectConfig
from mimic.errors import EncoderError
from mimic.pretrained import locate
from mimic.verbs.execution import perform

SMALL = "resnet10t.c3_in1k"


@pytest.mark.parametrize("name", ["", "../x", "a/b", "resnet18.a1_in1k.x", "A", "x" * 200, "a b"])
def test_s12_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(EncoderError, match="no name"):
        locate(f"timm:{name}", folder=tmp_path, download=True)


def test_s15_nothing_is_fetched_without_being_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimic.pretrained.fetch", lambda *_: pytest.fail("it was fetched"))
    with pytest.raises(EncoderError, match="not in the data folder"):
        locate(f"timm:{SMALL}", folder=tmp_path, download=False)


def test_an_unknown_name_and_a_broken_connection_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: Any) -> str:
        raise ConnectionError("no route to a host at 10.0.0.1")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", offline)
    with pytest.raises(EncoderError, match="knows no pre-trained"):
        locate("timm:nonsense.at_all", folder=tmp_path, download=True)
    with pytest.raises(EncoderError, match="could not be fetched") as caught:
        locate("timm:resnet18.a1_in1k", folder=tmp_path, download=True)
    assert "10.0.0.1" not in f"{caught.value.cause} {caught.value.remedy}"
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu"])
def test_s9_a_fetched_encoder_computes_what_timm_computes_or_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, activation: str
) -> None:
    import timm

    name = "test_vit.r160_in1k"  # Heads of 32 channels, which no tensor tells.
    network = timm.create_model(name, pretrained=False, act_layer=activation)
    network.requires_grad_(False)
    for parameter in network.parameters():
        parameter.normal_(std=0.2)
    safetensors.torch.save_file(network.state_dict(), tmp_path / "hub.safetensors")
    monkeypatch.setattr(
        "huggingface_hub.hf_hub_download", lambda *_: str(tmp_path / "hub.safetensors")
    )
    network.reset_classifier(0)
    monkeypatch.setattr("timm.create_model", lambda *_, **__: network)
    if activation == "gelu":
        found = locate(f"timm:{name}", folder=tmp_path, download=True)
        assert found.heads == 2
        assert locate(f"timm:{name}", folder=tmp_path, download=False) == found
        return
    with pytest.raises(EncoderError, match="other features"):
        locate(f"timm:{name}", folder=tmp_path, download=True)
    assert not list((tmp_path / "timm").iterdir())


def test_a_fetched_encoder_goes_through_the_gate_with_its_own_normalisation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import timm

    asked = []

    def hub(repository: str, file: str) -> str:
        asked.append((repository, file))
        path = tmp_path / "hub.safetensors"
        network = timm.create_model("resnet18", pretrained=False, num_classes=3)
        safetensors.torch.save_file(network.state_dict(), path)
        return str(path)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", hub)
    config = InspectConfig(
        encoder="timm:resnet18.a1_in1k", data_root=str(tmp_path / "data"), download=True,
        input_size=32, test_images=20, probe_images=40,
    )  # fmt: skip
    run = perform("inspect", config, root=tmp_path / "runs")
    again = perform("inspect", config, root=tmp_path / "runs")
    assert asked == [("timm/resnet18.a1_in1k", "model.safetensors")]  # Kept, not fetched twice.
    told = [(r.result() or {})["encoder"] for r in (run, again)]
    assert told[0]["architecture"] == "resnet18"
    assert told[0]["normalization"]["mean"] == [0.485, 0.456, 0.406]
    assert told[0]["sha256"] == told[1]["sha256"] == run.about()["inputs"]["encoder"]["sha256"]
