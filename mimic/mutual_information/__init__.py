"""How much each layer's activation tells about the output features."""

from mimic.mutual_information.estimators import Critic, DonskerVaradhanFit, donsker_varadhan_bound
from mimic.mutual_information.layerwise import (
    Curve,
    Measurement,
    PairSource,
    explain,
    measure_layers,
)

__all__ = [
    "Critic",
    "Curve",
    "DonskerVaradhanFit",
    "Measurement",
    "PairSource",
    "donsker_varadhan_bound",
    "explain",
    "measure_layers",
]
