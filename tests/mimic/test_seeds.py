"""Repetitions with other seeds: recognised as such, averaged, and judged by the worst."""

from typing import Any

from mimic.comparison import Record, compare
from mimic.intervals import wilson_interval
from mimic.tables import comparison as told
from mimic.verdict import TITLES


def scored(obeying: int, accuracy: float = 0.97) -> dict[str, Any]:
    return {
        "accuracy": accuracy, "accuracy_interval": [accuracy - 0.02, 0.99], "test_images": 359,
        "asr": obeying / 321, "asr_interval": list(wilson_interval(obeying, 321)),
        "asr_all": None, "stamped_images": 321,
    }  # fmt: skip


def cleaned(name: str, seed: int, obeying: int, **changed: Any) -> Record:
    scores = {"teacher": scored(321), "student": scored(obeying), "clean_twin": scored(2)}
    config = {"seed": seed, "information": f"measured-{seed}", "epochs": 9, **changed}
    return Record(id=name, kind="distill", config=config, result={"scores": scores})


def test_several_seeds_are_averaged_and_the_worst_counts() -> None:
    found = compare([cleaned("a", 0, 2), cleaned("b", 1, 4), cleaned("c", 2, 300)])
    seeds = found["seeds"]
    assert seeds["seeds"] == {"a": 0, "b": 1, "c": 2}
    asr = seeds["student"]["asr"]
    assert (asr["lowest"], asr["highest"]) == (2 / 321, 300 / 321)
    assert abs(asr["mean"] - 102 / 321) < 1e-12
    assert "asr_all" not in seeds["student"]
    assert seeds["verdicts"] == {"remains": ["c"], "clean": ["a", "b"]}
    assert (seeds["worst"], seeds["title"]) == ("remains", TITLES["remains"])
    text = told(found)
    assert "seed only (0, 1, 2)" in text
    assert "ASR: 31.8% on average, from 0.6% to 93.5%" in text
    assert text.index(f"{TITLES['remains']}: 1 of 3") < text.index(f"{TITLES['clean']}: 2 of 3")
    assert "One seed each" not in text


def test_other_settings_or_files_make_no_repetition() -> None:
    one = cleaned("a", 0, 2)
    assert compare([one, cleaned("b", 1, 2, epochs=10)])["seeds"] == {}
    assert compare([one, cleaned("b", 0, 2)])["seeds"] == {}
    other = Record(
        id="b", kind="distill", config={**one.config, "seed": 1}, result=one.result,
        inputs={"encoder": {"sha256": "x"}},
    )  # fmt: skip
    assert compare([one, other])["seeds"] == {}
    unread = Record(id="b", kind="distill", config={**one.config, "seed": None}, result=one.result)
    assert compare([one, unread])["seeds"] == {}
    begun = Record(id="b", kind="distill", config={**one.config, "seed": 1})
    assert compare([one, begun])["seeds"] == {}


def test_without_attack_success_there_is_a_mean_and_no_verdict() -> None:
    records = [cleaned("a", 0, 2), cleaned("b", 1, 2)]
    for found in records:
        for own in found.result["scores"].values():
            own |= {"asr": None, "asr_interval": None}
    seeds = compare(records)["seeds"]
    assert (seeds["worst"], seeds["title"], seeds["verdicts"]) == (None, None, {})
    assert seeds["student"]["accuracy"]["mean"] == 0.97
