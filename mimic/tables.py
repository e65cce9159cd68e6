"""What bookkeeping commands say to a person: aligned tables and short sentences, no JSON.

Words of strangers (notes, paths, names) lose whatever steers a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mimic.enumeration import enumerated
from mimic.printable import printable as plain
from mimic.run import versions
from mimic.score_differences import MIXED, about_pairs, target_shares
from mimic.verdict import TITLES

NOTHING = "-"
NOTE_SIGNS = 60
SCORES = {
    "accuracy": "accuracy", "asr": "ASR", "asr_all": "ASR, all classes",
    "stamped_accuracy": "right, trigger on",
}  # fmt: skip
ENCODERS = {
    "student": "cleaned", "teacher": "suspect", "clean_twin": "clean twin",
    "untrained": "untrained",
}  # fmt: skip
DIFFERING = {
    "config": ("setting", "Settings that differ"),
    "machine": ("fact", "Machine: what differs, or is not known of all"),
    "inputs": ("input", "Inputs whose content differs"),
    "versions": ("component", "Versions that differ"),
}
UNKNOWN = {"machine": "not recorded", "inputs": "not read"}


def printable(words: object, most: int = 200) -> str:
    """Words on one line, without characters that steer a terminal, shortened."""
    line = plain(" ".join(str(words).split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows in columns two spaces apart; the first row is the head.

    Args:
        rows: cells; all rows of one length.
        right: columns of numbers, which end in line.
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def percent(share: float | None) -> str:
    """A share of 1."""
    return NOTHING if share is None else f"{100 * share:.1f}%"


def moment(seconds: float) -> str:
    """A moment on this machine's clock."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def runs(rows: Sequence[Mapping[str, Any]]) -> str:
    """Runs in a list.

    Args:
        rows: each with ``run``, ``kind``, ``state``, ``subject``, ``accuracy``, ``asr``,
            ``asr_interval`` and ``floor_asr`` (shares of 1 or None), ``started`` (seconds since
            1970) and ``note``.
    """
    head = (
        "RUN", "KIND", "STATE", "SUBJECT", "ACCURACY", "ASR", "95% INTERVAL", "FLOOR", "STARTED",
        "NOTE",
    )  # fmt: skip
    lines = [
        (
            *(printable(row[name]) for name in ("run", "kind", "state")),
            printable(row["subject"], 32),
            percent(row["accuracy"]), percent(row["asr"]), interval(row["asr_interval"]),
            percent(row["floor_asr"]), moment(row["started"]),
            printable(row["note"], NOTE_SIGNS),
        )
        for row in rows
    ]  # fmt: skip
    return aligned([head, *lines], right=(4, 5, 7))


