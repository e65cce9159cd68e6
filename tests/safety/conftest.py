"""Shows what became of the fuzzed files, whatever the verbosity."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, counts in report.user_properties:
            if name == "outcomes":
                shown = ", ".join(f"{count} {what}" for what, count in counts.items())
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {shown}")
