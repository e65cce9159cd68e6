"""The three losses of MIMIC, one per file."""

from mimic.losses.attention import attention_loss, attention_map
from mimic.losses.clone import clone_loss
from mimic.losses.contrastive import nt_xent_loss

__all__ = ["attention_loss", "attention_map", "clone_loss", "nt_xent_loss"]
