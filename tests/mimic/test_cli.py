import itertools
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from mimic import answers, job
from mimic.checkpoint import load_encoder
from mimic.cli import main
from mimic.config import VERB_CONFIGS, DistillConfig
from mimic.errors import RunError
from mimic.options import build_parser
from mimic.run import Run, find_run
from mimic.update import Forward, Objective
from mimic.verbs.work import Work
from tests.conftest import SubjectFiles

DISTILL = ["--clean-fraction", "0.2", "--epochs", "3", "--evaluate-every", "2",
           "--batch-size", "16", "--information", "uniform"]  # fmt: skip
SCORES = {"accuracy", "accuracy_interval", "asr", "asr_interval", "asr_all",
          "asr_all_interval", "test_images", "stamped_images", "stamped_accuracy",
          "stamped_accuracy_interval"}  # fmt: skip

Cli = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a verb with --json and returns its exit code, last line of output, and errors."""

    def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
        capsys.readouterr()
        code = main([*arguments, "--root", str(tmp_path / "runs"), "--json"])
        shown = capsys.readouterr()
        return code, json.loads(shown.out.strip().split("\n")[-1]), shown.err

    return run


def run_of(outcome: dict[str, Any]) -> Run:
    return Run(Path(outcome["directory"]))


def save_images(path: Path, images: np.ndarray, labels: np.ndarray) -> str:
    np.savez(path, x=images, y=labels)
    return str(path)


def bad_options(kind: str, files: SubjectFiles, folder: Path) -> list[str]:
    """Options of a distil run that are wrong in one way."""
    whole = files.encoder.read_bytes()
    broken = folder / "broken.pth"
    with np.load(files.data, allow_pickle=False) as stored:
        x, y = stored["x"], stored["y"][:, 0]
    if kind == "truncated encoder":
        broken.write_bytes(whole[: len(whole) // 2])
    elif kind == "text for an encoder":
        broken.write_text("no weights")
    elif kind == "mismatching encoder":
        state = torch.load(files.encoder, weights_only=True)
        del state["state_dict"]["f.f.4.0.conv2.weight"]
        torch.save(state, broken)
    options = {
        "missing encoder": lambda: ["--encoder", str(folder / "absent.pth")],
        "truncated encoder": lambda: ["--encoder", str(broken)],
        "text for an encoder": lambda: ["--encoder", str(broken)],
        "mismatching encoder": lambda: ["--encoder", str(broken)],
        "no subject": lambda: ["--encoder", ""],
        "unknown subject": lambda: ["--subject", "nobody"],
        "missing data": lambda: ["--data", str(folder / "absent")],
        "empty data": lambda: ["--data", save_images(folder / "none.npz", x[:0], y[:0])],
        "scaled data": lambda: ["--data", save_images(folder / "unit.npz", x // 255, y)],
        "few data": lambda: ["--data", save_images(folder / "few.npz", x[:20], y[:20])],
        "missing trigger": lambda: ["--trigger", str(folder / "absent.npz")],
        "large trigger": lambda: ["--trigger", "asset:cifar10/trigger.npz"],
        "trigger outside": lambda: ["--trigger", "square:14:14:5"],
        "data for a trigger": lambda: ["--trigger", str(files.data)],
        "fraction 0": lambda: ["--clean-fraction", "0"],
        "fraction above 1": lambda: ["--clean-fraction", "1.5"],
        "layer that does not exist": lambda: ["--layers", "layer1", "layer9"],
        "layer weight for no layer": lambda: ["--weights", "layer9=3"],
        "malformed layer weight": lambda: ["--weights", "layer1"],
        "target that does not exist": lambda: ["--target-class", "9"],
        "device that is not there": lambda: ["--device", "cuda:77"],
        "unknown preset": lambda: ["--information", "measure", "--preset", "harsh"],
        "unknown information": lambda: ["--information", "nothing"],
        "malformed normalisation": lambda: ["--normalization", "bright"],
        "unknown views": lambda: ["--views", "wild"],
        "no epochs": lambda: ["--epochs", "0"],
        "resumed nothing": lambda: ["--resume", "absent"],
    }[kind]()  # fmt: skip
    if kind == "large trigger":
        tm = np.ones((32, 32, 3), np.uint8)
        np.savez(folder / "large.npz", t=1 - tm, tm=tm)
        options = ["--trigger", str(folder / "large.npz")]
    return options


BAD = [
    "missing encoder", "truncated encoder", "text for an encoder", "mismatching encoder",
    "no subject", "unknown subject", "missing data", "empty data", "scaled data",
    "few data", "missing trigger", "large trigger", "trigger outside", "data for a trigger",
    "fraction 0", "fraction above 1", "layer that does not exist", "layer weight for no layer",
    "malformed layer weight", "target that does not exist", "device that is not there",
    "unknown preset", "unknown information", "malformed normalisation", "unknown views",
    "no epochs", "resumed nothing",
]  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_ends_with_one_and_two_sentences(
    cli: Cli, subject_files: SubjectFiles, tmp_path: Path, kind: str
) -> None:
    options = bad_options(kind, subject_files, tmp_path)
    code, told, shown = cli("distill", *subject_files.options(), *DISTILL, *options)
    assert code == 1
    assert set(told) == {"verb", "error", "remedy"}
    assert told["verb"] == "distill"
    lines = [line for line in shown.splitlines() if line and not line.startswith("run ")]
    assert lines == [f"{told['error']} {told['remedy']}"]
    assert told["error"].endswith(".")
    assert told["remedy"].endswith((".", "python -m mimic runs"))
    assert "unforeseen" not in told["error"]
    for folder in (tmp_path / "runs").glob("distill-*"):
        status = Run(folder).status()
        assert (status.state, status.cause) == ("failed", told["error"])
        assert not (folder / "result.json").exists()


def test_several_processes_share_a_distillation_only(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    code, told, _ = cli("inspect", "--subject", "demo")
    assert code == 1
    assert told["error"] == "The verb inspect is computed by one process."


@pytest.mark.parametrize("verb", ["inspect", "information", "evaluate", "embed"])
def test_every_measuring_verb_refuses_to_work_without_an_encoder(cli: Cli, verb: str) -> None:
    code, told, _ = cli(verb)
    assert code == 1
    assert told["error"] == "No encoder is given."


def test_a_failure_without_json_prints_nothing_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["distill", "--clean-fraction", "0", "--root", str(tmp_path)])
    shown = capsys.readouterr()
    assert code == 1
    assert shown.out == ""
    assert shown.err == (
        "The clean fraction 0 is not between 0 and 1. Choose a share such as 0.04 for 4 %.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_distill_cleans_end_to_end(cli: Cli, subject_files: SubjectFiles) -> None:
    twin = ["--clean-twin", str(subject_files.twin)]
    code, told, _ = cli("distill", *subject_files.options(), *DISTILL, *twin)
    assert code == 0
    run = run_of(told)
    result = run.result()
    assert result is not None
    assert told == {"run": run.id, "directory": told["directory"], "state": "finished", **result}
    assert result.keys() >= {
        "weights", "information", "clean_images", "clean_fraction", "epochs", "device",
        "precision", "seconds", "scores", "student_file", "original_layout_file",
    }  # fmt: skip
    assert result["clean_images"] == 32  # a fifth of the 160 training images
    assert result["weights"] == dict.fromkeys(("layer1", "layer2", "layer3", "layer4"), 10.0)
    assert all(set(result["scores"][who]) == SCORES for who in ("teacher", "student", "clean_twin"))
    metrics = run.metrics()
    assert [m["epoch"] for m in metrics] == [0, 1, 2, 3]
    assert ["evaluation" in m for m in metrics] == [True, False, True, True]
    assert set(metrics[0]["evaluation"]) == {
        "accuracy", "asr", "asr_all", "test_images", "stamped_images",
    }  # fmt: skip
    for metric in metrics[1:]:
        assert metric["loss"] == pytest.approx(
            metric["contrastive"] + metric["attention"] + metric["clone"], rel=1e-4
        )
    status = run.status()
    assert (status.state, status.progress) == ("finished", 1)
    arrays = run.arrays("examples")
    assert arrays is not None
    assert set(arrays) == {
        "images", "stamped", "labels", "before_clean", "before_stamped", "after_clean",
        "after_stamped", "before_clean_confidence", "before_stamped_confidence",
        "after_clean_confidence", "after_stamped_confidence",
    }  # fmt: skip
    assert (arrays["labels"] != 1).all()  # images of the target class prove nothing
    assert_answers_give(run, result["scores"])
    inputs = run.about()["inputs"]
    assert {"encoder", "clean_twin"} <= set(inputs)
    assert all(len(noted["sha256"]) == 64 for noted in inputs.values())


def assert_answers_give(run: Run, scores: dict[str, Any]) -> None:
    """The answers a run keeps are those its scores were counted from."""
    kept = run.arrays(answers.NAME)
    assert kept is not None
    for (who, own), measure in itertools.product(scores.items(), ("accuracy", "asr", "asr_all")):
        given = answers.of_measure(kept, who, measure)
        if own is None:
            assert given is None
        else:
            assert given is not None
            assert given.mean() == pytest.approx(own[measure])


def test_the_students_files_hold_one_student_that_fits_the_suspects_place(
    cli: Cli, subject_files: SubjectFiles
) -> None:
    _, told, _ = cli("distill", *subject_files.options(), *DISTILL)
    folder = run_of(told).directory
    plain = load_encoder(folder / "student.safetensors")
    placed = load_encoder(folder / "student.pth")
    suspect = load_encoder(subject_files.encoder)
    for key, value in plain.encoder.state_dict().items():
        assert torch.equal(placed.encoder.state_dict()[key], value), key
    assert plain.encoder.architecture == suspect.encoder.architecture
    assert plain.normalization.mean == suspect.normalization.mean
    assert placed.entries == suspect.entries
    assert not torch.equal(plain.encoder.conv1.weight, suspect.encoder.conv1.weight)
    with safetensors.safe_open(folder / "student.safetensors", framework="pt") as opened:
        card = json.loads(opened.metadata()["card"])
    assert not {"run", "information"} & {*card, *card["config"]}
    assert all("inspected" not in noted for noted in card["inputs"].values())
    assert card["scores"] == json.loads(json.dumps(told["scores"]))


def test_a_stopped_distillation_resumes_to_the_same_student(
    cli: Cli, subject_files: SubjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["distill", *subject_files.options(), *DISTILL, "--epochs", "4"]
    _, whole, _ = cli(*options)
    record = Run.record

    def stop_after_two(run: Run, values: dict[str, Any]) -> None:
        record(run, values)
        if values["epoch"] == 2:
            (run.directory / "stop").touch()

    monkeypatch.setattr(Run, "record", stop_after_two)
    code, stopped, _ = cli(*options)
    monkeypatch.setattr(Run, "record", record)
    assert code == 3
    assert stopped["state"] == "stopped"
    run = run_of(stopped)
    assert run.status().state == "stopped"
    assert run.result() is None
    assert [m["epoch"] for m in run.metrics()] == [0, 1, 2]

    run.record({"epoch": 3, "loss": 99.0})  # as if it had been killed after its last checkpoint
    code, resumed, _ = cli("distill", "--resume", run.id)
    assert code == 0
    assert resumed["run"] == stopped["run"]

    def without_seconds(told: dict[str, Any]) -> list[dict[str, Any]]:
        return [{k: v for k, v in m.items() if k != "seconds"} for m in run_of(told).metrics()]

    assert without_seconds(resumed) == without_seconds(whole)
    assert resumed["scores"] == whole["scores"]
    for name in ("student.pth", "student.safetensors"):  # Two runs with two names, one SHA-256.
        files = [run_of(told).directory / name for told in (resumed, whole)]
        assert files[0].read_bytes() == files[1].read_bytes()
    status = run.status()
    assert 0 < status.worked < status.lasted  # Both processes count.

    code, told, _ = cli("distill", "--resume", run.id)
    assert code == 1
    assert "is finished" in told["error"]


def test_a_distillation_that_stops_early_says_when_and_why(
    cli: Cli, subject_files: SubjectFiles
) -> None:
    options = ["--evaluate-every", "1", "--patience", "1", "--margin", "1", "--reference"]
    code, told, _ = cli("distill", *subject_files.options(), *DISTILL, *options)
    assert code == 0
    assert (told["stopped_early_at"], told["epochs"], told["processes"]) == (2, 3, 1)
    assert (told["reference"], told["precision"]) == (True, "float32")
    assert run_of(told).about()["machine"] == {
        "device": "CPU", "threads": torch.get_num_threads(), "precision": "float32",
        "processor": platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(), "processes": 1,
    }  # fmt: skip
    (note,) = told["notes"]
    assert "ended early, at epoch 2" in note
    metrics = run_of(told).metrics()
    assert [m["epoch"] for m in metrics] == [0, 1, 2]
    assert all(0 <= m["agreement"] <= 1 for m in metrics[1:])
    assert "evaluation" in metrics[-1]
    assert (run_of(told).directory / "state.safetensors").is_file()


def test_a_distillation_short_of_memory_splits_its_batches_and_says_so(
    cli: Cli, subject_files: SubjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare, messages = Objective.compare, set()

    def small_memory(objective: Objective, inputs: torch.Tensor) -> Forward:
        if len(inputs) > 16:
            raise torch.OutOfMemoryError("simulated")
        return compare(objective, inputs)

    step = Work.step
    monkeypatch.setattr(Objective, "compare", small_memory)
    monkeypatch.setattr(
        Work, "step", lambda work, share, text="", **more: (
            messages.add(text), step(work, share, text, **more)
        ),
    )  # fmt: skip
    code, told, _ = cli("distill", *subject_files.options(), *DISTILL)
    assert code == 0
    (note,) = told["notes"]
    assert note.startswith("Memory ran out, so each batch was split into 2 micro-batches")
    assert "distilling, batches split in 2 to fit the memory" in messages
    assert told["stopped_early_at"] is None


def test_resuming_with_a_changed_encoder_is_refused(
    cli: Cli, subject_files: SubjectFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.pth"
    own.write_bytes(subject_files.encoder.read_bytes())
    record = Run.record
    monkeypatch.setattr(Run, "record", lambda run, v: (record(run, v), run.request_stop()))
    code, stopped, _ = cli("distill", *subject_files.options(), *DISTILL, "--encoder", str(own))
    assert code == 3
    monkeypatch.setattr(Run, "record", record)
    state = torch.load(own, weights_only=True)
    state["state_dict"]["f.f.0.weight"] += 1
    torch.save(state, own)
    code, told, _ = cli("distill", "--resume", stopped["run"])
    assert code == 1
    assert "changed since the run began" in told["error"]


def test_pretrain_and_attack_make_a_subject_with_a_backdoor(cli: Cli) -> None:
    small = ["--images", "64", "--batch-size", "32", "--epochs", "2", "--device", "cpu",
             "--precision", "float32"]  # fmt: skip
    code, clean, _ = cli("pretrain", "--width", "4", *small)
    assert code == 0
    folder = run_of(clean).directory
    assert load_encoder(folder / clean["encoder_file"]).encoder.architecture.width == 4
    assert load_encoder(folder / clean["badencoder_file"]).head is not None
    assert [m["epoch"] for m in run_of(clean).metrics()] == [1, 2]

    encoder = str(folder / "encoder.safetensors")
    code, attacked, _ = cli("attack", "--encoder", encoder, "--target-class", "3", *small)
    assert code == 0
    folder = run_of(attacked).directory
    assert attacked["target_class"] == 3
    assert set(run_of(attacked).metrics()[0]) >= {"epoch", "backdoor", "reference", "utility"}
    before, after = load_encoder(Path(encoder)), load_encoder(folder / "encoder.pth")
    assert not torch.equal(after.encoder.conv1.weight, before.encoder.conv1.weight)
    assert torch.equal(after.encoder.bn1.running_mean, before.encoder.bn1.running_mean)
    reference = run_of(attacked).arrays("reference")
    assert reference is not None
    assert reference["x"].shape == (1, 16, 16, 3)
    assert reference["y"].ravel().tolist() == [3]
    with np.load(folder / "trigger.npz", allow_pickle=False) as trigger:
        assert int((trigger["tm"] == 0).any(-1).sum()) == 25


def test_inspect_describes_everything_it_was_given(cli: Cli, subject_files: SubjectFiles) -> None:
    twin = ["--clean-twin", str(subject_files.twin)]
    code, told, _ = cli("inspect", *subject_files.options(), *twin)
    assert code == 0
    encoder = told["encoder"]
    assert (encoder["architecture"], encoder["width"], encoder["stem"]) == ("resnet10", 4, "cifar")
    assert encoder["bytes"] == subject_files.encoder.stat().st_size
    assert encoder.keys() >= {"path", "sha256", "layout", "parameters", "input_size"}
    shapes = [(p["name"], p["channels"], p["height"], p["width"]) for p in encoder["layers"]]
    assert shapes == [
        ("stem", 4, 16, 16), ("layer1", 4, 16, 16), ("layer2", 8, 8, 8), ("layer3", 16, 4, 4),
        ("layer4", 32, 2, 2),
    ]  # fmt: skip
    assert sum(p["parameters"] for p in encoder["layers"]) == encoder["parameters"]
    assert (told["data"]["images"], told["data"]["test_images"]) == (160, 40)
    assert (told["downstream"]["images"], told["downstream"]["test_images"]) == (96, 40)
    assert (
        told["data"]["class_counts"]
        == np.bincount(
            np.load(subject_files.data, allow_pickle=False)["y"][:, 0][train_positions()]
        ).tolist()
    )
    description = told["trigger"].pop("description")
    assert description.startswith("A patch replaces 25 pixels in rows 10 to 14")
    assert told["trigger"] == {
        "kind": "patch", "shape": [16, 16, 3], "changed_pixels": 25, "share": 25 / 256,
    }  # fmt: skip
    assert (told["target_class"], told["target_name"]) == (1, "1")
    assert told["health"].keys() >= {
        "knn_accuracy", "random_knn_accuracy", "feature_spread", "random_feature_spread",
        "dead_features", "warnings",
    }  # fmt: skip
    assert set(told["scores"]["teacher"]) == set(told["scores"]["clean_twin"]) == SCORES
    assert_answers_give(run_of(told), told["scores"])
    arrays = run_of(told).arrays("examples")
    assert arrays is not None
    assert {len(a) for a in arrays.values()} == {24}
    assert (arrays["stamped"][:, 10:15, 10:15] == 255).all()


def train_positions() -> np.ndarray:
    """The documented split: 80 to 20 by one fixed permutation."""
    return np.sort(np.random.default_rng(0).permutation(200)[40:])


def test_inspect_works_without_trigger_and_without_labels(
    cli: Cli, subject_files: SubjectFiles, tmp_path: Path
) -> None:
    with np.load(subject_files.data, allow_pickle=False) as stored:
        np.savez(tmp_path / "unlabelled.npz", x=stored["x"])
    plain = ["--trigger", "", "--target-class", "-1"]
    code, told, _ = cli("inspect", *subject_files.options(), *plain)
    assert code == 0
    assert told["trigger"] is told["target_class"] is told["target_name"] is None
    assert told["scores"]["teacher"]["asr"] is None
    code, told, _ = cli(
        "inspect", *subject_files.options(), "--data", str(tmp_path / "unlabelled.npz")
    )
    assert code == 0
    assert told["scores"]["teacher"] is None
    assert told["health"]["knn_accuracy"] is None
    arrays = run_of(told).arrays("examples")
    assert arrays is not None
    assert set(arrays["labels"]) == set(arrays["predicted_clean"]) == {-1}


def test_information_measures_every_network_input_and_layer(
    cli: Cli, subject_files: SubjectFiles
) -> None:
    code, told, _ = cli(
        "information", *subject_files.options(), "--clean-twin", str(subject_files.twin),
        "--networks", "teacher", "random", "clean_twin", "--layers", "stem", "layer4",
        "--pairs", "64", "--critic-epochs", "2", "--clean-fraction", "0.2",
    )  # fmt: skip
    assert code == 0
    curves = {(c["network"], c["input"]): c["layers"] for c in told["curves"]}
    assert set(curves) == {
        (network, kind)
        for network in ("teacher", "random", "clean_twin") for kind in ("clean", "triggered")
    }  # fmt: skip
    assert all(set(layers) == {"stem", "layer4"} for layers in curves.values())
    assert all(nats >= 0 for layers in curves.values() for nats in layers.values())
    assert told.keys() >= {"layers", "clean_images", "clean_fraction", "noise", "pool", "sentence",
                           "seconds"}  # fmt: skip
    assert (told["pairs"], told["held_out_pairs"], told["clean_images"]) == (64, 16, 32)
    assert set(told["weights"]) == {"gentle", "authors"}
    metrics = run_of(told).metrics()
    assert len(metrics) == 3 * 2 * 2 * 2
    assert set(metrics[0]) == {"network", "input", "layer", "epoch", "epochs", "fit", "held_out",
                               "held_out_low", "held_out_high"}  # fmt: skip
    for curve in told["curves"]:
        for layer, nats in curve["layers"].items():
            low, high = curve["bands"][layer]
            assert low <= nats <= high
            assert set(curve["verdicts"][layer]) == {"state", "sentence"}
        assert curve["upper_bound"] > 0
    assert (told["estimator"], told["direction"], told["critics"]) == ("infonce", "lower", 4)
    assert 0 < told["ceiling"] < 3
    assert "true information" in told["data_processing"]
    assert [(c["network"], c["layer"]) for c in told["companions"]] == [
        (network, layer)
        for network in ("teacher", "random", "clean_twin") for layer in ("stem", "layer4")
    ]  # fmt: skip
    for companion in told["companions"]:
        assert 0 <= companion["cka"] <= 1 <= companion["effective_rank"]
        assert 0 <= companion["probe_accuracy"] <= 1
        assert 0 <= companion["separability"] <= 1


def test_the_authors_measurement_is_a_preset_that_options_override(
    cli: Cli, subject_files: SubjectFiles
) -> None:
    code, told, _ = cli(
        "information", *subject_files.options(), "--preset", "authors", "--critic-epochs", "2",
        "--layers", "layer4", "--networks", "teacher", "--inputs", "clean", "--pairs", "50",
        "--projection", "16", "--clean-fraction", "0.2",
    )  # fmt: skip
    assert code == 0
    assert (told["estimator"], told["critics"], told["noise"], told["pool"]) == (
        "mine-joint", 1, 0, 0,
    )  # fmt: skip
    assert (told["direction"], told["ceiling"], told["held_out_pairs"]) == ("neither", None, 0)
    assert told["curves"][0]["upper_bound"] is None
    stored = run_of(told).config()
    assert (stored.critic_epochs, stored.projection) == (2, 16)


def test_estimators_are_held_against_the_truth_without_any_encoder(
    cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["--ground-truth", "--quick", "--device", "cpu"]
    code, told, shown = cli("information", *quick)
    assert code == 0
    assert set(told) >= {"rows", "recommended", "machine"}
    assert {row["estimator"] for row in told["rows"]} == {"mine", "infonce", "club", "ksg"}
    for row in told["rows"]:
        if row["distribution"] == "independent" and row["direction"] == "lower":
            assert row["estimate"] <= 0.05
        is_fair = row["distribution"] == "gaussian" and row["truth"] <= 2
        if is_fair and row["estimator"] == "infonce":
            assert 0.4 * row["truth"] < row["estimate"] < 1.2 * row["truth"]
    assert "ksg in 2 dimensions" in shown
    assert not (tmp_path / "runs").exists()  # It is no run.
    assert main(["information", *quick, "--estimators", "ksg"]) == 0
    table = capsys.readouterr().out.split("\n")
    assert table[0].startswith("distribution")
    assert sum("independent" in line for line in table) == 1
    code, told, _ = cli("information", "--seeds", "2")
    assert code == 1
    assert told["error"] == "--seeds needs --ground-truth."
    code, told, _ = cli("information", *quick, "--estimators", "guess")
    assert told["error"] == "There is no estimator 'guess'."


def test_a_stored_measurement_gives_a_distillation_its_weights(
    cli: Cli, subject_files: SubjectFiles
) -> None:
    _, measured, _ = cli(
        "information", *subject_files.options(), "--layers", "layer1", "layer4", "--networks",
        "teacher", "--pairs", "64", "--critic-epochs", "1", "--clean-fraction", "0.2",
    )  # fmt: skip
    options = [*subject_files.options(), *DISTILL, "--epochs", "1", "--information"]
    code, told, _ = cli("distill", *options, measured["run"], "--layers", "layer1", "layer4")
    assert code == 0
    nats = measured["curves"][0]["layers"]
    assert told["information"] == nats
    assert told["notes"] == []
    total = sum(nats.values())
    for layer, weight in told["weights"].items():
        share = nats[layer] / total if total > 0 else 0.5
        assert weight == pytest.approx(3 + 28 * share)
    _, other, _ = cli("distill", *options, measured["run"], "--layers", "layer1", "--seed", "1")
    (note,) = other["notes"]  # Other clean images than the measured ones.
    assert "20.00% of the images drawn by seed 0" in note
    code, told, _ = cli("distill", *options, measured["run"], "--layers", "layer2")
    assert code == 1
    assert "has not measured layer2" in told["error"]


def test_evaluate_scores_suspect_student_and_twin_by_every_probe(
    cli: Cli, subject_files: SubjectFiles
) -> None:
    options = [*subject_files.options(), "--clean-twin", str(subject_files.twin)]
    code, told, _ = cli(
        "evaluate", *options, "--probes", "linear", "knn", "mlp", "--student",
        str(subject_files.twin),
    )  # fmt: skip
    assert code == 0
    assert set(told["probes"]) == {"linear", "knn", "mlp"}
    for scores in told["probes"].values():
        assert set(scores["teacher"]) == set(scores["student"]) == SCORES
        assert scores["student"] == scores["clean_twin"]
    assert_answers_give(run_of(told), told["probes"]["linear"])
    code, told, _ = cli("evaluate", *options, "--probes", "tree")
    assert code == 1
    assert "no probe 'tree'" in told["error"]
    code, told, _ = cli("evaluate", *subject_files.options())
    assert told["probes"]["linear"]["student"] is None


def test_evaluate_scores_a_runs_student_and_what_it_was_before_its_training(
    cli: Cli, subject_files: SubjectFiles
) -> None:
    code, cleaned, _ = cli("distill", *subject_files.options(), *DISTILL)
    assert code == 0
    code, told, _ = cli("evaluate", *subject_files.options(), "--student", cleaned["run"])
    assert code == 0
    by_probe = told["probes"]["linear"]
    for who in ("student", "untrained"):
        assert by_probe[who]["accuracy"] == cleaned["scores"][who]["accuracy"]
        assert by_probe[who]["asr"] == cleaned["scores"][who]["asr"]
    file = str(Path(cleaned["directory"]) / "student.safetensors")
    code, told, _ = cli("evaluate", *subject_files.options(), "--student", file)
    assert told["probes"]["linear"]["untrained"] is None  # Of a file, nobody knows its beginning.


def test_embed_places_before_and_after_in_one_plane(cli: Cli, subject_files: SubjectFiles) -> None:
    options = [*subject_files.options(), "--projections", "pca", "--points", "20", "--layers",
               "features", "layer2"]  # fmt: skip
    twin = str(subject_files.twin)
    code, told, _ = cli("embed", *options, "--student", twin, "--clean-twin", twin)
    assert code == 0
    assert (told["layers"], told["projections"]) == (["features", "layer2"], ["pca"])
    assert told["target_class"] == 1
    numbers = {"nearest_clean_is_target", "silhouette", "same_class_neighbours"}
    for layer in ("features", "layer2"):
        assert set(told["numbers"][layer]["before"]) == numbers
        assert set(told["numbers"][layer]["after"]) == numbers
        # The student is the twin itself here, so the floor has to be the student's numbers.
        assert told["numbers"][layer]["clean_twin"] == told["numbers"][layer]["after"]
        places = run_of(told).arrays(f"{layer}-pca")
        assert places is not None
        assert {k: (v.shape, v.dtype.name) for k, v in places.items()} == dict.fromkeys(
            ("before_clean", "before_triggered", "after_clean", "after_triggered"),
            ((20, 2), "float32"),
        )
    points = run_of(told).arrays("points")
    assert points is not None
    assert {k: len(v) for k, v in points.items()} == dict.fromkeys(
        ("images", "stamped", "labels", "before_clean", "before_triggered", "after_clean",
         "after_triggered"), 20,
    )  # fmt: skip

    samples = run_of(told).arrays("samples")
    assert samples is not None
    for side in ("before", "after"):
        assert samples[f"{side}_displacement"].shape == (20,)
        for kind in ("clean", "triggered"):
            near = samples[f"{side}_{kind}_neighbors"]
            assert (near.shape, near.dtype.name) == ((20, 8), "uint16")
            assert not (near == np.arange(20)[:, None]).any()

    code, told, _ = cli("embed", *options)
    assert code == 0
    assert told["numbers"]["layer2"]["after"] is None
    for name in ("points", "layer2-pca"):
        arrays = run_of(told).arrays(name)
        assert arrays is not None
        assert not any(key.startswith("after") for key in arrays)


def test_the_classifiers_plane_agrees_with_the_predictions(
    cli: Cli, subject_files: SubjectFiles
) -> None:
    options = [*subject_files.options(), "--points", "30", "--layers", "layer2", "features"]
    student = str(subject_files.twin)
    code, told, _ = cli(
        "embed", *options, "--projections", "plane", "pca", "--student", student, "--csv"
    )
    assert code == 0
    run = run_of(told)
    plane, points = run.arrays("features-plane"), run.arrays("points")
    assert plane is not None
    assert points is not None
    for name, places in plane.items():
        np.testing.assert_array_equal(places[:, 0] > 0, points[name] == told["target_class"])
        np.testing.assert_array_equal(places[:, 1] > 0, points[name] == points["labels"])
    assert run.arrays("layer2-plane") is None
    written = {f.name for f in run.directory.glob("*.csv")}
    assert written == {"features-plane.csv", "features-pca.csv", "layer2-pca.csv"}
    code, told, _ = cli("embed", *subject_files.options(), "--projections", "plane",
                        "--layers", "layer2")  # fmt: skip
    assert code == 1
    assert "features only" in told["error"]


def test_more_points_than_judging_images_are_taken_from_the_whole_test_set(
    cli: Cli, subject_files: SubjectFiles
) -> None:
    options = [*subject_files.options(), "--layers", "features", "--projections", "pca"]
    options[options.index("--test-images") + 1] = "12"
    assert cli("embed", *options, "--points", "10")[1]["points"] == 10
    assert cli("embed", *options, "--points", "30")[1]["points"] == 30


def test_runs_are_listed_and_deleted(cli: Cli, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    Run.create(root, "distill", DistillConfig(), run_id="one")
    code, told, _ = cli("runs")
    assert code == 0
    listed = next(row for row in told["runs"] if row["run"] == "one")
    assert (listed["kind"], listed["state"], listed["asr"]) == ("distill", "starting", None)
    code, told, _ = cli("runs", "--delete", "one")
    assert (code, "Stop it first" in told["remedy"]) == (1, True)
    run = find_run("one", root)
    run.write_json("status.json", {"state": "stopped"})
    assert cli("runs", "--delete", "one")[:2] == (0, {"run": "one", "state": "deleted"})
    with pytest.raises(RunError):
        find_run("one", root)
    assert cli("runs", "--delete", "demo-distill")[0] == 1
    assert cli("runs", "--delete", "../one")[0] == 1


@pytest.mark.parametrize("verb", VERB_CONFIGS)
def test_the_command_line_of_a_config_gives_that_config_back(verb: str) -> None:
    import shlex

    from tests.mimic.test_config import changed

    config = changed(VERB_CONFIGS[verb])
    words = shlex.split(job.command_line(verb, config))
    assert words[:4] == ["python", "-m", "mimic", verb]
    given = vars(build_parser().parse_args(words[3:]))
    for extra in ("verb", "json", "root", "resume"):
        given.pop(extra, None)
    assert VERB_CONFIGS[verb].from_json(given) == config


@pytest.mark.parametrize("arguments", [[], ["unheard-of"], ["distill", "--epochs", "many"]])
def test_misspelt_commands_end_with_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m mimic" in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERB_CONFIGS)
def test_help_names_every_setting(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for name in VERB_CONFIGS[verb].__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in shown


def test_a_build_that_keeps_encoders_needs_a_folder_that_has_them(cli: Cli, tmp_path: Path) -> None:
    code, told, _ = cli("demo", "--build", str(tmp_path), "--keep-encoders")
    assert code == 1
    assert "holds no demo" in told["error"]
    assert "--keep-encoders" in told["remedy"]
    assert not (tmp_path / "runs").exists()
