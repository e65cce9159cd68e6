"""What settings are: frozen values with their own help text, checked when made, stored as JSON.

A field's ``help`` text is the command line's help and the app's tooltip, written once.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from mimic.errors import ConfigError
from mimic.paths import ASSETS, is_below, typed_path

ASSET_PREFIX = "asset:"
"""Marks a path inside ``assets/``, so that stored runs name no directory of one machine."""

PUBLIC_PREFIX = "timm:"
"""Begins the name of a public encoder, which is no path; see ``mimic.pretrained``."""

DEFAULT_LAYERS = ("layer1", "layer2", "layer3", "layer4")


def option(default: Any, help_text: str, unset: str = "") -> Any:
    """A dataclass field that carries its own help text.

    Args:
        default: the value where nothing is given.
        help_text: what the setting is.
        unset: what the default stands for, where it is no value of the setting but a sign such as
            -1. The command line names the sign; the app shows an empty field.
    """
    return field(default=default, metadata={"help": help_text, "unset": unset})


def same_as(kind: type[Any], name: str) -> Any:
    """A dataclass field with the default and the help text that another config gives it."""
    given = kind.__dataclass_fields__[name]
    return field(default=given.default, metadata=given.metadata)


def resolve_path(text: str) -> Path:
    """Turn a stored or typed path into a real one; ``asset:x`` means ``assets/x``.

    Raises:
        ConfigError: if it leads outside the folders that may be read, see ``mimic.paths``.
    """
    if not text.startswith(ASSET_PREFIX):
        return typed_path(text)
    path = ASSETS / text.removeprefix(ASSET_PREFIX)
    require("\0" not in text and is_below(path, (ASSETS,)), "That is no asset.", "Check its name.")
    return path


def without_home(text: str) -> str:
    """Write ``~`` for the home folder, so that no stored run or page names its user.

    ``resolve_path`` reads it back.
    """
    home = os.path.normpath(Path("~").expanduser())
    if home in {os.sep, "~", "."}:
        return text
    return re.sub(rf"(?<![^\s'\"=:(,“]){re.escape(home)}(?=$|[^\w.-])", "~", text)


def require(condition: bool, cause: str, remedy: str) -> None:
    """Raise ``ConfigError(cause, remedy)`` unless ``condition`` holds."""
    if not condition:
        raise ConfigError(cause, remedy)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings common to every verb."""

    seed: int = option(0, "seed of every random choice")
    device: str = option("auto", "auto, cpu, cuda, cuda:N or mps")
    precision: str = option(
        "auto", "auto, float32 or bfloat16; auto takes bfloat16 where the hardware multiplies it"
    )
    data_root: str = option("data", "folder that torchvision data sets are read from")
    download: bool = option(False, "allow fetching a missing torchvision set or timm encoder")
    image_size: int = option(
        0,
        "side in pixels to which images of a folder, zip or list are cropped and resized",
        unset="the encoder's own input size, or 32",
    )

    def __post_init__(self) -> None:
        require(
            0 <= self.seed < 2**31,
            f"The seed {self.seed} is outside 0 to 2147483647.",
            "Choose a seed in that range.",
        )
        require(
            self.image_size == 0 or 8 <= self.image_size <= 1024,
            f"Images of {self.image_size} pixels a side cannot be used.",
            "Choose 8 to 1024, or 0 for the encoder's own input size.",
        )
        require(
            self.precision in {"auto", "float32", "bfloat16"},
            f"The precision '{self.precision}' is not known.",
            "Choose auto, float32 or bfloat16.",
        )

    @property
    def asked_precision(self) -> str:
        """The number format that all settings together ask for."""
        return self.precision

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON-ready values, paths without the name of the home folder."""
        values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return {k: without_home(v) if isinstance(v, str) else v for k, v in values.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild from ``to_json``.

        Raises:
            ConfigError: if a key is unknown or a value is of the wrong type.
        """
        fields = {f.name: f for f in dataclasses.fields(cls)}
        unknown = sorted(set(values) - set(fields))
        require(
            not unknown,
            f"{cls.__name__} has no setting called {', '.join(unknown)}.",
            f"Known settings are {', '.join(fields)}.",
        )
        try:
            frozen: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
            }
            return cls(**frozen)
        except TypeError as error:
            raise ConfigError(
                f"A setting of {cls.__name__} has the wrong type.", "Compare it with --help."
            ) from error


def check_training(epochs: int, batch_size: int, learning_rate: float) -> None:
    """Reject training lengths and rates that cannot work."""
    require(epochs >= 1, f"{epochs} epochs would train nothing.", "Choose at least 1.")
    require(batch_size >= 2, f"A batch of {batch_size} is too small.", "Choose at least 2.")
    require(
        0 < learning_rate <= 1,
        f"The learning rate {learning_rate:g} is not between 0 and 1.",
        "Choose for example 0.003.",
    )
