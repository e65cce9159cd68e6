"""S17: every dependency is locked to a version with hashes, at or above its floor."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
FLOORS = {"torch": "2.15", "pillow": "12.3"}
"""Below these, known holes are open: see SECURITY.md."""


def locked() -> dict[str, tuple[Version, int]]:
    """Version and number of hashes of each package in the lock file."""
    found = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", LOCK.read_text(encoding="utf-8")):
        entry = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ \\;]+)", block)
        if entry:
            name, version = entry.groups()
            hashes = len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block))
            found[canonicalize_name(name)] = (Version(version), hashes)
    return found


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["dependencies"]]


def test_s17_every_dependency_is_locked_within_its_bounds() -> None:
    packages = locked()
    assert len(packages) > len(declared())
    for wanted in declared():
        version, _ = packages[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), f"{wanted.name} {version}"


def test_s17_every_locked_package_has_hashes() -> None:
    for name, (_, hashes) in locked().items():
        assert hashes > 0, name


def test_s17_the_lock_names_no_index_and_no_other_source() -> None:
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        assert "://" not in line, line
        assert " @ " not in line, line
        assert not re.match(r"\s*(-i|-e|-f|-r|--(?!hash=sha256:))", line), line


def test_s17_floors_shut_known_holes() -> None:
    floors = {r.name: r.specifier for r in declared()}
    for name, floor in FLOORS.items():
        assert not any(
            floors[name].contains(Version(below)) for below in ("0.1", f"{floor}.dev0", "2.11")
        ), name
        assert floors[name].contains(Version(f"{floor}.1"))
