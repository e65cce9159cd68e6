"""The command line's options: those of a verb are its config's fields."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import typing
from pathlib import Path
from typing import Any

from mimic import bookkeeping, job
from mimic.config import VERB_CONFIGS, Config
from mimic.run import own_version


class Version(argparse.Action):
    """Says which code this is; git is asked only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and exit."""
        sys.stdout.write(" ".join(own_version().values()) + "\n")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The parser: one sub-command per verb."""
    parser = argparse.ArgumentParser(
        prog="python -m mimic", description="Clean a backdoored image encoder."
    )
    parser.add_argument(
        "--version", action=Version, nargs=0, dest=argparse.SUPPRESS, default=argparse.SUPPRESS,
        help="say version and commit",
    )  # fmt: skip
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON object as last line")
    shared.add_argument("--root", help="folder of runs (default: $MIMIC_RUNS or runs)")
    for verb, config in VERB_CONFIGS.items():
        text = (config.__doc__ or "").split("\n")[0]
        sub = verbs.add_parser(verb, parents=[shared], help=text, description=text)
        add_fields(sub, config)
        if verb in job.RESUMABLE:
            sub.add_argument("--resume", metavar="RUN", help="continue this run")
        if verb == "information":
            add_ground_truth(sub)
        if verb == "inspect":
            sub.add_argument(
                "files", nargs="*", metavar="FILE", default=argparse.SUPPRESS,
                help="only say what these encoder files hold: no images, no run; with --json one "
                "object per file and line; exit status 2 if any is refused",
            )  # fmt: skip
    bookkeeping.add_parsers(verbs, shared)
    said = verbs.add_parser("verdict", parents=[shared], help="What a run found, and what to do.")
    said.add_argument("run", metavar="RUN", help="a finished inspection or distillation")
    demo = verbs.add_parser("demo", parents=[shared], help="Show the defence on the built-in demo.")
    demo.add_argument("--seeds", type=int, default=5, help="students to distil (default 5)")
    demo.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    demo.add_argument("--build", metavar="FOLDER", help="train the demo anew into this folder")
    demo.add_argument(
        "--keep-encoders", action="store_true", help="with --build: renew only the demo's runs"
    )
    app = verbs.add_parser("app", parents=[shared], help="Open MIMIC Studio in the browser.")
    app.add_argument("--port", type=int, default=8501, help="port on this machine (default 8501)")
    app.add_argument("--address", default="127.0.0.1", help="address to serve (default 127.0.0.1)")
    app.add_argument(
        "--expose", action="store_true", help="allow an --address that other machines can reach"
    )
    app.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    execute = verbs.add_parser(
        "execute", help="Execute a prepared run directory (used by the app)."
    )
    execute.add_argument("directory", type=Path)
    return parser


def add_ground_truth(parser: argparse.ArgumentParser) -> None:
    """Options of the table that tests estimators; it needs no encoder and makes no run."""
    group = parser.add_argument_group("estimators against the truth")
    group.add_argument(
        "--ground-truth", action="store_true", default=argparse.SUPPRESS,
        help="print a table of all estimators on pairs whose information is known exactly",
    )  # fmt: skip
    group.add_argument(
        "--quick", action="store_true", default=argparse.SUPPRESS,
        help="with --ground-truth: a small table in seconds",
    )  # fmt: skip
    group.add_argument(
        "--seeds", type=int, default=argparse.SUPPRESS,
        help="with --ground-truth: draws per case (default 3)",
    )  # fmt: skip
    group.add_argument(
        "--estimators", nargs="+", metavar="NAME", default=argparse.SUPPRESS,
        help="with --ground-truth: only these",
    )  # fmt: skip


def add_fields(parser: argparse.ArgumentParser, config: type[Config]) -> None:
    """One option per field; options left out stay out of the result."""
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        options: dict[str, Any] = {"dest": field.name, "default": argparse.SUPPRESS}
        shown = " ".join(field.default) if isinstance(field.default, tuple) else field.default
        told, unset = field.metadata["help"], field.metadata["unset"]
        sign = f"; {shown}: {unset}" if unset else ""
        options["help"] = f"{told}{sign} (default: {shown})".replace("%", "%%")
        kind = hints[field.name]
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif typing.get_origin(kind) is tuple:
            options |= {"nargs": "+", "metavar": "NAME"}
        else:
            options |= {"type": kind, "metavar": kind.__name__.upper()}
        parser.add_argument("--" + field.name.replace("_", "-"), **options)
