"""What curves of information mean, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from mimic.verdict_words import share_left

DATA_PROCESSING = (
    "Data processing: a layer cannot know more of the image than the layers before it, and since "
    "every layer determines the features, the true information about them is the same at every "
    "layer; it cannot rise or fall with depth. An estimate can, because a critic of fixed size "
    "and few images reads the features more easily from some layers than from others."
)


def explain(curves: Mapping[tuple[str, str], Mapping[str, float]]) -> str:
    """What the curves show, in plain words.

    Args:
        curves: (network, input) to nats per layer.
    """
    teacher = curves.get(("teacher", "clean"))
    if not teacher:
        return "The suspect encoder was not measured on clean images."
    top = max(teacher, key=lambda layer: teacher[layer])
    parts = [
        f"On clean images, {top} tells most about the suspect's output features "
        f"({teacher[top]:.2f} nats)."
    ]
    triggered = curves.get(("teacher", "triggered"))
    if triggered and sum(teacher.values()) > 0:
        kept = sum(triggered.values()) / sum(teacher.values())
        parts.append(
            f"With the trigger on, {share_left(kept, 'the information')} is left, summed over "
            "layers."
        )
        twin_clean, twin = (
            curves.get(("clean_twin", "clean")),
            curves.get(("clean_twin", "triggered")),
        )
        if twin_clean and twin and sum(twin_clean.values()) > 0:
            share = sum(twin.values()) / sum(twin_clean.values())
            parts.append(f"The clean twin keeps {share_left(share, 'it', explained=True)}.")
        if kept < 0.5:
            parts.append("The encoder stops looking at the image: a strong sign of a backdoor.")
        else:
            parts.append("The trigger does not make the encoder ignore the image.")
    return " ".join(parts)