def comparison(found: Mapping[str, Any]) -> str:
    """Runs side by side, see ``mimic.comparison.compare``: each has a letter."""
    letters = {row["run"]: chr(ord("A") + i % 26) for i, row in enumerate(found["runs"])}
    parts = [
        "\n".join(
            f"{letters[row['run']]}  {printable(row['run'])}  {printable(row['kind'])}, "
            f"{printable(row['state'])}"
            for row in found["runs"]
        )
    ]
    parts += [differing(found[part], letters, part) for part in DIFFERING]
    parts += [
        scores(found["scores"], letters), about_seeds(found), curves(found["curves"], letters),
        information(found.get("information", ()), letters), sweeps(found.get("sweep", ()), letters),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def differing(rows: Sequence[Mapping[str, Any]], letters: Mapping[str, str], part: str) -> str:
    """What the runs differ in, one row each."""
    word, title = DIFFERING[part]
    if not rows:
        return f"{title}: none"
    unknown = UNKNOWN.get(part, NOTHING)
    lines = [
        [
            printable(name_of(row[word], part)),
            *(value(row["values"].get(run), unknown) for run in letters),
        ]
        for row in rows
    ]
    return f"{title}\n{aligned([[word, *letters.values()], *lines])}"


def name_of(row: str, part: str) -> str:
    """What a row of a comparison is about; our own code is set apart from the libraries."""
    return versions.called(row) if part == "versions" else row


def value(found: object, unknown: str) -> str:
    """A setting or fact in a table."""
    if found is None:
        return unknown
    if isinstance(found, list | tuple):
        return printable(" ".join(str(v) for v in found) or "none", 40)
    return printable(found if found != "" else "not set", 40)


def scores(rows: Sequence[Mapping[str, Any]], letters: Mapping[str, str]) -> str:
    """Scores with intervals, and what is more than chance; those before only where they differ."""
    rows = [row for row in rows if row["encoder"] == "student" or differs(row)]
    if not rows:
        return ""
    head = ["encoder", "measure", "run", "score", "95% interval", "difference to the first"]
    pairs = about_pairs(rows)
    lines = [
        [
            printable(ENCODERS.get(row["encoder"], row["encoder"])), SCORES[row["measure"]],
            letters[run],
            percent(own["value"]), interval(own["interval"]),
            difference(row, run, marked=pairs == MIXED),
        ]
        for row in rows
        for run, own in row["values"].items()
    ]  # fmt: skip
    parts = ("Scores", aligned([head, *lines], right=(3,)), pairs, about_all_classes(rows))
    return "\n".join(part for part in parts if part)


def about_all_classes(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the ASR over all classes counts beside the others, from the share of these images."""
    shares = target_shares(rows)
    if shares is None:
        return ""
    low, high = map(percent, shares)
    told = low if low == high else f"{low} to {high}"
    return (
        f"{SCORES['asr_all']}: counts triggered images of the target class, too ({told} of the "
        "test images);\nan encoder that knows every image for what it is scores that, not 0."
    )


def differs(row: Mapping[str, Any]) -> bool:
    """Whether the runs have scored an encoder differently."""
    return len({own["value"] for own in row["values"].values()}) > 1


def interval(bounds: Sequence[float] | None) -> str:
    """A confidence interval of shares."""
    return NOTHING if not bounds else f"{percent(bounds[0])} to {percent(bounds[1])}"


def difference(row: Mapping[str, Any], run: str, *, marked: bool) -> str:
    """A run's difference to the first that has the score; marked where others are paired."""
    found = next((d for d in row["differences"] if d["run"] == run), None)
    if found is None:
        return NOTHING
    points = f"{100 * found['difference']:+.1f} points"
    if found["interval"] is None:
        return f"{points}, no interval"
    low, high = (100 * bound for bound in found["interval"])
    mark = ", unpaired" if marked and not found["paired"] else ""
    told = f"{points} ({low:.1f} to {high:.1f}{mark})"
    if found.get("unlike"):
        return f"{told}, measured with other {enumerated(found['unlike'])}"
    word = "beyond" if found["exceeds"] else "within"
    return f"{told}, {word} chance on these test images"


def about_seeds(found: Mapping[str, Any]) -> str:
    """What intervals over test images leave out, where encoders were trained apart.

    Each run holds one seed, so a comparison never shows how far seeds lie apart.
    """
    if found.get("seeds"):
        return repetitions(found["seeds"])
    trained = any(row["encoder"] == "student" and row["differences"] for row in found["scores"])
    others = found["scores"] and any(row.get("input") == "encoder" for row in found["inputs"])
    return "One seed each: another seed may move this by as much." if trained or others else ""


def repetitions(found: Mapping[str, Any]) -> str:
    """What several seeds of one setting come to, see ``mimic.seeds``."""
    drawn = ", ".join(str(seed) for seed in found["seeds"].values())
    figures = [
        f"  {SCORES[name]}: {percent(own['mean'])} on average, from {percent(own['lowest'])} to "
        f"{percent(own['highest'])}"
        for name, own in found["student"].items()
    ]
    count = len(found["seeds"])
    judged = [
        f"  {TITLES[level]}: {len(runs)} of {count}" for level, runs in found["verdicts"].items()
    ]
    return "\n".join(
        [f"The runs differ in the seed only ({drawn}). The cleaned encoders", *figures,
         *(["Verdicts, worst first", *judged] if judged else ())]
    )  # fmt: skip


def curves(found: Mapping[str, Any], letters: Mapping[str, str]) -> str:
    """Where the curves that runs share end; ``--json`` has every point."""
    if not found:
        return ""
    ends = {
        name: {run: next(v for v in reversed(own) if v is not None)
               for run, own in aligned_curve["values"].items()}
        for name, aligned_curve in found.items()
    }  # fmt: skip
    lines = [
        [
            printable(SCORES.get(name, name)),
            *(NOTHING if run not in own else end(name, own[run]) for run in letters),
        ]
        for name, own in ends.items()
    ]
    right = range(1, len(letters) + 1)
    table = aligned([["curve", *letters.values()], *lines], right=right)
    return f"Where curves end (--json has every epoch)\n{table}"


def information(rows: Sequence[Mapping[str, Any]], letters: Mapping[str, str]) -> str:
    """Nats per layer of the curves that measurements share."""
    lines = [
        [
            printable(f"{ENCODERS.get(row['network'], row['network'])}, {row['input']}"),
            printable(layer),
            *(nats(row["values"].get(run, {}).get(layer)) for run in letters),
        ]
        for row in rows
        for layer in dict.fromkeys(name for own in row["values"].values() for name in own)
    ]
    if not lines:
        return ""
    table = aligned([["curve", "layer", *letters.values()], *lines], right=columns(2, letters))
    return f"Information (nats)\n{table}"


def nats(value: float | None) -> str:
    """Information in a table."""
    return NOTHING if value is None else f"{value:.2f}"


def sweeps(rows: Sequence[Mapping[str, Any]], letters: Mapping[str, str]) -> str:
    """Mean ASR and accuracy of the cells that sweeps share."""
    lines = [
        [
            printable("+".join(row["layers"]) or "none"), f"{row['scale']:,g}",
            printable(row["losses"]), measure,
            *(percent(row["values"].get(run, {}).get(name)) for run in letters),
        ]
        for row in rows
        for name, measure in (("asr", SCORES["asr"]), ("accuracy", SCORES["accuracy"]))
    ]  # fmt: skip
    if not lines:
        return ""
    head = ["layers", "scale", "losses", "mean", *letters.values()]
    table = aligned([head, *lines], right=(1, *columns(4, letters)))
    return f"Cells of the sweeps\n{table}"


def columns(first: int, letters: Mapping[str, str]) -> range:
    """The columns of the runs, right of others."""
    return range(first, first + len(letters))


def end(name: str, value: float) -> str:
    """A curve's last value, in the unit in which scores are told."""
    return percent(value) if name in SCORES else f"{value:.3f}"


def verdict(found: Mapping[str, Any]) -> str:
    """A verdict, see ``mimic.verdict.Verdict.to_json``."""
    parts = [printable(f"{found['title']}. {found['headline']}", 1000),
             bullets("Why", found["reasons"]),
             printable(f"How sure: {found['confidence']}", 1000),
             bullets("What to do", found["actions"]),
             gentler(found.get("gentler")),
             printable(f"Checked: {', '.join(found['checks']) or 'nothing'}.", 1000),
             bullets("Not checked", found["missing"])]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def gentler(found: Mapping[str, Any] | None) -> str:
    """The gentler cleaning that a verdict calls for, see ``mimic.gentler``."""
    if not found:
        return ""
    told = bullets("A gentler cleaning", [*found["changes"], found["why"]])
    return f"{told}\n  {printable(found['command'], 4000)}"


def bullets(title: str, sentences: Sequence[str]) -> str:
    """Sentences below each other under a title; nothing for none."""
    lines = [f"  - {printable(sentence, 1000)}" for sentence in sentences]
    return "\n".join([title, *lines]) if lines else ""
