import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimic.errors import ConfigError
from mimic.layer_weights import PRESETS, Scale, layer_weights, parse_weights, preset_scale

NATS = st.dictionaries(
    st.sampled_from(["stem", "layer1", "layer2", "layer3", "layer4"]),
    st.floats(-2, 10).map(lambda value: round(value, 3)),
    min_size=1,
)
SCALES = st.floats(0, 1e4)


@given(nats=NATS, base=SCALES, budget=SCALES)
def test_weights_sum_to_all_bases_and_one_budget(
    nats: dict[str, float], base: float, budget: float
) -> None:
    weights = layer_weights(nats, base=base, budget=budget)
    assert set(weights) == set(nats)
    assert sum(weights.values()) == pytest.approx(len(nats) * base + budget)
    assert min(weights.values()) >= base * (1 - 1e-12)


@given(nats=NATS)
def test_more_information_never_weighs_less(nats: dict[str, float]) -> None:
    weights = layer_weights(nats, base=3, budget=28)
    ordered = sorted(nats, key=lambda layer: nats[layer])
    values = [weights[layer] for layer in ordered]
    assert values == sorted(values)


def test_the_authors_scale_is_a_thousand_each_and_ten_thousand_to_share() -> None:
    assert preset_scale("authors") == PRESETS["authors"] == Scale(base=1000, budget=10_000)
    nats = {"layer1": 1.0, "layer2": 2.0, "layer3": 1.0, "layer4": 0.0}
    weights = layer_weights(nats, base=1000, budget=10_000)
    assert weights == {"layer1": 3500, "layer2": 6000, "layer3": 3500, "layer4": 1000}


@pytest.mark.parametrize("value", [0.0, -0.5, 1.7])
def test_equal_or_absent_information_gives_equal_weights(value: float) -> None:
    weights = layer_weights(dict.fromkeys("abcd", value), base=3, budget=28)
    assert weights == pytest.approx(dict.fromkeys("abcd", 10.0))


def test_negative_estimates_count_as_nothing() -> None:
    weights = layer_weights({"a": -5.0, "b": 1.0, "c": 3.0}, base=2, budget=8)
    assert weights == {"a": 2, "b": 4, "c": 8}


def test_impossible_scales_and_no_layers_are_refused() -> None:
    for base, budget in [(-1, 0), (0, -1)]:
        with pytest.raises(ConfigError, match="negative"):
            layer_weights({"a": 1.0}, base=base, budget=budget)
    with pytest.raises(ConfigError, match="No layer"):
        layer_weights({}, base=1, budget=1)
    with pytest.raises(ConfigError, match="gentle, authors"):
        preset_scale("harsh")


def test_weights_by_hand_are_read() -> None:
    assert parse_weights(("layer1=10", "layer2.0=0", "stem=1e3")) == {
        "layer1": 10, "layer2.0": 0, "stem": 1000,
    }  # fmt: skip
    assert parse_weights(()) == {}


@pytest.mark.parametrize(
    "word", ["layer1", "layer1=", "=3", "layer1=-1", "layer1=inf", "layer1=nan", "a=b", ""]
)
def test_malformed_weights_are_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="layer1=10"):
        parse_weights((word,))


def test_preset_scales_are_positive_numbers() -> None:
    for scale in PRESETS.values():
        assert 0 < scale.base < math.inf
        assert 0 < scale.budget < math.inf
