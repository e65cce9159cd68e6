"""The top of a report: the verdict, and what was examined with what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mimic import other_probes
from mimic.run import versions
from ui import distillation, jobs, numbers
from ui.report import places
from ui.report.escape import words
from ui.report.material import Material

DIGITS = 16
"""Of a SHA-256 in the summary; the record has all of it."""


def verdict(material: Material) -> Iterator[str]:
    """What was found and what cleaning did."""
    after = other_probes.judged(material.run, [material.evaluation] if material.evaluation else [])
    yield f'<section class="verdict {words(after.level)}" aria-label="Verdict">'
    yield f'<p class="level">{words(after.title)}</p>'
    yield f'<p class="headline">{words(after.headline)}</p>'
    yield listed(
        {
            "Why": " ".join(after.reasons),
            "How sure": after.confidence,
            "What to do": " ".join(after.actions),
        }
    )
    yield "</section>"


def at_a_glance(material: Material) -> Iterator[str]:
    """What was examined, on which data, with which settings, versions and machine."""
    about, result = material.run.about(), material.result
    noted = about.get("inputs") or {}
    held = about.get("versions") or {}
    config = about["config"]
    status = jobs.state_of(material.run)
    yield "<h2>At a glance</h2>"
    yield listed(
        {
            "Suspect encoder": file_of(config.get("encoder"), noted.get("encoder")),
            "Clean twin": file_of(config.get("clean_twin"), noted.get("clean_twin")),
            "Trigger": file_of(config.get("trigger"), noted.get("trigger")),
            "Images": "; ".join(
                f"{row['input']}: {numbers.count(row['images'])} images"
                for row in places.inputs(noted)
                if isinstance(row["images"], int)
            ),
            "Cleaned with": f"{numbers.count(result['clean_images'])} clean images, "
            f"{distillation.lasted(result)}, seed {config.get('seed', numbers.NOTHING)}",
            "Machine": f"{status.device or result['device']}, {result['precision']}, "
            f"{numbers.duration(result['seconds'])}",
            "Versions": ", ".join(f"{versions.called(k)} {v}" for k, v in held.items()),
        }
    )


def file_of(setting: Any, noted: Mapping[str, Any] | None) -> str:
    """A file by name, with the beginning of its SHA-256 where one was taken."""
    if not setting:
        return "none given"
    digest = str((noted or {}).get("sha256") or "")
    return f"{places.name_only(str(setting))}{f' (SHA-256 {digest[:DIGITS]}…)' if digest else ''}"


def listed(rows: Mapping[str, str]) -> str:
    """Names with what belongs to each."""
    said = "".join(f"<dt>{words(n)}</dt><dd>{words(told or '–')}</dd>" for n, told in rows.items())
    return f"<dl>{said}</dl>"
