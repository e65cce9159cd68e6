"""``inspect FILE ...``: one JSON object per file, exit status 2 if any is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mimic.cli import main
from tests.mimic.checkpoint.published import PUBLISHED, make, numbered, wrap

PROMISED = {
    "accepted", "reason", "warnings", "architecture", "feature_dim", "input_size", "sha256",
    "match",
}  # fmt: skip


def inspected(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[Any], str]:
    """Exit status, JSON objects of standard output, and standard error."""
    code = main(["inspect", *arguments, "--json"])
    out, err = capsys.readouterr()
    return code, [json.loads(line) for line in out.splitlines()], err


def test_good_files_are_described_one_per_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for layout in ("A", "J", "timm-vit"):
        PUBLISHED[layout].write(tmp_path / layout)
    code, found, err = inspected(capsys, *(str(tmp_path / x) for x in ("A", "J", "timm-vit")))
    assert (code, err) == (0, "")
    assert [f["family"]["id"] for f in found] == ["A", "J", "timm-vit"]
    assert [f["architecture"] for f in found] == ["resnet18", "resnet18", "vit"]
    assert [(f["feature_dim"], f["input_size"]) for f in found] == [(16, 32), (16, 224), (64, 32)]
    for one in found:
        assert set(one) >= PROMISED
        assert one["accepted"]
        assert one["reason"] is None
        assert set(one["match"]) == {"matched", "ignored", "missing", "mismatched"}
        assert [layer["name"] for layer in one["layers"]] == [
            "stem", "layer1", "layer2", "layer3", "layer4",
        ]  # fmt: skip
        assert "safe" not in json.dumps({k: v for k, v in one.items() if k != "layout"})
    maps = [(x["channels"], x["height"], x["width"]) for x in found[0]["layers"]]
    assert maps == [(2, 32, 32), (2, 32, 32), (4, 16, 16), (8, 8, 8), (16, 4, 4)]


def test_one_refused_file_among_good_ones_gives_status_2_and_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    PUBLISHED["A"].write(tmp_path / "good")
    state = numbered("f.f.", make().state_dict())
    state.pop("f.f.4.0.conv1.weight")
    torch.save(wrap(state), tmp_path / "part")
    (tmp_path / "text").write_text("hello " * 100)
    names = ("good", "part", "text", "absent")
    code, found, err = inspected(capsys, *(str(tmp_path / name) for name in names))
    assert (code, err) == (2, "")
    assert [one["accepted"] for one in found] == [True, False, False, False]
    assert found[1]["match"]["missing"] == ["layer2.0.conv1.weight"]
    assert found[2]["match"] is None
    assert found[3]["sha256"] is None
    for one in found[1:]:
        assert set(one) >= PROMISED
        assert one["reason"] == f"{one['cause']} {one['remedy']}"
        assert str(tmp_path) not in one["reason"]
        assert "Traceback" not in one["reason"]


def test_the_readable_table_tells_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    PUBLISHED["J"].write(tmp_path / "good\x1b[31m")
    torch.save(wrap({"conv1.weight": torch.zeros(3)}), tmp_path / "bad")
    assert main(["inspect", str(tmp_path / "good\x1b[31m"), str(tmp_path / "bad")]) == 2
    out = capsys.readouterr().out
    assert "accepted" in out
    assert "refused" in out
    assert "MoCo v2" in out
    assert "momentum twin" in out
    assert "no code found and none run; read as weights only" in out
    assert "\x1b" not in out


def test_options_hold_for_files_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    PUBLISHED["N-moco"].write(tmp_path / "e")
    _, (found,), _ = inspected(
        capsys, str(tmp_path / "e"), "--max-pool", "yes", "--input-size", "96",
        "--normalization", "clip",
    )  # fmt: skip
    assert found["max_pool"] == {"value": True, "source": "given by hand"}
    assert found["input_size"] == 96
    assert found["normalization"]["source"] == "preset clip"
    assert [layer["height"] for layer in found["layers"]] == [48, 48, 24, 12, 6]


def test_s12_a_path_outside_the_lent_folders_is_one_refusal_among_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lent, good = tmp_path / "lent", tmp_path / "lent" / "good.pth"
    lent.mkdir()
    torch.save(make().state_dict(), good)
    torch.save(make().state_dict(), tmp_path / "outside.pth")
    monkeypatch.setenv("MIMIC_ROOTS", str(lent))
    assert main(["inspect", str(tmp_path / "outside.pth"), str(good), "a\0b", "--json"]) == 2
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [t["accepted"] for t in told] == [False, True, False]
    assert all(t["cause"] and t["remedy"] for t in told if not t["accepted"])
