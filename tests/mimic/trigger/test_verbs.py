"""Triggers in whole runs: doubts reach the result, files are recorded, attacks keep their kind."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mimic.cli import main
from mimic.run import Run
from mimic.trigger import FrequencyTrigger, RandomPatchTrigger, Trigger
from tests.conftest import SubjectFiles


def run(
    capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str
) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main([*arguments, "--root", str(folder / "runs"), "--json"])
    return code, json.loads(capsys.readouterr().out.strip().split("\n")[-1])


def test_s9_doubts_about_a_trigger_stand_beside_the_figures(
    subject_files: SubjectFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(subject_files.trigger, allow_pickle=False) as stored:
        np.savez(tmp_path / "inverted.npz", t=stored["t"] / 255, tm=1 - stored["tm"])
    options = [*subject_files.options(), "--trigger"]
    _, expected = run(capsys, tmp_path, "inspect", *options, str(subject_files.trigger))
    code, told = run(capsys, tmp_path, "inspect", *options, str(tmp_path / "inverted.npz"))
    assert code == 0
    assert told["scores"] == expected["scores"]
    assert told["trigger"] == expected["trigger"]
    doubts = [w for w in told["warnings"] if w not in expected["warnings"]]
    assert len(doubts) == 2
    assert "inverted" in doubts[0]
    assert "multiplied by 255" in doubts[1]


def test_s8_the_picture_a_trigger_is_made_from_is_recorded(
    subject_files: SubjectFiles, patch_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*subject_files.options(), "--trigger", f"blend:{patch_png}:0.3"]
    code, told = run(capsys, tmp_path, "inspect", *options)
    assert code == 0
    assert told["trigger"]["kind"] == "blend"
    assert told["trigger"]["share"] > 0.9
    recorded = Run(Path(told["directory"])).about()["inputs"]["trigger"]
    assert recorded["sha256"] == hashlib.sha256(patch_png.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["frequency", "random-patch"])
def test_an_attack_writes_its_trigger_whatever_the_kind(
    texts: dict[str, str],
    subject_files: SubjectFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    code, told = run(
        capsys, tmp_path, "attack", "--encoder", str(subject_files.twin), "--data",
        str(subject_files.data), "--trigger", texts[kind], "--epochs", "1", "--batch-size", "160",
        "--device", "cpu", "--precision", "float32",
    )  # fmt: skip
    assert code == 0
    written = Trigger.load(Path(told["directory"]) / told["trigger_file"])
    made = Trigger.from_text(texts[kind], image_size=16)
    assert isinstance(written, FrequencyTrigger | RandomPatchTrigger)
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype(np.uint8)
    np.testing.assert_array_equal(written.apply(images), made.apply(images))


WORK = {
    "inspect": "mimic.verbs.inspect.settle_max_pool",
    "information": "mimic.verbs.information.measure_layers",
    "distill": "mimic.verbs.distill.make_plan",
}
"""What each verb takes time for first."""


@pytest.mark.parametrize("given", ["square:14:14:5", "large.npz"])
@pytest.mark.parametrize("verb", WORK)
def test_a_trigger_that_does_not_fit_is_refused_before_any_long_work(
    subject_files: SubjectFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, verb: str, given: str,
) -> None:  # fmt: skip
    if given == "large.npz":
        given = str(tmp_path / given)
        Trigger.square(row=20, column=20, size=8, image_size=32).save(Path(given))
    monkeypatch.setattr(WORK[verb], lambda *_, **__: pytest.fail("work was begun"))
    clean = [] if verb == "inspect" else ["--clean-fraction", "0.5"]
    code, told = run(
        capsys, tmp_path, verb, *subject_files.options(), "--trigger", given, *clean
    )  # fmt: skip
    assert code == 1
    assert "16x16" in told["error"]
    assert told["remedy"].startswith("Choose a ")
