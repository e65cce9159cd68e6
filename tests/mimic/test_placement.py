import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mimic.cli import main
from mimic.errors import TriggerError
from mimic.run import Run
from mimic.trigger import PatchTrigger, Trigger
from mimic.verbs.placement import MOST_POSITIONS, grid, success
from tests.conftest import SubjectFiles

Command = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["placement", *arguments, "--root", str(tmp_path / "runs"), "--json"])
        return code, json.loads(capsys.readouterr().out.strip().split("\n")[-1])

    return run


def test_every_position_is_answered_as_the_evaluation_would(
    cli: Command, subject_files: SubjectFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = cli(
        *subject_files.options(), "--clean-twin", str(subject_files.twin), "--images", "6",
        "--stride", "2",
    )  # fmt: skip
    assert code == 0
    assert told["rows"] == told["columns"] == [0, 2, 4, 6, 8, 10]
    assert told["trained_place"] == [10, 10]
    arrays = Run(Path(told["directory"])).arrays("placement") or {}
    assert arrays["answers"].shape == arrays["confidence"].shape == (6, 6, 6)
    assert arrays["images"].shape == (6, 16, 16, 3)
    assert arrays["sticker"].shape == (5, 5, 4)
    assert (arrays["labels"] != 1).all()
    assert told["asr_by_position"][5][5] == told["trained"]["looked_at"]["asr"]

    # At the trained place all images are counted that evaluate counts, so both agree.
    main(["evaluate", *subject_files.options(), "--root", str(tmp_path / "runs"), "--json"])
    judged = json.loads(capsys.readouterr().out.strip().split("\n")[-1])["probes"]["linear"]
    assert judged["teacher"]["stamped_images"] == told["scored_images"]
    assert judged["teacher"]["asr"] == pytest.approx(told["trained"]["looked_at"]["asr"])
    assert judged["teacher"]["accuracy"] == told["accuracy"]


def test_the_floor_is_the_twins_map(cli: Command, subject_files: SubjectFiles) -> None:
    options = [*subject_files.options(), "--stride", "5"]
    _, beside = cli(*options, "--clean-twin", str(subject_files.twin))
    _, alone = cli(*options, "--student", str(subject_files.twin))
    assert alone["looked_at"] == "student"
    assert alone["floor_by_position"] is None
    assert beside["floor_by_position"] == alone["asr_by_position"]


@pytest.mark.parametrize("trigger", ["ctrl:50:16", "sig:20:6", ""])
def test_a_trigger_without_a_place_is_refused(
    cli: Command, subject_files: SubjectFiles, trigger: str
) -> None:
    options = subject_files.options()
    options[options.index("--trigger") + 1] = trigger
    code, told = cli(*options)
    assert code == 1
    assert "placed" in told["error"] or "has no place" in told["error"]
    assert "square:ROW:COLUMN:SIZE" in told["remedy"]


def test_a_moved_patch_is_the_patch_stamped_there() -> None:
    rng = np.random.default_rng(0)
    picture = np.concatenate(
        [rng.integers(1, 255, (3, 4, 3)), 255 * (rng.random((3, 4, 1)) > 0.3)], axis=2
    ).astype(np.uint8)
    picture[0, 0, 3] = picture[2, 3, 3] = 255  # so that the box is the whole picture
    here = PatchTrigger.placed(picture, row=1, column=2, image_size=12)
    there = PatchTrigger.placed(picture, row=7, column=5, image_size=12)
    moved = here.moved(7, 5)
    assert here.box == (1, 2, 3, 4)
    assert moved.box == (7, 5, 3, 4)
    assert (moved.mask == there.mask).all()
    assert (moved.patch == there.patch).all()
    assert (moved.cutout()[..., 3] == picture[..., 3]).all()
    with pytest.raises(TriggerError, match="does not lie within 12x12"):
        here.moved(10, 0)


def test_positions_hold_the_trained_place_and_stay_few() -> None:
    rows, columns = grid(Trigger.square(row=3, column=50, size=5, image_size=64), 0)
    assert len(rows) * len(columns) <= MOST_POSITIONS
    assert 3 in rows
    assert 50 in columns
    fine, _ = grid(Trigger.square(row=3, column=50, size=5, image_size=64), 1)
    assert fine == tuple(range(60))


def test_success_counts_each_position_by_itself() -> None:
    answers = np.array([[[1, 1, 0], [0, 0, 0]]])
    assert success(answers, np.array([0, 2, 2]), target=1).tolist() == [[2 / 3, 0.0]]
