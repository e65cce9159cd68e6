import dataclasses
import json
from typing import Any

import pytest

from mimic.config import (
    ASSETS,
    VERB_CONFIGS,
    AttackConfig,
    Config,
    DistillConfig,
    EmbedConfig,
    EvaluateConfig,
    InformationConfig,
    InspectConfig,
    PretrainConfig,
    SweepConfig,
    resolve_path,
)
from mimic.errors import ConfigError


def changed(kind: type[Config]) -> Config:
    """A config whose every setting differs from its default, where checks allow."""
    known: dict[str, Any] = {
        "precision": "float32", "layers": ("stem", "layer2.0"), "networks": ("random",),
        "inputs": ("clean",), "projections": ("pca",), "probes": ("knn", "mlp"),
        "weights": ("layer1=2",), "schedule": "constant", "target_class": 3,
        "clean_fraction": 0.5, "held_out": 0.5, "learning_rate": 0.25,
        "critic_learning_rate": 0.25, "warm_up": 0.25,
        "layer_sets": ("stem+layer2.0", "none"),
        "scales": ("gentle",), "seeds": ("4", "7"), "losses": ("no-clone", "attention-only"),
        "estimator": "ksg", "preset": "authors", "input_size": 64, "max_pool": "yes", "heads": 4,
        "image_size": 64,
    }  # fmt: skip
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        default = field.default
        if field.name in known:
            values[field.name] = known[field.name]
        elif isinstance(default, bool):
            values[field.name] = not default
        elif isinstance(default, int | float):
            values[field.name] = default + 2
        elif isinstance(default, str):
            values[field.name] = "x " + default
    return kind(**values)


@pytest.mark.parametrize("verb", VERB_CONFIGS)
def test_every_config_survives_json(verb: str) -> None:
    kind = VERB_CONFIGS[verb]
    for config in (kind(), changed(kind)):
        restored = kind.from_json(json.loads(json.dumps(config.to_json())))
        assert restored == config
        assert type(restored) is kind
    unchanged = [
        f.name for f in dataclasses.fields(kind) if getattr(changed(kind), f.name) == f.default
    ]
    assert unchanged == []


@pytest.mark.parametrize("verb", VERB_CONFIGS)
def test_every_setting_explains_itself(verb: str) -> None:
    for field in dataclasses.fields(VERB_CONFIGS[verb]):
        assert len(field.metadata["help"]) >= 8, field.name


@pytest.mark.parametrize("verb", VERB_CONFIGS)
def test_unknown_settings_are_refused_by_name(verb: str) -> None:
    with pytest.raises(ConfigError, match="no setting called colour, size"):
        VERB_CONFIGS[verb].from_json({"colour": 1, "size": 2})


@pytest.mark.parametrize(
    "values", [{"epochs": "many"}, {"epochs": None}, {"layers": 5}, {"seed": "0"}]
)
def test_values_of_the_wrong_type_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        DistillConfig.from_json(values)


