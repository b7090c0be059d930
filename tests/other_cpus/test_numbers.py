"""The numbers hold on CPUs with other instructions, imitated in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sampled import by_day

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = [  # by day one for each test; the first two differ most from the CPUs of today
    "ATEN_CPU_CAPABILITY=default",  # torch's own kernels without vector instructions
    "MKL_CBWR=COMPATIBLE",
    "ATEN_CPU_CAPABILITY=avx2",
    "ONEDNN_MAX_CPU_ISA=AVX2",
]
NUMBERS = [  # where a right result is told from a wrong one by its digits; seconds together
    *("attention", "bert", "embeddings", "encoder", "families", "feed_forward", "local_attention"),
    *("multihead", "packing", "positions", "prepacked", "pretrained", "text_models", "vision"),
]
LABS = ["attention_compute", "position_lab", "stack_compute"]


def _run(setting: str, *arguments: str) -> None:
    name, _, value = setting.partition("=")
    environ = {**os.environ, name: value, "OMP_NUM_THREADS": "1"}
    environ.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, *arguments]
    answer = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert answer.returncode == 0, f"{setting}:\n{answer.stdout[-4000:]}{answer.stderr[-2000:]}"


@pytest.mark.slow
@pytest.mark.parametrize("setting", by_day(SETTINGS, 1))
def test_the_tests_of_numbers_pass(setting: str) -> None:
    files = [f"tests/encoder_core/test_{name}.py" for name in NUMBERS]
    files += [f"tests/labs/test_{name}.py" for name in LABS]
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow", "--hypothesis-profile", "few"]
    _run(setting, "-m", "pytest", *options, *files)


@pytest.mark.slow
@pytest.mark.parametrize("setting", by_day([*SETTINGS[1:], SETTINGS[0]], 1))
def test_no_right_answer_is_turned_down(setting: str) -> None:
    _run(setting, "-m", "tests.other_cpus.judge_right_answers", setting)
