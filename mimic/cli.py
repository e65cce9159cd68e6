"""The command line: runs a verb and tells what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mimic import bookkeeping, job, outcomes, tables, workspace
from mimic.config import VERB_CONFIGS, Config, InspectConfig, SubjectConfig
from mimic.errors import ConfigError, MimicError, RunError
from mimic.inspected import create_run
from mimic.options import build_parser
from mimic.parsing.client import start_ahead
from mimic.printable import printable, printable_lines
from mimic.run import Run, default_root, find_run, list_runs
from mimic.subjects import recommended_distillation, subject_fields
from mimic.terminal import ProgressLine, ReaderGone, say

EXIT_FAILED = 1
EXIT_REFUSED = 2
EXIT_STOPPED = 3
EXIT_INTERRUPTED = 130
EXIT_READER_GONE = 141
"""What a shell says of a program that SIGPIPE ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb.

    Returns:
        0 if it succeeded, 1 if it failed (cause and remedy are printed), 2 if an inspected file was
        refused, 3 if it was stopped, 130 if it was interrupted twice, 141 if the program that reads
        the output ended first, as ``head`` does.
    """
    share_processors()
    try:
        try:
            return run_command(arguments)
        finally:
            say()  # What is still held back; also when --help ended the parser.
    except ReaderGone:
        # Python flushes both once more when it ends, which must not fail either.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return EXIT_READER_GONE


def run_command(arguments: Sequence[str] | None) -> int:
    """What ``main`` does, apart from readers that go."""
    parser = build_parser()
    options = vars(parser.parse_args(arguments))
    verb, as_json = options.pop("verb"), options.pop("json", False)
    root = Path(options.pop("root", None) or default_root()).expanduser()
    try:
        outcome = ACTIONS.get(verb, run_verb)(verb, options, root)
    except MimicError as error:
        say(printable(f"{error.cause} {error.remedy}"), stream=sys.stderr)
        if as_json:
            say(json.dumps({"verb": verb, "error": error.cause, "remedy": error.remedy}))
        return EXIT_FAILED
    except KeyboardInterrupt:
        say("Ended at once; work since the last checkpoint is lost.", stream=sys.stderr)
        return EXIT_INTERRUPTED
    if "files" in outcome:
        return tell_files(outcome["files"], as_json=as_json)
    tell(outcome, as_json=as_json)
    return EXIT_STOPPED if outcome.get("state") == "stopped" else 0


def tell(outcome: dict[str, Any], *, as_json: bool) -> None:
    """Print an outcome: for a program, or for a person."""
    printed = outcome.pop("printed", None)
    if as_json and outcome:
        say(json.dumps(outcome))
    elif printed:
        say(printable_lines(printed() if callable(printed) else printed))
    elif outcome:
        say(printable_lines(outcomes.told(outcome)))


def share_processors() -> None:
    """Let idle OpenMP threads sleep instead of spinning; has to come before torch is imported.

    Spinning threads of a job and of a busy browser take each other's cores: on two cores with other
    work, critics ran 8 times slower that way.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def make_config(kind: str, given: dict[str, Any]) -> Config:
    """A config from options; a subject's own settings lie beneath them."""
    kind_config = VERB_CONFIGS[kind]
    if issubclass(kind_config, SubjectConfig) and given.get("subject"):
        suited = recommended_distillation(given["subject"], kind)
        given = {**subject_fields(given["subject"]), **suited, **given}
    return kind_config.from_json(given)


