"""Which share of the measured product's peak an update of the pretraining reaches, at BERT-base's width.

    python benchmarks/pretraining.py [--layers 2] [--batch 32] [--rounds 5] [--write]

Packed blocks of 128 tokens, of which 30 % are hidden: forward, backward, clipping, AdamW. One thread, and the
process's own time, which other processes lengthen only through caches and memory. Rounds are interleaved; each
measures the peak, by a square product of the same dtype, and then every row once. The table shows minima.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from encoder import processor  # noqa: E402

from encoder_core import (  # noqa: E402
    MaskedLM,
    clip_gradients,
    keep_memory,
    make_optimizer,
    training_flops,
    use_fast_cpu,
)
from encoder_core.models.bert import Bert, BertConfig  # noqa: E402

LENGTH, VOCABULARY, HIDDEN = 128, 8000, 38  # hidden tokens of a block: 30 %
WIDTH, INNER = 768, 3072


@dataclass(frozen=True)
class Row:
    """One way to train."""

    name: str
    dtype: torch.dtype
    keeps: bool
    fast: bool = False


ROWS = (
    Row("float32", torch.float32, keeps=False),
    Row("float32, memory kept (what the command does)", torch.float32, keeps=True),
    Row("float32, memory kept, `use_fast_cpu`", torch.float32, keeps=True, fast=True),
    Row("bfloat16 by autocast, memory kept", torch.bfloat16, keeps=True),
)


def peak(dtype: torch.dtype, side: int = 1536) -> float:
    """The best of three square products, in operations a second."""
    a, b = (torch.randn(side, side, dtype=dtype) for _ in range(2))
    seconds = []
    with torch.inference_mode():
        for _ in range(3):
            start = time.process_time()
            a @ b
            seconds.append(time.process_time() - start)
    return 2 * side**3 / min(seconds)


def update(
    model: MaskedLM, optimizer: torch.optim.Optimizer, batch: int, dtype: torch.dtype
) -> float:
    """The seconds of one update on random tokens."""
    ids = torch.randint(5, VOCABULARY, (batch, LENGTH))
    where = torch.zeros(batch, LENGTH, dtype=torch.bool)
    where[:, 1 : HIDDEN + 1] = True
    start = time.process_time()
    with torch.autocast("cpu", dtype, dtype != torch.float32):
        loss = F.cross_entropy(model(ids, where=where), ids[where])
    loss.backward()  # type: ignore[no-untyped-call]
    clip_gradients(model, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return time.process_time() - start


def measure(
    layers: int, batch: int, rounds: int
) -> tuple[dict[Row, float], dict[torch.dtype, float], str]:
    """The least seconds of each row, the best peak of each dtype, and what `use_fast_cpu` said."""
    config = BertConfig(
        VOCABULARY, WIDTH, 12, layers, INNER, LENGTH, dropout=0.0, attention_dropout=0.0
    )
    model = MaskedLM(Bert(config, seed=0))
    optimizer = make_optimizer("adamw", model, 0.01, 1e-4)
    said = use_fast_cpu()
    rows = [row for row in ROWS if said.enabled or not row.fast]
    seconds = dict.fromkeys(rows, float("inf"))
    peaks = {row.dtype: 0.0 for row in rows}
    for number in range(rounds + 1):  # the first warms up
        for row in random.sample(rows, len(rows)):
            use_fast_cpu(row.fast)
            keep_memory(row.keeps)
            best, passed = peak(row.dtype), update(model, optimizer, batch, row.dtype)
            if number:
                peaks[row.dtype] = max(peaks[row.dtype], best)
                seconds[row] = min(seconds[row], passed)
    use_fast_cpu(False)
    keep_memory(False)
    return seconds, peaks, str(said)


def main() -> None:
    """Measure, print and, where asked, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="keep the table in results/")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    seconds, peaks, said = measure(options.layers, options.batch, options.rounds)
    tokens = options.batch * LENGTH
    flops = training_flops(
        tokens, LENGTH, WIDTH, options.layers, INNER, VOCABULARY, HIDDEN / LENGTH
    )
    lines = [
        "# The share of the peak that a pretraining reaches",
        "",
        f"{processor('cpu')}, one thread, torch {torch.__version__}; the load of the machine's {os.cpu_count()} cores "
        f"was {load:.1f} before. {options.layers} layers of BERT-base's width, a vocabulary of {VOCABULARY:,}, "
        f"{options.batch} packed blocks of {LENGTH} tokens, {HIDDEN} of each hidden; minima of {options.rounds} "
        "interleaved rounds. The peak is that of a square product of the same dtype.",
        "",
        said,
        "",
        "| update | seconds | tokens a second | times float32 | peak, GFLOP/s | share of the peak |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row, passed in seconds.items():
        share = flops / passed / peaks[row.dtype]
        lines.append(
            f"| {row.name} | {passed:.2f} | {tokens / passed:,.0f} | {seconds[ROWS[0]] / passed:.2f} "
            f"| {peaks[row.dtype] / 1e9:.0f} | {share:.2f} |"
        )
    print("\n".join(lines))
    if options.write:
        (ROOT / "benchmarks/results/pretraining.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
