"""Own data through the verbs: unlabelled sets work where no labels are needed, doubts are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mimic import cli
from tests.conftest import SubjectFiles, picture_set


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """Unlabelled pictures in a folder."""
    folder = tmp_path / "flat"
    folder.mkdir()
    for number, image in enumerate(picture_set(120)[0]):
        Image.fromarray(image).save(folder / f"{number:03}.png")
    return folder


@pytest.fixture
def perform(
    subject_files: SubjectFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:  # fmt: skip
    """Run a verb on the small subject with other images."""
    monkeypatch.setenv("MIMIC_RUNS", str(tmp_path / "runs"))

    def run(verb: str, data: Path, *more: str) -> tuple[int, dict[str, Any]]:
        options = [*subject_files.options(), "--data", str(data), "--target-class", "-1", *more]
        code = cli.main([verb, *options, "--json"])
        return code, json.loads(capsys.readouterr().out.strip().splitlines()[-1])

    return run


SMALL = ["--image-size", "16"]
VERBS = {
    "inspect": (),
    "information": (
        "--critic-epochs",
        "2",
        "--clean-fraction",
        "0.4",
        "--networks",
        "teacher",
        "--pairs",
        "64",
        "--layers",
        "layer4",
    ),
    "distill": ("--clean-fraction", "0.3", "--epochs", "1", "--information", "uniform"),
    "embed": ("--points", "12", "--projections", "pca", "--layers", "features"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_flat_folder_serves_every_verb_that_needs_no_labels(
    perform: Any, flat: Path, verb: str
) -> None:
    code, told = perform(verb, flat, *SMALL, *VERBS[verb])
    assert code == 0, told
    if verb == "inspect":
        assert told["data"]["class_counts"] == []
        assert told["data"]["shape"] == [16, 16, 3]
    if verb == "embed":
        assert told["numbers"]["features"]["before"]["silhouette"] is not None
        assert told["numbers"]["features"]["before"]["same_class_neighbours"] is None
    if verb != "embed" and "scores" in told:
        assert told["scores"]["teacher"] is None


@pytest.mark.parametrize("verb", ["inspect", "distill", "embed"])
def test_s9_a_single_class_counts_as_unlabelled_and_is_told(
    perform: Any, tmp_path: Path, verb: str
) -> None:
    path = tmp_path / "one.npz"
    np.savez(path, x=picture_set(120)[0], y=np.full(120, 2))
    code, told = perform(verb, path, *VERBS[verb])
    assert code == 0, told
    assert any("of one class" in sentence for sentence in told["warnings"])


def test_s9_doubts_about_the_images_stand_in_the_result(perform: Any, tmp_path: Path) -> None:
    images, labels = picture_set(120)
    path = tmp_path / "odd.npz"
    doubled = np.concatenate([images, images]).transpose(0, 3, 1, 2) / 255
    np.savez(path, x=doubled, y=np.concatenate([labels, labels]))
    code, told = perform("inspect", path)
    assert code == 0, told
    said = " ".join(told["warnings"])
    for part in ("channels first", "multiplied by 255", "among its training images too"):
        assert said.count(part) == 1, said
    assert sum(told["data"]["class_counts"]) == told["data"]["images"] == 192


def test_image_files_are_read_at_the_size_the_encoder_needs(
    perform: Any, flat: Path, subject_files: SubjectFiles
) -> None:
    code, told = perform("inspect", flat, "--encoder", str(subject_files.twin))
    assert code == 0, told
    assert told["data"]["shape"] == [16, 16, 3]


def test_s12_a_verb_reads_nothing_outside_the_lent_folders(
    perform: Any, flat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lent").mkdir()
    monkeypatch.setenv("MIMIC_ROOTS", str(tmp_path / "lent"))
    code, told = perform("inspect", flat)
    assert code != 0
    assert "outside the folders" in json.dumps(told)
