"""What a reader of any result should know of the encoder's file, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping

from mimic.checkpoint.families import Family
from mimic.checkpoint.gate import StoredFile
from mimic.checkpoint.ignored import SECOND
from mimic.checkpoint.layouts import Layout
from mimic.checkpoint.presets import Options
from mimic.checkpoint.recognition import RECORD, read_record
from mimic.encoder import Architecture
from mimic.parsing.opcodes import shorten

MAX_NAMED = 5


def untold_doubts(file: StoredFile, architecture: Architecture, options: Options) -> list[str]:
    """What of a transformer was assumed because no tensor tells it.

    A number of heads is told even where all published transformers of that width but one have it.
    """
    recorded = options.compared or read_record(file.metadata.get(RECORD, ""))
    if architecture.kind != "vit" or recorded:
        return []
    doubts = []
    if not options.heads:
        doubts.append(
            f"The number of attention heads is not stored in the file; {architecture.head_count} "
            "was assumed (--heads changes it)."
        )
    if architecture.class_token and not architecture.norm_after_pool:
        doubts.append(
            "The file does not tell how its transformer pools its tokens; the class token was "
            "taken, with which an encoder trained on the average of all gives wrong features."
        )
    doubts.append(
        "The file holds a CLIP transformer but not which activation it was trained with; GELU "
        "was assumed, with which an encoder trained with quick-GELU gives wrong features."
        if architecture.pre_norm
        else "The file does not tell which activation its transformer was trained with; GELU was "
        "assumed, with which an encoder trained with another gives wrong features."
    )
    return doubts


def doubts_of(family: Family, ignored: Mapping[str, str], options: Options) -> list[str]:
    """What a reader of any result should know of the file."""
    doubts = [family.doubt] if family.doubt and options.normalization == "auto" else []
    unknown = [shorten(name) for name, why in ignored.items() if why == "other"]
    if unknown:
        more = f" and {len(unknown) - MAX_NAMED} more" if len(unknown) > MAX_NAMED else ""
        doubts.append(
            f"The file also holds tensors of unknown purpose, which are not used: "
            f"{', '.join(unknown[:MAX_NAMED])}{more}."
        )
    return doubts


def other_encoders(file: StoredFile, ignored: Mapping[str, str], layout: Layout) -> list[str]:
    """Which other whole networks the file holds: a verdict on one says nothing of the others."""
    doubts = []
    if file.other_states:
        shown = ", ".join(f"'{shorten(key)}'" for key in file.other_states[:MAX_NAMED])
        used = f"those under '{shorten(file.state_key)}'" if file.state_key else "the outermost"
        doubts.append(
            f"The file also holds tensors under {shown}, which are not examined: {used} are."
        )
    second = next((key for key, kind in ignored.items() if kind == SECOND), None)
    if second is not None:
        used = shorten(layout.sources[layout.names.stem][0])
        doubts.append(
            f"The file holds a second, different encoder (with {shorten(second)}), which is not "
            f"examined: the one with {used} is."
        )
    return doubts
