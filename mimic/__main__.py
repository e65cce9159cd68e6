"""``python -m mimic VERB``."""

import sys

from mimic.cli import main

if __name__ == "__main__":
    sys.exit(main())