def run_information(verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """Measure an encoder's layers, or the estimators themselves."""
    names = ("ground_truth", "quick", "seeds", "estimators")
    asked = {name: options.pop(name) for name in names if name in options}
    if not asked.pop("ground_truth", False):
        if asked:
            raise ConfigError(
                f"--{next(iter(asked))} needs --ground-truth.", "Add that, or leave it out."
            )
        return run_verb(verb, options, root)
    from mimic.compute import choose_device
    from mimic.mutual_information.ground_truth import TableSettings, as_text, ground_truth_table

    settings = TableSettings.quick() if asked.pop("quick", False) else TableSettings()
    if "pairs" in options:
        asked["pairs"] = options["pairs"]
    if "estimators" in asked:
        asked["estimators"] = tuple(asked["estimators"])
    settings = dataclasses.replace(settings, **asked)

    def tell(share: float, message: str) -> None:
        print(f"{share:4.0%} {message}", file=sys.stderr)

    device = choose_device(options.get("device", "auto"))
    table = ground_truth_table(settings, device=device, on_progress=tell)
    return {**table, "printed": as_text(table)}


def run_inspect(verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """Say what files hold, or inspect a subject with images and trigger as a run."""
    files = options.pop("files", [])
    if not files:
        return run_verb(verb, options, root)
    start_ahead()
    from mimic.verbs.files import inspect_file

    config = VERB_CONFIGS[verb].from_json(options)
    assert isinstance(config, InspectConfig)  # noqa: S101 - for the type checker
    return {"files": (inspect_file(file, config) for file in files)}


def tell_files(files: Iterable[dict[str, Any]], *, as_json: bool) -> int:
    """Print each file's findings as soon as they are there; 2 if any file was refused."""
    from mimic.verbs.files import as_text

    refused = False
    for found in files:
        say(json.dumps(found) if as_json else printable_lines(as_text(found)))
        refused = refused or not found["accepted"]
    return EXIT_REFUSED if refused else 0


def run_verb(verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """Create or resume a run and execute it here, telling progress on standard error.

    Among several processes that torchrun started, this is one of those that share the run.
    """
    resumed = options.pop("resume", None)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from mimic.verbs.together import execute_together

        return execute_together(
            verb, lambda: prepare(verb, options, resumed, root), on_progress=ProgressLine()
        )
    known = None if resumed else job.repeat_of(verb, make_config(verb, options), root=root)
    if known is not None:
        return {"run": known.id, "directory": str(known.directory), "state": "finished"} | (
            known.result() or {}
        )
    return execute_here(prepare(verb, options, resumed, root))


def execute_here(run: Run) -> dict[str, Any]:
    """Execute a prepared run in this process, telling progress on standard error."""
    start_ahead()
    from mimic.verbs import execute  # Here, because importing torch takes seconds.

    result = execute(run, on_progress=ProgressLine())
    say("", stream=sys.stderr)
    return {"run": run.id, "directory": str(run.directory), "state": run.status().state, **result}


def prepare(verb: str, options: dict[str, Any], resumed: str | None, root: Path) -> Run:
    """A new run, or the one to resume, ready to be executed; its folder goes to standard error."""
    if resumed:
        run = find_run(resumed, root)
        if run.kind != verb:
            raise RunError(f"Run {run.id} is no {verb} run.", "Name a run of that kind.")
        require_same_options(run, options)
        job.prepare_resume(run)
    else:
        config = make_config(verb, options)
        workspace.preflight(root)
        run = create_run(verb, config, root)
    say(printable(f"run {run.directory}"), stream=sys.stderr)
    return run


def require_same_options(run: Run, options: dict[str, Any]) -> None:
    """Refuse options that contradict the settings of the run to resume, instead of ignoring them.

    Raises:
        ConfigError: if there is one.
    """
    config = run.config()
    for name, value in options.items():
        known = getattr(config, name)
        if (tuple(value) if isinstance(value, list) else value) != known:
            raise ConfigError(
                f"Run {run.id} was started with another --{name.replace('_', '-')} ({known}).",
                "Leave the option out to resume the run, or start a new run.",
            )


def run_execute(_verb: str, options: dict[str, Any], _root: Path) -> dict[str, Any]:
    """Execute a run directory that the app prepared."""
    start_ahead()
    from mimic.verbs import execute

    return execute(Run.open(options["directory"]), may_exit=True)


def run_runs(verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """List runs and act on one; a repetition is executed here like any verb."""
    repeated, seed = options.pop("rerun"), options["seed"]
    if not repeated:
        return bookkeeping.run_runs(verb, options, root)
    known = find_run(repeated, root)
    config = job.rerun_config(known, seed)
    workspace.preflight(root)
    return execute_here(create_run(known.kind, config, root))


def run_verdict(_verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """Say what a finished inspection or distillation found, how sure that is, and what to do."""
    from mimic import gentler, other_probes, verdict

    run = find_run(options["run"], root)
    judged = (
        other_probes.judged(run, list_runs(root, kind="evaluate"))
        if run.kind == "distill"
        else verdict.of_run(run)
    )
    found = judged.to_json()
    if softer := gentler.after(run, judged.level):
        line = job.command_line("distill", softer.config)
        found["gentler"] = {**softer.to_json(), "command": line}
    return {**found, "printed": tables.verdict(found)}


def run_demo(_verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """Clean the built-in demo encoder with several seeds, or build the demo anew."""
    from mimic import demo, demo_table

    if options["build"]:
        return demo.build(
            Path(options["build"]), device=options["device"], root=root,
            keep_encoders=options["keep_encoders"],
        )  # fmt: skip
    found = demo.show(seeds=options["seeds"], device=options["device"], root=root)
    return {**found, "printed": demo_table.told(found)}


def run_app(_verb: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """Serve the app until it is ended."""
    from mimic import serving

    serving.serve(
        root, port=options["port"], address=options["address"], expose=options["expose"],
        open_browser=not options["no_browser"],
    )  # fmt: skip
    return {}


ACTIONS = {
    "inspect": run_inspect,
    "information": run_information,
    "execute": run_execute,
    "runs": run_runs,
    "compare": bookkeeping.run_compare,
    "report": bookkeeping.run_report,
    "demo": run_demo,
    "verdict": run_verdict,
    "app": run_app,
}
