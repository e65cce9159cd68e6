"""A look at a data set before any job: some images, the classes, the doubts.

The files are a stranger's, so a process of its own reads them: with little memory, little time, and
an environment that holds nothing but the folders it may read.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mimic.config import resolve_path
from mimic.datasets.listing import Listing, Picture
from mimic.datasets.load import arrays_file, existing, open_listing
from mimic.errors import DataError, MimicError
from mimic.paths import ROOTS, RUNS, lent_folders, runs_folder
from mimic.printable import shown

SECONDS = 20
MEMORY = 4 * 2**30
MAX_ARRAYS_BYTES = 256 * 2**20
"""Arrays are read whole, so larger files are left to the job."""
IMAGES = 6
SIDE = 64
MOST_CLASSES = 2_000
"""Of more, no names are told: nobody picks from such a list."""


@dataclass(frozen=True)
class Preview:
    """What is seen of a data set at first sight.

    Args:
        pixels: base64 of uint8 (n, SIDE, SIDE, 3).
        classes: the class of each of these images, by name or number; empty when unlabelled.
        counts: images by class, most frequent first.
        names: all classes by name or number, in the order of their labels; empty when
            unlabelled or too many.
        total: images to train on, or in all if the set comes in one piece.
        warnings: doubts, one sentence each.
        size: height and width of stored arrays; None for image files, which a job reads at the
            size that suits the encoder.
    """

    pixels: str
    classes: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    names: tuple[str, ...]
    total: int
    warnings: tuple[str, ...]
    size: tuple[int, int] | None = None

    @property
    def images(self) -> np.ndarray:
        """uint8 (n, SIDE, SIDE, 3)."""
        values = np.frombuffer(base64.b64decode(self.pixels), np.uint8)
        return values.reshape(-1, SIDE, SIDE, 3)


def preview(text: str) -> Preview:
    """Look at a data set in a process of its own.

    Args:
        text: path of a file or folder.

    Raises:
        MimicError: if it cannot be read, or not quickly.
    """
    path = resolve_path(text).absolute()
    # The child starts in another folder, so what is relative here has to be made absolute.
    kept = {"PATH": os.environ.get("PATH", ""), RUNS: str(runs_folder().absolute())}
    if lent_folders():
        kept[ROOTS] = os.pathsep.join(map(str, lent_folders()))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mimic.datasets.preview", str(path)],
            env={**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        told: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise DataError(
            f"'{shown(path.name)}' cannot be shown quickly.", "Start the job; it may take its time."
        ) from error
    if "cause" in told:
        raise DataError(told["cause"], told["remedy"])
    return Preview(
        told["pixels"],
        tuple(told["classes"]),
        tuple((name, count) for name, count in told["counts"]),
        tuple(told["names"]),
        told["total"],
        tuple(told["warnings"]),
        tuple(told["size"]) if told["size"] else None,
    )


def look(path: Path) -> Preview:
    """The preview, read in this process.

    Raises:
        DataError: if it cannot be read.
    """
    if path.is_file() and path.stat().st_size > MAX_ARRAYS_BYTES:
        raise DataError(
            f"'{shown(path.name)}' is too large to be shown at once.",
            "Start the job; it reads it whole.",
        )
    stored = arrays_file(existing(str(path)), "train")
    if stored is not None:
        labels = [] if stored.labels is None else [stored.class_name(int(k)) for k in stored.labels]
        chosen = spread(labels, len(stored))
        looks = np.stack([shrink(stored.images[i]) for i in chosen])
        names = tuple(map(stored.class_name, range(stored.classes)))
        found = describe(looks, [labels[i] for i in chosen] if labels else [], labels, names,
                         len(stored), stored.warnings)  # fmt: skip
        return replace(found, size=stored.size)
    with open_listing(path, "train") as listing:
        labels = [class_of(listing, picture) for picture in listing.pictures]
        chosen = spread(labels, len(labels))
        few = Listing(listing.name, tuple(listing.pictures[i] for i in chosen), labelled=False)
        images = few.load(SIDE).images
        own = labels if listing.labelled else []
        names = all_classes(listing) if own else ()
        return describe(images, [own[i] for i in chosen] if own else [], own, names, len(labels),
                        listing.warnings)  # fmt: skip


def all_classes(listing: Listing) -> tuple[str, ...]:
    """A labelled set's classes by name or number, those without a picture among them."""
    named = listing.class_names
    count = max(len(named), 1 + max(picture.label for picture in listing.pictures))
    return tuple(named[k] if k < len(named) else str(k) for k in range(count))


def describe(
    images: np.ndarray,
    classes: list[str],
    labels: list[str],
    names: tuple[str, ...],
    total: int,
    warnings: tuple[str, ...],
) -> Preview:
    """A preview of these parts."""
    return Preview(
        base64.b64encode(np.ascontiguousarray(images).tobytes()).decode(),
        tuple(classes),
        tuple(Counter(labels).most_common()),
        names if len(names) <= MOST_CLASSES else (),
        total,
        warnings,
    )


def class_of(listing: Listing, picture: Picture) -> str:
    """A picture's class by name or number."""
    names = listing.class_names
    return names[picture.label] if 0 <= picture.label < len(names) else str(picture.label)


def spread(labels: list[str], count: int) -> list[int]:
    """Positions of a few images, of different classes as far as there are."""
    positions = [int(i) for i in np.unique(np.linspace(0, count - 1, 50 * IMAGES).astype(int))]
    if not labels:
        return positions[:: max(1, len(positions) // IMAGES)][:IMAGES]
    seen: Counter[str] = Counter()
    rank = {}
    for position in positions:
        rank[position] = seen[labels[position]]
        seen[labels[position]] += 1
    return sorted(sorted(positions, key=lambda p: (rank[p], p))[:IMAGES])


def shrink(image: np.ndarray) -> np.ndarray:
    """An image as (SIDE, SIDE, 3), pixels repeated or left out."""
    rows, columns = (np.arange(SIDE) * side // SIDE for side in image.shape[:2])
    shrunk: np.ndarray = image[rows][:, columns]
    return shrunk


def main() -> None:
    """Look at the path given, and tell in JSON what is seen or why not."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):  # Not every system has such limits.
        pass
    try:
        told = asdict(look(Path(sys.argv[1])))
    except MimicError as error:
        told = {"cause": error.cause, "remedy": error.remedy}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
