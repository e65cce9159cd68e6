"""``python -m ui.report RUN_DIRECTORY --output FILE``: draw the report of a finished distillation.

``python -m mimic report`` calls this; the runs of the same subject are found in ``$MIMIC_RUNS``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mimic.errors import MimicError
from mimic.run import Run, replace_file
from ui.report.document import document
from ui.report.material import gather


def main() -> int:
    """Write the file; a refusal is printed as one JSON object and gives 1."""
    parser = argparse.ArgumentParser(prog="python -m ui.report")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    try:
        whole = document(gather(Run.open(options.directory)))
        replace_file(options.output, lambda path: path.write_text(whole, encoding="utf-8"))
    except MimicError as error:
        sys.stdout.write(json.dumps({"error": error.cause, "remedy": error.remedy}) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
