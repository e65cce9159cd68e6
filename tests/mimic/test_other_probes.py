from pathlib import Path

import pytest

from mimic import other_probes
from mimic.config import DistillConfig, EvaluateConfig
from mimic.run import Run


def scores(accuracy: float, asr: float, margin: float = 0.01) -> dict[str, object]:
    return {
        "accuracy": accuracy, "accuracy_interval": [accuracy - 0.01, min(1.0, accuracy + 0.01)],
        "asr": asr, "asr_interval": [max(0.0, asr - margin), min(1.0, asr + margin)],
        "asr_all": asr, "test_images": 400, "stamped_images": 360,
    }  # fmt: skip


def evaluation(root: Path, name: str, student: str, **cleaned: float) -> Run:
    """A finished evaluation in which each probe sees another attack success."""
    config = EvaluateConfig(student=student, probes=tuple(cleaned))
    run = Run.create(root, "evaluate", config, run_id=name)
    probes = {
        probe: {
            "teacher": scores(0.99, 1.0), "student": scores(0.97, asr),
            "clean_twin": scores(0.99, 0.005), "untrained": scores(0.9, 0.02),
        }
        for probe, asr in cleaned.items()
    }  # fmt: skip
    run.write_json("result.json", {"probes": probes})
    return run


def test_a_probe_that_sees_more_contradicts_the_usual_one(tmp_path: Path) -> None:
    run = evaluation(tmp_path, "evaluate-a", "distill-a", linear=0.01, knn=0.3, mlp=0.01)
    found = other_probes.verdicts(run)
    assert [one.probe for one in found] == ["linear", "knn", "mlp"]
    assert found[0].verdict.level == "clean"
    assert [one.probe for one in other_probes.contradicting(found)] == ["knn"]
    assert "kNN" in other_probes.contradicting(found)[0].name


def test_the_usual_probe_never_contradicts_itself(tmp_path: Path) -> None:
    run = evaluation(tmp_path, "evaluate-a", "distill-a", linear=0.5, knn=0.01)
    assert other_probes.contradicting(other_probes.verdicts(run)) == []


def test_only_an_evaluation_of_this_student_with_several_probes_counts(tmp_path: Path) -> None:
    one = evaluation(tmp_path, "evaluate-a", "distill-a", linear=0.01)
    other = evaluation(tmp_path, "evaluate-b", "distill-b", linear=0.01, knn=0.01)
    mine = evaluation(tmp_path, "evaluate-c", "/runs/distill-a/", linear=0.01, knn=0.01)
    assert other_probes.newest([one, other], "distill-a") is None
    assert other_probes.newest([one, other, mine], "distill-a") == mine


@pytest.mark.parametrize("missing", ["student", "teacher"])
def test_without_a_student_or_a_suspect_there_is_no_verdict(tmp_path: Path, missing: str) -> None:
    run = evaluation(tmp_path, "evaluate-a", "distill-a", linear=0.01, knn=0.3)
    result = run.result() or {}
    for found in result["probes"].values():
        found[missing] = None
    run.write_json("result.json", result)
    assert other_probes.verdicts(run) == []


def cleaning(root: Path, asr: float) -> Run:
    """A finished distillation, as far as a verdict asks."""
    run = Run.create(root, "distill", DistillConfig(), run_id="distill-a")
    run.write_json(
        "result.json",
        {
            "scores": {
                "teacher": scores(0.99, 1.0), "student": scores(0.97, asr),
                "clean_twin": scores(0.99, 0.005), "untrained": scores(0.9, 0.02),
            }
        },
    )  # fmt: skip
    return run


def test_the_worst_probe_decides_and_says_so(tmp_path: Path) -> None:
    run = cleaning(tmp_path, 0.01)
    alone = other_probes.judged(run, [])
    assert alone.level == "clean"
    assert alone.actions[-1] == other_probes.ASK_OTHERS
    told = evaluation(tmp_path, "evaluate-a", "distill-a", linear=0.01, knn=0.1, mlp=0.9)
    found = other_probes.judged(run, [told])
    assert found.level == "remains"
    assert found.headline.startswith("With a small neural network (MLP) on top, ")
    assert "(MLP) on top, the trigger works on 90.0%" in found.reasons[0]
    assert "(kNN) on top, the trigger works on 10.0%" in found.reasons[1]
    assert found.reasons[2].startswith("With a linear classifier on top: before cleaning")
    assert "other classifiers (knn, mlp)" in found.checks
    assert other_probes.ASK_OTHERS not in found.actions


def test_probes_that_see_no_more_leave_the_verdict_but_are_named(tmp_path: Path) -> None:
    run = cleaning(tmp_path, 0.01)
    told = evaluation(tmp_path, "evaluate-a", "distill-a", linear=0.01, knn=0.01)
    found = other_probes.judged(run, [told])
    assert found.level == "clean"
    assert found.headline == other_probes.judged(run, []).headline
    assert "other classifiers (knn)" in found.checks


def test_a_backdoor_that_the_usual_probe_sees_is_not_talked_down(tmp_path: Path) -> None:
    run = cleaning(tmp_path, 0.9)
    told = evaluation(tmp_path, "evaluate-a", "distill-a", linear=0.9, knn=0.1)
    found = other_probes.judged(run, [told])
    assert found.level == "remains"
    assert not found.headline.startswith("With")
