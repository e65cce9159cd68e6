"""Encoder files: the gate, recognition, and the way back out."""

from mimic.checkpoint.export import save_badencoder, save_encoder, save_in_layout
from mimic.checkpoint.loading import EncoderFile, load_encoder

__all__ = ["EncoderFile", "load_encoder", "save_badencoder", "save_encoder", "save_in_layout"]
