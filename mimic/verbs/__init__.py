"""What the app and the command line can do: one file per verb, each turning a run into a result."""

from mimic.verbs.execution import execute, perform

__all__ = ["execute", "perform"]
