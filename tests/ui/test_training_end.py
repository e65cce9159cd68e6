from typing import Any

import pytest

from ui import progress_words, runs_charts, training_charts, training_end

FINAL = {"accuracy": 0.47, "asr": 0.11, "test_images": 10_000, "stamped_images": 9_000}


def lines(images: int | None = 2_000) -> list[dict[str, Any]]:
    """A training that measured itself at its second epoch only."""
    quick = {"accuracy": 0.46, "asr": 0.15, "test_images": images}
    return [
        {"epoch": 1, "epochs": 3, "loss": 2.0},
        {"epoch": 2, "epochs": 3, "loss": 1.5, "evaluation": quick},
        {"epoch": 3, "epochs": 3, "loss": 1.0},
    ]


def test_quick_and_final_figures_are_told_apart_with_their_images() -> None:
    end = training_end.end_of(lines(), FINAL, "accuracy")
    assert end == training_end.End(0.46, 2_000, 3, 0.47, 10_000)
    told = training_end.in_words({"A": end})
    assert "while training, at the end A 46.0% on 2,000 images" in told
    assert "Ring: the final score, A 47.0% on 10,000 images" in told
    alone = training_end.end_of(lines(), None, "accuracy")
    assert alone is not None
    assert alone.final is None
    assert training_end.QUICK_ONLY in training_end.in_words({"A": alone})
    assert training_end.end_of([{"epoch": 1}], FINAL, "accuracy") is None


def test_runs_measured_on_different_images_each_name_theirs() -> None:
    ends = {"A": training_end.End(0.5, 2_000, 3, None, None),
            "B": training_end.End(0.6, None, 3, None, None)}  # fmt: skip
    assert "A 50.0% on 2,000, B 60.0%." in training_end.in_words(ends)


def test_a_comparison_draws_the_final_score_as_a_ring_at_the_last_epoch() -> None:
    aligned = {"epochs": [1, 2], "values": {"a": [0.3, 0.46], "b": [0.4, 0.5]}}
    end = training_end.end_of(lines(), FINAL, "accuracy")
    assert end is not None
    figure = runs_charts.by_epoch(aligned, "accuracy", ["a", "b"], {"a": end})
    rings = [t for t in figure.data if t.marker.symbol == training_end.SYMBOL]
    assert [(r.name, r.x[0], r.y[0]) for r in rings] == [("A, final score", 3, pytest.approx(47))]
    assert "on 10,000 images" in rings[0].hovertemplate
    # Letters stand at the ends of the lines; a ring gets none.
    assert [a.text for a in figure.layout.annotations] == ["<b>A</b>", "<b>B</b>"]
    assert figure.layout.xaxis.range[1] >= 3


def test_the_chart_of_an_ended_training_has_the_rings_its_caption_explains() -> None:
    figure = training_charts.scores(lines(), [], 300, FINAL)
    rings = {t.name: t.y[0] for t in figure.data if t.marker.symbol == training_end.SYMBOL}
    assert rings == pytest.approx({"accuracy, final score": 47, "attack success, final score": 11})
    told = progress_words.quick_sentence(lines(), FINAL)
    assert "rings" in told
    assert "10,000" in told
    assert "Rings" in progress_words.quick_sentence(lines(10_000), FINAL)
    assert progress_words.quick_sentence(lines(), None) == ""


def test_the_csv_has_the_final_scores_and_their_images() -> None:
    rows = training_end.rows(lines(), FINAL)
    assert [(r["measure"], r["epoch"], r["images"]) for r in rows] == [
        ("accuracy, final score", 3, 10_000),
        ("attack success, final score", 3, 9_000),
    ]


def test_attack_success_stands_on_fewer_images_where_that_is_known() -> None:
    assert training_end.images_of(FINAL, "accuracy") == 10_000
    assert training_end.images_of(FINAL, "asr") == 9_000
    old = {"test_images": 10_000}  # Of before a training told it.
    assert training_end.images_of(old, "asr") is None
    assert training_end.images_of(old, "asr", FINAL) == 9_000
    assert training_end.images_of({"test_images": 2_000}, "asr", FINAL) is None
