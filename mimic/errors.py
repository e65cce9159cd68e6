"""Every failure a user can meet: one sentence of cause, one of remedy.

MimicError
├── ConfigError      a setting is out of range or names something that does not exist
├── EncoderError     a file is no encoder we can load, or does not fit the rest
├── DataError        an image set is missing, empty, or unusable for what was asked
├── TriggerError     a trigger is malformed or does not fit the images
├── TrainingError    training met a non-finite value or too little memory
├── StorageError     the run directory cannot be written
└── RunError         a run does not exist, is damaged, or cannot be resumed
"""

from __future__ import annotations


class MimicError(Exception):
    """A failure explained in two sentences.

    Args:
        cause: what is wrong, as one sentence.
        remedy: what the user can do about it, as one sentence.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[MimicError], tuple[str, str]]:
        """How the error travels from a worker process to its parent: by its two sentences."""
        return type(self), (self.cause, self.remedy)


class ConfigError(MimicError):
    """A setting is out of range or names something that does not exist."""


class EncoderError(MimicError):
    """A file is no encoder we can load, or does not fit the rest."""


class CutShortError(EncoderError):
    """Reading ended for a reason that says nothing against the file; it may be tried again."""


class DataError(MimicError):
    """An image set is missing, empty, or unusable for what was asked."""


class TriggerError(MimicError):
    """A trigger is malformed or does not fit the images."""


class TrainingError(MimicError):
    """Training met a non-finite value or too little memory."""


class StorageError(MimicError):
    """The run directory cannot be written."""


class RunError(MimicError):
    """A run does not exist, is damaged, or cannot be resumed."""
