"""A training that is killed at any moment and resumed ends with the weights of one that was not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.sampled import NIGHT

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("killed_script.py")


def run_script(folder: Path, kills: int) -> int:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), str(kills), "3"],
        capture_output=True, text=True, timeout=300, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_killed_at_random_moments_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    assert run_script(tmp_path / "whole", 0) == 0
    assert run_script(tmp_path / "killed", 10 if NIGHT else 4) >= 1
    whole = load_file(tmp_path / "whole" / "weights.safetensors")
    killed = load_file(tmp_path / "killed" / "weights.safetensors")
    assert whole.keys() == killed.keys()
    for name in whole:
        assert torch.equal(whole[name], killed[name]), name
    assert sorted(os.listdir(tmp_path / "killed")) == ["run", "weights.safetensors"]
