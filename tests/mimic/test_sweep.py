import dataclasses
from typing import Any

import pytest

from mimic.config import SweepConfig
from mimic.errors import ConfigError
from mimic.learning import least_accuracy
from mimic.sweep import LOSSES, Cell, cells, explain, set_name, summary, verdict

EVERY = ("layer1", "layer2", "layer3", "layer4")


def plan(**changes: Any) -> list[Cell]:
    return cells(SweepConfig(**changes))


def record(
    layers: tuple[str, ...], scale: float, seed: int, asr: float | None, losses: str = "all"
) -> dict[str, Any]:
    """A line of metrics; without an ASR, of a cell that failed."""
    scores = {"accuracy": None if asr is None else 0.9, "asr": asr, "asr_all": asr}
    cell = Cell(layers, scale, losses, seed).to_json()
    return {**cell, **scores, "failure": "" if asr is not None else "It diverged."}


def test_every_combination_comes_once_with_one_whole_seed_after_another() -> None:
    found = plan(
        layer_sets=("layer1", "layer3+layer1", "all"),
        scales=("10", "authors"),
        seeds=("2",),
        seed=5,
    )
    assert found[:6] == [
        Cell(layers, scale, "all", 5)
        for scale in (10.0, 3500.0)
        for layers in (("layer1",), ("layer1", "layer3"), EVERY)
    ]
    assert found[6:] == [dataclasses.replace(cell, seed=6) for cell in found[:6]]


def test_several_seeds_are_the_seeds_themselves() -> None:
    assert [c.seed for c in plan(layer_sets=("all",), scales=("1",), seeds=("7", "3"))] == [7, 3]


def test_without_attention_the_scale_decides_nothing_so_the_cell_comes_once() -> None:
    found = plan(
        layer_sets=("layer1", "none"),
        scales=("10", "350"),
        losses=("all", "contrastive-only", "attention-only"),
        seeds=("1",),
    )
    assert found == [
        Cell(("layer1",), 10.0, "all", 0),
        Cell((), 0.0, "all", 0),
        Cell(("layer1",), 350.0, "all", 0),
        Cell((), 0.0, "contrastive-only", 0),
        Cell(("layer1",), 10.0, "attention-only", 0),
        Cell(("layer1",), 350.0, "attention-only", 0),
    ]


