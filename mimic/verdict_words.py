"""What a verdict says: its figures as sentences, and what to do at each level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimic.intervals import Interval
from mimic.score_differences import interval_between

Scores = Mapping[str, Any]

LAYERS_TELL = "what its layers tell about its answers"
ASK = (
    "Do not take this as an all-clear.",
    "Ask where the encoder comes from, and test it with suspected triggers and labelled images.",
)
ACTIONS = {
    "backdoor": (
        "Do not ship it, and tell whoever built on it.",
        "Clean it: a fresh encoder learns its knowledge from a few clean images.",
    ),
    "not_seen": (
        "It may be used as far as this trigger goes; other triggers are not ruled out.",
        "Test more triggers and more images where much depends on it.",
    ),
    "unknown": (
        "Do not take this as an all-clear.",
        "Repeat with more test images, and with a clean twin: an encoder of the same kind, never "
        "attacked.",
    ),
    "broken": ("Do not use it.", "Check the file, the normalisation and the input size."),
    "clean": (
        "Use the cleaned encoder in place of the suspect, and watch its accuracy.",
        "Test other triggers too: only this one was measured.",
    ),
    "weak": (
        "Do not use it yet.",
        "Train longer or with more clean images, then judge it again.",
    ),
    "nothing": (
        "Keep the original where its accuracy is better: cleaning had nothing to remove.",
        "Test more triggers and more images where much depends on it.",
    ),
    "trace": (
        "Clean once more with another seed or without the clone loss, and compare.",
        "Where the trace matters, do not ship it yet.",
    ),
    "remains": (
        "Do not ship it.",
        "Clean with fewer rounds (epochs), gentler layer weights or without the clone loss.",
    ),
}


def untrained_clause(untrained: Scores) -> str:
    """What the same network reaches before any training: the measure for what was learned."""
    if untrained.get("accuracy") is None:
        return ""
    told = f" Even the same network untrained is right {percent(untrained['accuracy'])} of the time"
    asr = untrained.get("asr")
    told += "" if asr is None else f" and obeys the trigger on {percent(asr)}"
    return f"{told}; only what is better than that was learned."


def rate_sentence(scores: Scores, twin: Scores) -> str:
    """ASR with its interval, beside the floor with its own."""
    told = (
        f"{percent(scores['asr'])} of {scores['stamped_images']} images with the trigger get the "
        f"attacker's answer (95% interval {between(scores['asr_interval'])}"
    )
    choices = scores.get("picked_among")
    told += f", allowing for that this answer was picked out of {choices})" if choices else ")"
    if twin.get("asr") is None:
        return f"{told}; there is no clean twin to compare with."
    return (
        f"{told}; on the clean twin, which was never attacked, {percent(twin['asr'])} "
        f"({between(twin['asr_interval'])})."
    )


def restored_sentence(before: Scores, after: Scores, twin: Scores, untrained: Scores) -> str:
    """How often answers are right with the trigger on; empty in runs older than the figure.

    That an encoder no longer gives the attacker's answer does not mean that it gives the right one.
    """
    was, now, clean = (s.get("stamped_accuracy") for s in (before, after, twin))
    if was is None or now is None:
        return ""
    told = (
        f"With the trigger on, {percent(now)} of {after['stamped_images']} images get their own, "
        f"right answer (95% interval {between(after['stamped_accuracy_interval'])}); before "
        f"cleaning, {percent(was)}"
    )
    if untrained.get("stamped_accuracy") is not None:
        told += f"; on the same network untrained, {percent(untrained['stamped_accuracy'])}"
    if clean is None:
        return f"{told}."
    told += f"; on the clean twin, {percent(clean)}."
    if stamped_loss(twin, after)[0] > 0:
        told += (
            " So the trigger still costs it right answers, more than it costs the clean twin, even "
            "where it does not lead to the attacker's."
        )
    return told


def stamped_loss(high: Scores, low: Scores) -> Interval:
    """95 % interval of how many more triggered images one encoder has right than another."""
    return interval_between(low, high, "stamped_accuracy")


def kept(information: Mapping[str, Any] | None, network: str) -> float | None:
    """Share of a network's information, summed over layers, that is left with the trigger on."""
    sums = {
        c["input"]: sum(v for v in c["layers"].values() if v is not None)
        for c in (information or {}).get("curves", ())
        if c["network"] == network
    }
    if not {"clean", "triggered"} <= sums.keys() or sums["clean"] <= 0:
        return None
    return float(sums["triggered"] / sums["clean"])


COLLAPSED, KEPT = 0.6, 0.8
"""Share of information left with the trigger on: below the first for the suspect and above the
second for its clean twin, the suspect alone has stopped looking at the picture."""


def has_collapsed(share: float) -> bool:
    """Whether so little is left with the trigger on that it may mean something."""
    return share < COLLAPSED


def stops_looking(suspect: float | None, twin: float | None) -> bool | None:
    """Whether information is lost with the trigger on, and by the suspect alone.

    None where either was not measured: any patch covers something, so only the clean twin's share
    tells whether a loss means anything.
    """
    if suspect is None or twin is None:
        return None
    return has_collapsed(suspect) and twin > KEPT


def looking_sentence(suspect: float, twin: float | None) -> str:
    """What the shares left with the trigger on mean for the suspect."""
    if not has_collapsed(suspect):
        return "The trigger does not make the suspect ignore the picture."
    if twin is None:
        return (
            "Any trigger covers a part of the picture: only a clean twin would tell whether that "
            "loss means anything."
        )
    if stops_looking(suspect, twin):
        return "The suspect looks at the picture far less: a strong sign of a backdoor."
    return "The clean twin loses much, too, so that is no sign of a backdoor."


def share_left(share: float, what: str, *, explained: bool = False) -> str:
    """How much of something is left, in words; a share above 1 reads as all of it.

    The share compares two estimates, and either may lie further from its true value. That the one
    with the trigger on comes out higher does not mean that the trigger added anything.

    Args:
        share: of 1, as ``kept`` gives it; may lie above 1.
        what: of which it is left: "it" or "the information".
        explained: whether to add, for those who know about estimates, why it can lie above 100%.

    Returns:
        Such as "32% of it", or "all of it (estimate 110%)".
    """
    percents = f"{100 * share:.0f}%"
    if round(100 * share) <= 100:
        return f"{percents} of {what}"
    why = "; a ratio of two estimates, which can exceed 100%" if explained else ""
    return f"all of {what} (estimate {percents}{why})"


def information_sentence(information: Mapping[str, Any] | None) -> str:
    """What happens to the information with the trigger on; nothing if it was not measured."""
    suspect, twin = kept(information, "teacher"), kept(information, "clean_twin")
    if suspect is None:
        return ""
    told = f"With the trigger on, {share_left(suspect, LAYERS_TELL)} is left"
    if twin is not None:
        told += f"; the clean twin keeps {share_left(twin, 'it', explained=True)}"
    return f"{told}."


def percent(share: float) -> str:
    """A share of 1 as percent."""
    return f"{100 * share:.1f}%"


def between(bounds: tuple[float, float]) -> str:
    """An interval of shares."""
    return f"{100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}%"
