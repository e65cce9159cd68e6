"""What each verb can be told, one class per verb."""

from __future__ import annotations

from mimic.config.information import INFORMATION_PRESETS, InformationConfig
from mimic.config.settings import (
    ASSET_PREFIX,
    DEFAULT_LAYERS,
    PUBLIC_PREFIX,
    Config,
    check_training,
    option,
    require,
    resolve_path,
    same_as,
    without_home,
)
from mimic.config.subject import (
    TRIGGER_FORMS,
    AttentionConfig,
    CleanSubsetConfig,
    EmbedConfig,
    EvaluateConfig,
    InspectConfig,
    PlacementConfig,
    SubjectConfig,
)
from mimic.config.training import AttackConfig, DistillConfig, PretrainConfig, SweepConfig
from mimic.paths import ASSETS

VERB_CONFIGS: dict[str, type[Config]] = {
    "pretrain": PretrainConfig,
    "attack": AttackConfig,
    "inspect": InspectConfig,
    "information": InformationConfig,
    "distill": DistillConfig,
    "sweep": SweepConfig,
    "evaluate": EvaluateConfig,
    "placement": PlacementConfig,
    "embed": EmbedConfig,
    "attention": AttentionConfig,
}

__all__ = [
    "ASSETS",
    "ASSET_PREFIX",
    "DEFAULT_LAYERS",
    "INFORMATION_PRESETS",
    "PUBLIC_PREFIX",
    "TRIGGER_FORMS",
    "VERB_CONFIGS",
    "AttackConfig",
    "AttentionConfig",
    "CleanSubsetConfig",
    "Config",
    "DistillConfig",
    "EmbedConfig",
    "EvaluateConfig",
    "InformationConfig",
    "InspectConfig",
    "PlacementConfig",
    "PretrainConfig",
    "SubjectConfig",
    "SweepConfig",
    "check_training",
    "option",
    "require",
    "resolve_path",
    "same_as",
    "without_home",
]
