"""A browser test recorded as an animated picture; needs no video encoder, only Pillow."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image

WIDTH = 800
SHORTEST, LONGEST = 120, 4_000
"""Milliseconds a frame is shown, at least and at most; frames that come faster are left out."""


class Film:
    """What the browser draws from now on, whenever it changes.

    Args:
        page: a Playwright page of Chromium.
    """

    def __init__(self, page: Any) -> None:
        self.frames: list[tuple[float, str]] = []
        self.session = page.context.new_cdp_session(page)
        self.session.on("Page.screencastFrame", self.keep)
        self.session.send(
            "Page.startScreencast", {"format": "jpeg", "quality": 70, "maxWidth": WIDTH}
        )

    def keep(self, frame: dict[str, Any]) -> None:
        """Take one frame, and ask for the next."""
        at = float(frame["metadata"]["timestamp"])
        if not self.frames or 1000 * (at - self.frames[-1][0]) >= SHORTEST:
            self.frames.append((at, frame["data"]))
        self.session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    def write(self, path: Path) -> None:
        """End the film and write it as WebP, in real time but for long waits."""
        self.session.send("Page.stopScreencast")
        pictures = [
            Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB") for _, data in self.frames
        ]
        for picture in pictures:
            picture.thumbnail((WIDTH, 2 * WIDTH))
        times = [at for at, _ in self.frames]
        gaps = [b - a for a, b in zip(times, [*times[1:], times[-1] + 2], strict=True)]
        shown = [int(min(LONGEST, max(SHORTEST, 1000 * gap))) for gap in gaps]
        pictures[0].save(
            path, save_all=True, append_images=pictures[1:], duration=shown, loop=0, quality=60,
            method=2,
        )  # fmt: skip