@pytest.mark.parametrize("word", LOSSES)
def test_every_word_for_losses_makes_a_distillation_that_trains_something(word: str) -> None:
    config = SweepConfig().distillation(**LOSSES[word])
    on = {
        name: getattr(config, f"{name}_weight") > 0
        for name in ("contrastive", "attention", "clone")
    }
    kind, _, only = word.partition("-")
    if only == "only":
        assert on == {name: name == kind for name in on}
    else:
        assert on == {name: name != only for name in on}


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"scales": ("-3",)}, "The scale '-3' is no positive number."),
        ({"scales": ("strong",)}, "The scale 'strong' is no positive number."),
        ({"scales": ("nan",)}, "The scale 'nan' is no positive number."),
        ({"losses": ("all", "none")}, "The losses 'none' are not known."),
        ({"layer_sets": ("layer1+",)}, "'layer1+' is no set of layers."),
        ({"layer_sets": ("layer1+layer1",)}, "'layer1+layer1' is no set of layers."),
        ({"seeds": ("many",)}, "The seeds 'many' are no whole numbers."),
        ({"seeds": ("0",)}, "The seeds '0' are none, repeated or negative."),
        ({"seeds": ("1", "1")}, "The seeds '1 1' are none, repeated or negative."),
        (
            {"layer_sets": ("none",), "losses": ("attention-only",)},
            "With the attention loss alone and no layer, nothing is trained.",
        ),
    ],
)
def test_words_that_make_no_sense_are_refused(changes: dict[str, Any], cause: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(**changes)
    assert caught.value.cause == cause
    assert caught.value.remedy.endswith(".")


def test_weights_average_to_the_scale_whoever_shares_them() -> None:
    cell = Cell(("layer1", "layer3"), 350.0, "all", 0)
    assert cell.weights(None) == {"layer1": 350.0, "layer3": 350.0}
    shared = cell.weights({"layer1": 1.0, "layer2": 9.0, "layer3": 3.0})
    assert sum(shared.values()) == pytest.approx(700)
    # By hand: 30 % of 350 each, and the other 490 divided 1 to 3.
    assert shared == pytest.approx({"layer1": 105 + 122.5, "layer3": 105 + 367.5})
    assert Cell((), 0.0, "all", 0).weights(None) == {}


def test_a_line_of_metrics_gives_its_cell_back() -> None:
    cell = Cell(("layer1",), 10.0, "no-clone", 3)
    assert Cell.of({**cell.to_json(), "asr": 0.5}) == cell


def test_sets_have_names() -> None:
    assert set_name(EVERY, EVERY) == "all"
    assert set_name(("layer1", "layer2"), EVERY) == "layer1+layer2"
    assert set_name((), EVERY) == "none"


def test_a_summary_gives_mean_and_range_over_seeds_and_counts_failures() -> None:
    lines = [record(("layer1",), 10, seed, asr) for seed, asr in ((0, 0.1), (1, 0.4), (2, None))]
    lines.append(record(("layer1",), 350, 0, 0.9))
    first, second = summary(lines)
    assert (first["seeds"], first["failed"]) == ([0, 1], 1)
    assert (first["asr"], first["asr_range"]) == (pytest.approx(0.25), [0.1, 0.4])
    assert (second["scale"], second["asr"], second["asr_range"]) == (350, 0.9, [0.9, 0.9])
    assert summary([record((), 0, 0, None)])[0]["asr"] is None


@pytest.mark.parametrize(
    ("asr", "expected"), [(0.02, "kept out"), (0.07, "kept out"), (0.3, "partly"), (0.7, "carried")]
)
def test_a_verdict_measures_the_way_from_floor_to_suspect(asr: float, expected: str) -> None:
    assert verdict(asr, 0.99, 0.004) == expected


def said(*lines: dict[str, Any], teacher: float | None = 0.99, floor: float | None = 0.01) -> str:
    scores = [None if asr is None else {"asr": asr} for asr in (teacher, floor)]
    return explain(summary(lines), teacher=scores[0], floor=scores[1], every=EVERY)


def test_the_sentence_names_who_carries_the_backdoor_over_at_which_scale() -> None:
    told = said(
        record(("layer1",), 3500, 0, 0.07),
        record(("layer3",), 3500, 0, 0.77),
        record(("layer4",), 3500, 0, 0.73),
        record(("layer3",), 10, 0, 0.02),
        record((), 0, 0, 0.03),
    )
    assert told == (
        "At a weight of 10 per layer, layer3, the only set of layers tried, does not carry the "
        "backdoor over (ASR 2%). "
        "At a weight of 3,500 per layer, layer3 and layer4 carry the backdoor over "
        "(ASR 77% and 73%), layer1 does not (ASR 7%). "
        "Without any attention loss, the student leaves the backdoor behind (ASR 3%). "
        "One seed each: a lead, not a result."
    )


def test_none_of_the_sets_tried_is_not_none_at_all() -> None:
    told = said(record(("layer1",), 10, 0, 0.02), record(("layer2",), 10, 0, 0.03))
    assert "none of the 2 sets of layers tried carries the backdoor over (ASR 2% and 3%)" in told


def test_a_weak_student_is_no_merit_of_its_layers() -> None:
    lines = [record(("layer1",), 10, 0, 0.02), record(("layer2",), 10, 0, 0.02),
             record(("layer3",), 10, 0, 0.9), record((), 0, 0, 0.02)]  # fmt: skip
    for line, accuracy in zip(lines, (0.95, 0.94, 0.94, 0.94), strict=True):
        line["accuracy"] = accuracy
    least = least_accuracy({"accuracy": 0.99}, {"accuracy": 0.91})
    assert least == pytest.approx(0.95)
    rows = summary(lines, least)
    assert [row["is_weak"] for row in rows] == [False, True, True, True]
    told = explain(rows, teacher={"asr": 0.99}, floor={"asr": 0.01}, every=EVERY)
    assert "layer3 carries the backdoor over (ASR 90%), layer1 does not (ASR 2%)" in told
    assert "layer2 taught too little to tell (ASR 2%)" in told
    assert "the student learns too little to tell (ASR 2%)" in told
    assert {row["is_weak"] for row in summary(lines)} == {None}  # Older sweeps scored none such.
    assert least_accuracy({"accuracy": 0.9}, {"accuracy": 0.91}) is None
    assert least_accuracy({"accuracy": 0.9}, None) is None


def test_the_sentence_owns_up_to_how_far_seeds_lie_apart() -> None:
    told = said(
        record(EVERY, 3500, 0, 0.93),
        record(EVERY, 3500, 1, 0.33),
        record(("layer1",), 3500, 0, 0.2),
    )
    assert (
        "all carries the backdoor over in part or wholly, depending on the seed (ASR 33% to 93%)"
    ) in told
    assert "layer1 carries part of it over (ASR 20%)" in told
    assert told.endswith("Means over 1 to 2 seeds, whose ASR differs by up to 60 points.")


def test_the_first_part_of_the_sentence_names_the_backdoor() -> None:
    some = said(
        record(("layer2",), 350, 0, 0.9), record(("layer2",), 350, 1, 0.9),
        record(("layer3",), 350, 0, 0.9), record(("layer3",), 350, 1, 0.02),
        record((), 0, 0, 0.02), record((), 0, 1, 0.8),
    )  # fmt: skip
    assert "layer2 carries the backdoor over (ASR 90%), layer3 does so with some seeds only" in some
    assert "the student takes the backdoor over with some seeds only (ASR 2% to 80%)" in some
    part = said(record(("layer1",), 350, 0, 0.2), record(("layer2",), 350, 0, 0.02))
    assert "layer1 carries part of the backdoor over (ASR 20%), layer2 does not (ASR 2%)" in part


def test_some_seeds_only_is_said_where_one_seed_is_at_the_floor() -> None:
    told = said(
        record(EVERY, 350, 0, 0.02), record(EVERY, 350, 1, 0.91),
        record(("layer3",), 350, 0, 0.45), record(("layer3",), 350, 1, 0.76),
        record((), 0, 0, 0.4), record((), 0, 1, 0.8),
    )  # fmt: skip
    assert "all carries the backdoor over with some seeds only (ASR 2% to 91%), " in told
    assert "layer3 does so in part or wholly, depending on the seed (ASR 45% to 76%)" in told
    assert "takes the backdoor over in part or wholly, depending on the seed (ASR 40%" in told


def test_the_sentence_says_what_cannot_be_said() -> None:
    line = record(("layer1",), 10, 0, 0.02)
    assert "nothing can be said" in said(line, teacher=None)
    assert said() == "No cell has scores yet."
    assert "no hold on the suspect (ASR 3%)" in said(line, teacher=0.03)
    assert "(ASR 2%)" in said(line, floor=None)
