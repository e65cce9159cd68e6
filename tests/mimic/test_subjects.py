import json
import subprocess
from pathlib import Path

import pytest

from mimic.config import SubjectConfig, resolve_path
from mimic.errors import ConfigError
from mimic.subjects import builtin_subjects, subject_fields


def test_every_built_in_subject_names_files_that_exist() -> None:
    subjects = builtin_subjects()
    assert "demo" in subjects
    for name, described in subjects.items():
        config = SubjectConfig(**subject_fields(name))
        assert described["title"]
        for path in (config.encoder, config.clean_twin, config.trigger):
            if path and not path.startswith("square:"):
                assert resolve_path(path).is_file(), path


def test_a_subject_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "subject.json"
    path.write_text(json.dumps({"title": "Mine", "description": "", "encoder": "e.pth"}))
    assert subject_fields(str(path)) == {"encoder": "e.pth"}


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '"demo"', '{"colour": 1}', '{"seed": 1}'])
def test_malformed_subjects_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "subject.json"
    path.write_text(content)
    with pytest.raises(ConfigError):
        subject_fields(str(path))


@pytest.mark.parametrize("name", ["", "absent", "../demo", "demo/subject", "/"])
def test_unknown_subjects_are_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError, match=r"Built in are .*demo"):
        subject_fields(name)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "subject.json"
    path.write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(ConfigError):
        subject_fields(str(path))


def test_git_carries_the_demo_with_its_finished_runs() -> None:
    root = Path(__file__).resolve().parents[2]
    listed = subprocess.run(
        ["git", "check-ignore", "assets/demo/runs/demo-distill/result.json"], cwd=root, check=False,
        capture_output=True,
    )  # fmt: skip
    assert listed.returncode in (1, 128)  # not ignored, or no git here
    for kind in ("inspect", "information", "distill", "embed"):
        assert (root / "assets/demo/runs" / f"demo-{kind}" / "result.json").is_file()
