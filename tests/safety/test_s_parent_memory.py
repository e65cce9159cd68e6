"""S7: what the process that uses an encoder needs, beside the child that parses its file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mimic.encoder import Architecture, build_encoder

MIB = 2**20
LOADING = """
import sys
from pathlib import Path
from mimic.checkpoint import load_encoder

def kibibytes(field):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])

load_encoder(Path(sys.argv[1]))
Path("/proc/self/clear_refs").write_text("5")
before = kibibytes("VmRSS")
kept = load_encoder(Path(sys.argv[2]))
print(kibibytes("VmHWM") - before, kibibytes("VmRSS") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux counts memory here")
def test_s7_the_parent_needs_at_most_three_times_a_half_precision_file(tmp_path: Path) -> None:
    for name, width in (("small", 2), ("large", 96)):
        state = build_encoder(Architecture("resnet50", width=width, stem="imagenet")).state_dict()
        for value in state.values():
            if value.is_floating_point():
                value.uniform_(0.5, 1.5)
        halves = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
        torch.save({"state_dict": halves}, tmp_path / name)
    size = (tmp_path / "large").stat().st_size
    assert size > 90 * MIB
    command = [sys.executable, "-c", LOADING, tmp_path / "small", tmp_path / "large"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    peak, kept = (int(number) * 1024 for number in done.stdout.split())
    assert peak <= 3 * size + 64 * MIB
    assert kept <= 2 * size + 64 * MIB
