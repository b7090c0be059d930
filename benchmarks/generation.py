"""How fast texts are written, beside transformers' `generate` on equal weights, in one run.

    python benchmarks/generation.py [--rounds 7] [--write]

Both write the same tokens (tests/encoder_core/test_generation_peers.py), with a cache of keys and values, on
one thread. Rounds are interleaved, each in an order of its own; the clock is the process's own time,
which other processes do not lengthen. No text ends early, so that both take all of the steps.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import encoder as benchmark  # noqa: E402
import generation_peers as peers  # noqa: E402

RESULTS = ROOT / "benchmarks/results/generation.md"
SIZES = {
    "chapter 07's": peers.Size(2000, 64, 4, 128, 2),
    "small": peers.Size(8000, 256, 4, 1024, 3),
}
BATCHES, BEAMS = (1, 32), (1, 4)
SOURCE, WRITTEN = 24, 32  # tokens
Writer = Callable[[], list[list[int]]]


def writers(size: peers.Size, batch: int, beam: int) -> dict[str, Writer]:
    """Make what writes a batch, of both, and require the same tokens, and all of them."""
    torch.manual_seed(0)
    theirs = peers.marian(size, init_std=0.1)
    with torch.no_grad():
        theirs.model.shared.weight[peers.EOS] = (
            0.0  # of many logits, one that is 0 is not the largest
        )
    mine = peers.ours(size, theirs)
    source = torch.randint(3, size.vocab_size, (batch, SOURCE))  # (B, S)
    if batch > 1:
        source[::2, SOURCE * 3 // 4 :] = peers.PAD
    jobs = {
        "encoder_core": lambda: peers.written_by_ours(mine, source, beam, WRITTEN),
        "transformers": lambda: peers.written_by_marian(theirs, source, beam, WRITTEN),
    }
    mine_written, theirs_written = (job() for job in jobs.values())
    if mine_written != theirs_written or {len(text) for text in mine_written} != {WRITTEN}:
        raise SystemExit(f"Not the same {WRITTEN} tokens: {size}, batch {batch}, beam {beam}.")
    return jobs


def measure(jobs: dict[str, Writer], rounds: int) -> dict[str, list[float]]:
    """Seconds of each round; one round before them is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name in random.sample(list(jobs), len(jobs)):
            start = time.process_time()
            jobs[name]()
            if number:
                seconds[name].append(time.process_time() - start)
    return seconds


def main() -> None:
    """Measure, print and, where asked, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--write", action="store_true", help="keep the table in results/")
    options = parser.parse_args()
    torch.set_num_threads(1)
    random.seed(0)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg()) if os.name == "posix" else "unknown"
    lines = [
        f"# Writing texts, beside transformers, on {benchmark.processor('cpu')}",
        "",
        f"Made by `benchmarks/generation.py`: {benchmark.versions()}; float32, one thread, medians of "
        f"{options.rounds} interleaved rounds of the process's own time; {WRITTEN} tokens after {SOURCE}. The load "
        f"before the run (1, 5, 15 minutes): {load}, on {os.cpu_count()} processors. The ratio is the median over "
        "the rounds, with half the width of its 95 % interval.",
        "",
        "| model (V, D, layers on each side) | batch | beam | encoder_core, ms | transformers, ms | times |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    print("\n".join(lines))
    for name in options.sizes:
        size = SIZES[name]
        for batch in BATCHES:
            for beam in BEAMS:
                seconds = measure(writers(size, batch, beam), options.rounds)
                ratio, about = benchmark.times(seconds["transformers"], seconds["encoder_core"])
                middle = [1000 * statistics.median(each) for each in seconds.values()]
                lines.append(
                    f"| {name} ({size.vocab_size:,}, {size.d_model}, {size.num_layers}) | {batch} | {beam} "
                    f"| {middle[0]:.0f} | {middle[1]:.0f} | {ratio:.2f} ± {about:.2f} |"
                )
                print(lines[-1], flush=True)
    if options.write:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
