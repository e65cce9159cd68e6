"""Runs: directories that one process writes while any other may read them."""

from mimic.run.checkpoints import Checkpoints
from mimic.run.directory import Run, finite
from mimic.run.durable import file_sha256, replace_file, require_space, storage_errors
from mimic.run.listing import (
    default_root,
    find_run,
    is_bundled,
    kind_of,
    list_runs,
    run_created,
)
from mimic.run.notes import write_note
from mimic.run.origins import note_input, note_machine, portable
from mimic.run.progress import Progress
from mimic.run.status import ACTIVE_STATES, RESUMABLE, Status, process_lives
from mimic.run.trash import discard, empty_trash, restore, trashed
from mimic.run.versions import library_versions, own_version, python_command

__all__ = [
    "ACTIVE_STATES",
    "RESUMABLE",
    "Checkpoints",
    "Progress",
    "Run",
    "Status",
    "default_root",
    "discard",
    "empty_trash",
    "file_sha256",
    "find_run",
    "finite",
    "is_bundled",
    "kind_of",
    "library_versions",
    "list_runs",
    "note_input",
    "note_machine",
    "own_version",
    "portable",
    "process_lives",
    "python_command",
    "replace_file",
    "require_space",
    "restore",
    "run_created",
    "storage_errors",
    "trashed",
    "write_note",
]
