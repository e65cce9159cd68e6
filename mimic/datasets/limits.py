"""What is read at most, so that no file can exhaust the machine."""

from __future__ import annotations

GIBIBYTE = 2**30
MAX_ARRAY_BYTES = 2 * GIBIBYTE
"""Pixels of one data set in memory, and what an archive may unpack to."""
MAX_PIXELS = 25_000_000
"""Pixels of one image file before it is resized."""
MAX_FILE_BYTES = 128 * 2**20
"""One image file."""
MAX_TABLE_BYTES = 128 * 2**20
"""One list of paths and labels."""
MAX_MEMBERS = 20_000
"""Members of an archive."""
MAX_FILES = 1_000_000
"""Files of a folder or a list."""
MAX_RATIO = 100
"""How many bytes an archive's member may unpack to for each stored byte."""
MAX_LABEL = 100_000
"""Largest class number."""
PLAIN_CLASSES = 10_000
"""So many classes are taken for honest however few the images are."""
CLASSES_PER_IMAGE = 10
"""Of more classes, how many there may be for each image: one half of a set lacks some."""
BAD_SHARE = 0.05
"""Share of unreadable images above which a set is refused."""
