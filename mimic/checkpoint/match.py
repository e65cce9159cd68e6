"""Whether the tensors of a file fill the whole network."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from mimic.encoder import Encoder
from mimic.errors import EncoderError


def check_match(encoder: Encoder, tensors: Mapping[str, torch.Tensor], file_name: str) -> None:
    """Refuse tensors that do not fill the whole encoder, each in its shape."""
    wanted = encoder.state_dict()
    optional = {key for key in wanted if key.endswith("num_batches_tracked")}
    missing = sorted(set(wanted) - optional - set(tensors))
    extra = sorted(set(tensors) - set(wanted))
    shaped = sorted(k for k in set(wanted) & set(tensors) if wanted[k].shape != tensors[k].shape)
    for what, keys in (("lacks", missing), ("has unknown", extra), ("has mis-shaped", shaped)):
        if keys:
            raise EncoderError(
                f"'{file_name}' {what} {', '.join(keys[:5])}"
                f"{f' and {len(keys) - 5} more' if len(keys) > 5 else ''}.",
                f"It does not match a {encoder.architecture.name} of width "
                f"{encoder.architecture.width}; check that the file is complete.",
            )
