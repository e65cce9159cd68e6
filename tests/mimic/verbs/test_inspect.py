"""The ``inspect`` and ``distill`` verbs on published files: variants, health, exports, card."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from mimic.checkpoint import load_encoder
from mimic.config import DistillConfig, InspectConfig
from mimic.errors import MimicError
from mimic.run import Run
from mimic.verbs import perform
from mimic.verbs.files import inspect_file
from mimic.verbs.inspect import judge_health
from mimic.verbs.model_card import figures, plain, without_folder
from tests.conftest import TRIGGER, SubjectFiles
from tests.mimic.checkpoint.published import PUBLISHED, make, numbered, wrap

COMMON: dict[str, Any] = {
    "trigger": TRIGGER, "target_class": 1, "probe_images": 96, "test_images": 40, "device": "cpu",
    "precision": "float32",
}  # fmt: skip


def outcome(run: Run) -> dict[str, Any]:
    result = run.result()
    assert result is not None
    return result


def test_both_readings_of_an_unclear_stem_are_scored_and_the_better_is_used(
    tmp_path: Path, subject_files: SubjectFiles
) -> None:
    path = tmp_path / "moco.pth"
    PUBLISHED["N-moco"].write(path)
    config = InspectConfig(encoder=str(path), data=str(subject_files.data), **COMMON)
    result = outcome(perform("inspect", config, root=tmp_path / "runs"))
    tried = {one["max_pool"]: one for one in result["variants"]}
    assert set(tried) == {"yes", "no"}
    best = max(tried, key=lambda answer: tried[answer]["knn_accuracy"])
    chosen = next(answer for answer, one in tried.items() if one["chosen"])
    assert tried[chosen]["knn_accuracy"] == tried[best]["knn_accuracy"]
    assert result["encoder"]["max_pool"]["value"] == (chosen == "yes")
    assert result["encoders"]["encoder"]["max_pool"] == result["encoder"]["max_pool"]
    stem = next(x for x in result["encoder"]["layers"] if x["name"] == "stem")
    assert stem["height"] == (8 if chosen == "yes" else 16)
    asked = dataclasses.replace(config, max_pool=chosen)
    again = outcome(perform("inspect", asked, root=tmp_path / "runs"))
    assert again["variants"] == []
    assert again["health"] == result["health"]
    assert again["encoder"]["max_pool"]["source"] == "given by hand"


def test_s9_a_file_that_does_not_fill_the_network_leaves_its_report_in_the_run(
    tmp_path: Path, subject_files: SubjectFiles
) -> None:
    state = numbered("f.f.", make().state_dict())
    state.pop("f.f.4.0.conv1.weight")
    torch.save(wrap(state), tmp_path / "e")
    config = InspectConfig(encoder=str(tmp_path / "e"), data=str(subject_files.data), **COMMON)
    with pytest.raises(MimicError, match=r"lacks layer2\.0\.conv1\.weight"):
        perform("inspect", config, root=tmp_path / "runs")
    (folder,) = (tmp_path / "runs").glob("*inspect*")
    report = Run.open(folder).read_json("match.json")
    assert report is not None
    assert report["missing"] == ["layer2.0.conv1.weight"]


def test_a_distillation_exports_the_suspects_layout_and_a_card(
    tmp_path: Path, subject_files: SubjectFiles
) -> None:
    path = tmp_path / "suspect.pth"
    PUBLISHED["I"].write(path)
    config = DistillConfig(
        encoder=str(path), data=str(subject_files.data), clean_fraction=0.5, epochs=1,
        information="uniform", **COMMON,
    )  # fmt: skip
    run = perform("distill", config, root=tmp_path / "runs")
    result = outcome(run)
    placed = load_encoder(run.directory / result["original_layout_file"])
    student = load_encoder(run.directory / result["student_file"])
    suspect = load_encoder(path)
    assert {k: (e.shape, e.dtype) for k, e in placed.entries.items()} == {
        k: (e.shape, e.dtype) for k, e in suspect.entries.items()
    }
    for key, value in student.encoder.state_dict().items():
        assert torch.equal(placed.encoder.state_dict()[key], value), key
    assert student.normalization.mean == (0.0, 0.0, 0.0)
    card = (run.directory / result["model_card_file"]).read_text()
    assert student.file.sha256 in card
    assert placed.file.sha256 in card
    assert run.about()["inputs"]["encoder"]["sha256"] in card
    assert run.id in card
    assert "projector\\_q.0.weight" in card
    assert "python -m mimic distill " in card
    assert " --encoder suspect.pth " in card
    assert str(tmp_path) not in card
    for name, title in (("teacher", "suspect encoder"), ("student", "cleaned encoder")):
        own = result["scores"][name]
        told = next(line for line in card.splitlines() if line.startswith(f"| {title} "))
        assert f"{own['asr']:.1%} ({own['asr_interval'][0]:.1%} to " in told
        assert f", {own['stamped_images']} images |" in told
        assert f"| {own['asr_all']:.1%} ({own['asr_all_interval'][0]:.1%} to " in told


def test_a_card_gives_every_figure_its_interval_and_images_the_floors_too() -> None:
    floor = {"accuracy": 0.9, "accuracy_interval": (0.85, 0.94), "test_images": 200, "asr": 0.05,
             "asr_interval": (0.027, 0.0911), "asr_all": 0.14, "stamped_images": 180}  # fmt: skip
    assert figures({"teacher": None, "clean_twin": floor})[2] == (
        "| clean twin (the floor) | 90.0% (85.0% to 94.0%), 200 images | "
        "5.0% (2.7% to 9.1%), 180 images | 14.0% (9.9% to 19.5%), 200 images | – |"
    )
    unstamped = {**floor, "asr": None, "asr_interval": None, "asr_all": None, "stamped_images": 0}
    assert figures({"student": unstamped})[2].endswith("200 images | – | – | – |")


def write_kinds(folder: Path) -> list[str]:
    """Files of many kinds, good and bad, and names of none."""
    for layout in ("A", "J", "N-moco", "torchvision", "timm-vit", "huggingface-resnet"):
        PUBLISHED[layout].write(folder / layout)
    state = numbered("f.f.", make().state_dict())
    state.pop("f.f.4.0.conv1.weight")
    torch.save(wrap(state), folder / "part.pth")
    torch.save({"state_dict": Path}, folder / "code.pth")
    (folder / "text.pth").write_text("hello " * 100)
    (folder / "empty.pth").touch()
    (folder / "folder.pth").mkdir()
    (folder / "cut.pth").write_bytes((folder / "A").read_bytes()[:5_000])
    names = [str(path) for path in sorted(folder.iterdir())]
    return [*names, str(folder / "absent.pth"), "timm:no_such_encoder", "a\0b"]


def said_on_the_page(config: InspectConfig, root: Path) -> dict[str, Any] | MimicError:
    """The result of the run that the page starts, or why there is none."""
    try:
        return outcome(perform("inspect", config, root=root))
    except MimicError as error:
        return error


@pytest.mark.slow
def test_the_command_line_says_of_a_file_what_the_page_says(
    tmp_path: Path, subject_files: SubjectFiles
) -> None:
    (tmp_path / "files").mkdir()
    for name in write_kinds(tmp_path / "files"):
        config = InspectConfig(
            encoder=name, data=str(subject_files.data), data_root=str(tmp_path), **COMMON
        )
        told, page = inspect_file(name, config), said_on_the_page(config, tmp_path / "runs")
        if isinstance(page, MimicError):
            assert not told["accepted"], name
            assert (told["cause"], told["remedy"]) == (page.cause, page.remedy)
            continue
        assert told["accepted"], name
        assert set(told["warnings"]) <= set(page["warnings"])
        for what in ("sha256", "match", "layout", "family", "architecture", "normalization"):
            assert told[what] == page["encoder"][what], (name, what)


HEALTHY: dict[str, Any] = {
    "feature_dim": 10, "non_finite_features": 0, "dead_features": 0, "constant_features": 0,
    "feature_spread": 0.4, "knn_accuracy": 0.9, "random_knn_accuracy": 0.3,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "faults", "warnings"),
    [
        ({}, 0, 0),
        ({"non_finite_features": 1}, 1, 0),
        ({"feature_spread": 0.001}, 1, 0),
        ({"dead_features": 3, "constant_features": 2}, 1, 0),
        ({"dead_features": 1}, 0, 1),
        ({"knn_accuracy": 0.3}, 0, 1),
        ({"knn_accuracy": None, "random_knn_accuracy": None}, 0, 0),
    ],
)
def test_broken_features_are_faults_and_doubtful_ones_warnings(
    change: dict[str, Any], faults: int, warnings: int
) -> None:
    health = {**HEALTHY, **change, "faults": [], "warnings": []}
    judge_health(health)
    assert (len(health["faults"]), len(health["warnings"])) == (faults, warnings)


def test_s18_a_cards_foreign_text_is_literal_and_names_no_folder() -> None:
    assert plain("<b>*x*\n") == "\\<b\\>\\*x\\*?"
    assert without_folder("/home/someone/data/set.npz (train)") == "set.npz (train)"
    assert without_folder("asset:demo/teacher.pth") == "asset:demo/teacher.pth"
    assert without_folder("0.1,0.2/0.3,0.4") == "0.1,0.2/0.3,0.4"
