"""Encoder files: the gate, recognition, and the way back out."""

from mimic.checkpoint.encoder_file import EncoderFile
from mimic.checkpoint.export import export_suffix, save_badencoder, save_encoder, save_in_layout
from mimic.checkpoint.loading import load_encoder
from mimic.checkpoint.match import Match, MatchError
from mimic.checkpoint.presets import Choice

__all__ = [
    "Choice",
    "EncoderFile",
    "Match",
    "MatchError",
    "export_suffix",
    "load_encoder",
    "save_badencoder",
    "save_encoder",
    "save_in_layout",
]
