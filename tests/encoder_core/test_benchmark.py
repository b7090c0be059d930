"""The benchmark's own arithmetic, and that it runs; never a timing."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import encoder as benchmark  # noqa: E402
import encoder_peers as peers  # noqa: E402

from tests.close import assert_close  # noqa: E402
from tests.sampled import at_night  # noqa: E402


def test_operations_are_those_that_torch_counts() -> None:
    size = peers.Size("tiny", 24, 4, 40, 2)
    model = peers.ours(size)[0]
    # The counter knows the products of this kernel; those of the CPU's fused one it does not see.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model.run(torch.randn(3, 7, 24), None)
    assert size.flops(21, [7, 7, 7]) == counter.get_total_flops()


def test_half_padding_is_half() -> None:
    case = benchmark.Case(peers.SIZES["small"], False, 32, 128, True)
    assert sum(case.lengths()) == 32 * 128 / 2
    assert max(case.lengths()) <= 128
    full = benchmark.Case(peers.SIZES["small"], False, 8, 128, False)
    assert full.lengths() == [128] * 8


def test_ours_and_torchs_compute_the_same_with_the_same_weights() -> None:
    size = peers.Size("tiny", 24, 4, 40, 2)
    (ours, packed, fast), (theirs, slow) = peers.ours(size), peers.torch_nn(size)
    ours.model.load_state_dict(theirs.model.state_dict())
    packed.model.load_state_dict(theirs.model.state_dict())
    fast.model.load_state_dict(theirs.model.state_dict())
    x, padding = torch.randn(2, 5, 24), torch.arange(5) >= torch.tensor([[5], [2]])
    for contender in (ours, packed, fast, theirs, slow):
        contender.model.eval()
    with torch.inference_mode():
        expected = slow.run(x, padding)[~padding]
        for contender in (ours, packed, fast, theirs):
            came = contender.run(x, padding)[:, :5][~padding]
            assert_close(came, expected)


def test_who_takes_part_in_what() -> None:
    size = peers.Size("tiny", 24, 4, 40, 1)
    ours = peers.ours(size)
    counts = {}
    for training in (False, True):
        for padded in (False, True):
            case = benchmark.Case(size, training, 2, 4, padded)
            counts[training, padded] = [c.name for c in ours if benchmark.takes_part(c, case)]
    plain, packed, fast = (contender.name for contender in ours)
    assert counts[False, False] == [plain, fast]
    assert counts[False, True] == [plain, packed, fast]
    assert counts[True, False] == [plain]
    assert counts[True, True] == [plain, packed]


def test_a_case_in_which_ours_is_behind_is_named() -> None:
    full = benchmark.Case(peers.SIZES["small"], False, 8, 128, False)
    short = benchmark.Case(peers.SIZES["small"], False, 1, 32, False)
    even = benchmark.Case(peers.SIZES["small"], True, 1, 32, False)
    results = {
        full: {
            ("encoder_core", False): [1.0, 1.0, 1.1],
            ("torch.nn", False): [1.5, 1.5, 1.5],
            ("torch.nn", True): [0.1, 0.1, 0.1],
        },
        short: {("encoder_core", False): [2.0, 2.0, 2.0], ("torch.nn", False): [1.5, 1.6, 1.4]},
        even: {("encoder_core", False): [2.0, 1.0, 1.5], ("torch.nn", False): [1.5, 1.6, 1.4]},
    }
    lines = benchmark.summary(results, turns=[False])
    row = "| small inference 8x128 | torch.nn | 1500.00 | encoder_core | 1000.00 | 1.50 ± 0.06 |"
    assert f"{row} 1.50 ± 0.06 |" in lines
    assert "Ours is behind the best peer in: small inference 1x32." in lines
    assert "Level, within what the rounds can tell, in: small training 1x32." in lines
    both = benchmark.summary({full: results[full]}, turns=[False, True])  # as exact with the knob
    assert f"{row} 0.10 ± 0.00 |" in both
    assert "Ours is behind the best peer in: small inference 8x128." in both
    assert "Level, within what the rounds can tell, in: no case." in both


def test_how_far_the_knob_rounds_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "knob", lambda on: nullcontext())
    assert 0 < benchmark.rounding() < 1e-6
    monkeypatch.setattr(benchmark, "knob", lambda on: torch.autocast("cpu", dtype=torch.bfloat16))
    assert 1e-4 < benchmark.rounding() < 1e-1


@at_night
def test_the_script_runs_and_names_the_machine() -> None:
    command = [sys.executable, "-W", "ignore", str(ROOT / "benchmarks" / "encoder.py")]
    result = subprocess.run(
        [*command, "--quick", "--sizes", "small", "--rounds", "1"],
        capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    assert benchmark.processor("cpu") in result.stdout
    assert result.stdout.count("###") == 4
    assert "| case | best peer as shipped |" in result.stdout
    assert "| encoder_core packed | off |" in result.stdout