REFUSED: list[tuple[type[Config], dict[str, Any], str]] = [
    (DistillConfig, {"clean_fraction": 0.0}, "clean fraction 0 is not between 0 and 1"),
    (DistillConfig, {"clean_fraction": 1.5}, "clean fraction 1.5 is not between 0 and 1"),
    (InformationConfig, {"clean_fraction": -0.1}, "clean fraction"),
    (InformationConfig, {"clean_fraction": float("nan")}, "clean fraction"),
    (DistillConfig, {"layers": ()}, "No layer is chosen"),
    (InformationConfig, {"layers": ()}, "No layer is chosen"),
    (DistillConfig, {"layers": ("layer1", "layer1")}, "named twice"),
    (DistillConfig, {"epochs": 0}, "0 epochs would train nothing"),
    (PretrainConfig, {"epochs": 0}, "0 epochs"),
    (AttackConfig, {"epochs": -3}, "-3 epochs"),
    (InformationConfig, {"critic_epochs": 0}, "0 epochs"),
    (DistillConfig, {"batch_size": 1}, "batch of 1"),
    (InformationConfig, {"critic_batch": 0}, "batch of 0"),
    (DistillConfig, {"learning_rate": 0.0}, "learning rate 0"),
    (PretrainConfig, {"learning_rate": 2.0}, "learning rate 2"),
    (AttackConfig, {"learning_rate": float("nan")}, "learning rate nan"),
    (DistillConfig, {"schedule": "steps"}, "schedule 'steps'"),
    (DistillConfig, {"evaluate_every": 0}, "evaluate_every"),
    (DistillConfig, {"warm_up": 1.5}, "warm-up share 1.5"),
    (DistillConfig, {"patience": -1}, "patience"),
    (DistillConfig, {"margin": -0.1}, "margin"),
    (DistillConfig, {"reference": True, "precision": "bfloat16"}, "not in bfloat16"),
    (DistillConfig, {"temperature": 0.0}, "temperature"),
    (DistillConfig, {"contrastive_weight": -1.0}, "negative"),
    (
        DistillConfig,
        {"contrastive_weight": 0.0, "attention_weight": 0.0, "clone_weight": 0.0},
        "Every loss is switched off",
    ),
    (InformationConfig, {"networks": ()}, "networks 'none'"),
    (InformationConfig, {"networks": ("student",)}, "networks 'student'"),
    (InformationConfig, {"inputs": ("noisy",)}, "inputs 'noisy'"),
    (InformationConfig, {"held_out": 0.0}, "held-out share 0"),
    (InformationConfig, {"held_out": 1.0}, "held-out share 1"),
    (InformationConfig, {"noise": -0.5}, "noise"),
    (EmbedConfig, {"projections": ()}, "projection"),
    (EmbedConfig, {"projections": ("tsne",)}, "projection"),
    (EmbedConfig, {"points": 4}, "Too few points"),
    (SweepConfig, {"layer_sets": ()}, "no layer sets"),
    (SweepConfig, {"scales": ()}, "no scales"),
    (SweepConfig, {"seeds": ()}, "no seeds"),
    (SweepConfig, {"losses": ()}, "no losses"),
    (SweepConfig, {"workers": 0}, "0 workers"),
    (SweepConfig, {"epochs": 0}, "0 epochs"),
    (SweepConfig, {"schedule": "steps"}, "schedule 'steps'"),
    (InspectConfig, {"target_class": -2}, "target class -2"),
    (InspectConfig, {"probe_images": 1}, "probe_images is 1"),
    (EvaluateConfig, {"test_images": 0}, "test_images is 0"),
    (InspectConfig, {"seed": -1}, "seed -1"),
    (InspectConfig, {"seed": 2**31}, "seed 2147483648"),
    (InspectConfig, {"precision": "float16"}, "precision 'float16'"),
]


@pytest.mark.parametrize(
    ("kind", "values", "message"), REFUSED, ids=[f"{k.__name__}-{v}" for k, v, _ in REFUSED]
)
def test_impossible_settings_are_refused_with_cause_and_remedy(
    kind: type[Config], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(**values)
    assert message in caught.value.cause
    assert caught.value.cause.endswith(".")
    assert caught.value.remedy.endswith(".")


def test_a_sixth_of_the_images_and_all_of_them_are_fractions() -> None:
    assert DistillConfig(clean_fraction=1.0).clean_fraction == 1
    assert InformationConfig(clean_fraction=1 / 6).clean_fraction == 1 / 6


def test_configs_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DistillConfig().epochs = 3  # type: ignore[misc]


def test_asset_paths_lead_into_the_assets() -> None:
    assert resolve_path("asset:demo/trigger.npz") == ASSETS / "demo" / "trigger.npz"
    assert resolve_path("asset:demo/trigger.npz").is_file()
    assert str(resolve_path("some/file.pth")) == "some/file.pth"
