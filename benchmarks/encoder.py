"""The encoder's speed beside its peers', in one run: inference and training, full and padded.

    python benchmarks/encoder.py [--sizes small base] [--rounds 9] [--threads 1] [--write]
    python benchmarks/encoder.py --passes inference --patience 120 --write
    python benchmarks/encoder.py --leave-out "base training" "base inference 32x128"
    python benchmarks/encoder.py --device cuda --dtype bfloat16 --sizes base large

Rounds are interleaved: each calls every contender once, in an order of its own, so that all meet
the same machine and the same neighbours; the tables show medians. With one thread on the CPU the
clock is the process's own time, which other processes do not lengthen; otherwise it is the wall's.
"Knob" is `torch.backends.mkldnn.matmul.fp32_precision`, which sends float32 products to oneDNN:
each contender is shown as shipped and with it, since a peer's user can turn it as well as ours. The
limit is the machine's measured matrix product; the share of it counts real tokens only. On a chip
with bfloat16 units the knob rounds to bfloat16: the head says so, and the summary leaves those rows
out. Peers that are not installed are left out: x-transformers is needed for nothing else here.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import os
import platform
import random
import re
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from encoder_peers import SIZES, Contender, Size, contenders, knob  # noqa: E402

FEWEST = 3  # rounds that every case has
Rounds = dict[tuple[str, bool], list[float]]  # of each contender, knob off and on: seconds


@dataclass(frozen=True)
class Case:
    """One block of the table."""

    size: Size
    training: bool
    batch: int
    length: int
    half_padded: bool

    def __str__(self) -> str:
        what = "training" if self.training else "inference"
        padded = ", half padding" if self.half_padded else ""
        return f"{self.size.name} {what} {self.batch}x{self.length}{padded}"

    def lengths(self) -> list[int]:
        """Real tokens of each text: all, or from 1 up, evenly, so that half is padding."""
        if not self.half_padded:
            return [self.length] * self.batch
        return [max(1, round(self.length * (i + 0.5) / self.batch)) for i in range(self.batch)]


def cases(sizes: list[str], passes: list[str], quick: bool, device: str) -> list[Case]:
    """The shapes of the project's targets; on a GPU, those that fill one."""
    shapes = [(1, 32, False), (8, 128, False), (32, 128, True)]
    if device == "cuda":
        shapes = [(64, 128, False), (64, 512, False), (64, 512, True)]
    if quick:
        shapes = [(2, 16, False), (4, 16, True)]
    return [
        Case(SIZES[size], training, *shape)
        for size in sizes
        for training in (name == "training" for name in passes)
        for shape in shapes
    ]


def clock(device: str) -> float:
    """Seconds, of the process where it has one thread, of the wall otherwise."""
    if device == "cuda":
        torch.cuda.synchronize()
    single = device == "cpu" and torch.get_num_threads() == 1
    return time.process_time() if single else time.perf_counter()


def peak(device: str, dtype: torch.dtype, turned: bool) -> float:
    """The machine's best matrix product, in operations a second."""
    side = 8192 if device == "cuda" else 1536
    a = torch.randn(side, side, device=device, dtype=dtype)
    seconds = []
    with knob(turned), torch.inference_mode():
        for _ in range(7):
            start = clock(device)
            a @ a
            seconds.append(clock(device) - start)
    return 2 * side**3 / min(seconds)


def job(case: Case, contender: Contender, x: Tensor, padding: Tensor | None) -> Callable[[], None]:
    """One pass, forward only or forward and backward, as a function without arguments."""
    if not case.training:

        def infer() -> None:
            with torch.inference_mode():
                contender.run(x, padding)

        return infer

    def train() -> None:
        output = contender.run(x, padding)
        real = output if padding is None else output[~padding]
        real.float().square().mean().backward()
        contender.model.zero_grad(set_to_none=True)

    return train


def takes_part(contender: Contender, case: Case) -> bool:
    """Tell whether a contender is something of its own in a case."""
    if contender.only == "inference":
        return not case.training
    return contender.only != "padded" or case.half_padded


def measure(
    case: Case, device: str, dtype: torch.dtype, rounds: int, patience: float, turns: list[bool]
) -> tuple[Rounds, str]:
    """Each contender's seconds, without and with the knob; and what `use_fast_cpu` said."""
    shape = (case.batch, case.length, case.size.d_model)
    x = torch.randn(shape, device=device, dtype=dtype, requires_grad=case.training)
    real = torch.tensor(case.lengths(), device=device)
    mask = torch.arange(case.length, device=device) >= real[:, None]
    padding = mask if case.half_padded else None
    jobs: dict[tuple[str, bool], Callable[[], None]] = {}
    said = ""
    for contender in contenders(case.size):
        said = said or contender.said
        contender.model.to(device=device, dtype=dtype).train(case.training)
        for turned in turns:
            if takes_part(contender, case):
                jobs[contender.name, turned] = job(case, contender, x, padding)
    seconds: dict[tuple[str, bool], list[float]] = {key: [] for key in jobs}
    began = time.monotonic()
    for number in range(rounds + 1):  # the first round warms up and is not counted
        if number > FEWEST and time.monotonic() - began > patience:
            break
        for key in random.sample(list(jobs), len(jobs)):
            with knob(key[1]):
                start = clock(device)
                jobs[key]()
                passed = clock(device) - start
            if number:
                seconds[key].append(passed)
    return seconds, said


def medians(rounds: Rounds) -> dict[tuple[str, bool], float]:
    """The median seconds of each contender."""
    return {key: statistics.median(seconds) for key, seconds in rounds.items()}


def times(theirs: list[float], ours: list[float]) -> tuple[float, float]:
    """How many times faster ours was, the median over the rounds, and how far that is certain.

    Half the width of a 95 % interval of a median (McGill, Tukey and Larsen 1978, section 7).
    """
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    if len(ratios) < 2:
        return ratios[0], float("inf")
    first, median, third = statistics.quantiles(ratios, n=4, method="inclusive")
    return median, 1.57 * (third - first) / len(ratios) ** 0.5


def rounding() -> float:
    """How far float32 products are off with the knob, as a part of their largest value."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, 256, generator=generator) for _ in range(2))
    with knob(True), torch.inference_mode():
        off = (a @ b).double() - a.double() @ b.double()
    return float(off.abs().max() / (a @ b).abs().max())


def summary(results: dict[Case, Rounds], turns: list[bool]) -> list[str]:
    """Lines of markdown: our best beside the best peer in each case, and where we are behind.

    `turns` says with which settings of the knob products stay float32's; others don't count. Where
    the interval around the ratio holds 1, neither is called faster.
    """
    lines = [
        "| case | best peer as shipped | ms | ours | ms | times | times the best with any knob |",
        "|---|---|---:|---|---:|---:|---:|",
    ]
    behind, level = [], []
    for case, rounds in results.items():
        counted = {key: s for key, s in medians(rounds).items() if key[1] in turns}
        theirs = {key: s for key, s in counted.items() if "core" not in key[0]}
        ours = min(set(counted) - set(theirs), key=counted.__getitem__)
        shipped = min((key for key in theirs if not key[1]), key=theirs.__getitem__)
        any_peer = min(theirs, key=theirs.__getitem__)
        faster, about = times(rounds[shipped], rounds[ours])
        fairly, around = times(rounds[any_peer], rounds[ours])
        lines.append(
            f"| {case} | {shipped[0]} | {1000 * counted[shipped]:.2f} "
            f"| {ours[0]}{' + knob' if ours[1] else ''} | {1000 * counted[ours]:.2f} "
            f"| {faster:.2f} ± {about:.2f} | {fairly:.2f} ± {around:.2f} |"
        )
        behind += [str(case)] if fairly + around < 1 else []
        level += [str(case)] if abs(fairly - 1) <= around else []
    return [
        *lines,
        "",
        f"Ours is behind the best peer in: {'; '.join(behind) or 'no case'}.",
        f"Level, within what the rounds can tell, in: {'; '.join(level) or 'no case'}.",
        "",
    ]


def versions() -> str:
    """The peers' versions, where they are installed."""
    found = []
    for name in ("torch", "transformers", "x-transformers"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def table(case: Case, rounds: Rounds, limits: dict[bool, float]) -> list[str]:
    """Lines of markdown: time, ratio to the best peer on equal terms, share of that limit."""
    middle = medians(rounds)
    flops = case.size.flops(sum(case.lengths()), case.lengths()) * (3 if case.training else 1)

    def best_peer(turned: bool) -> float:
        return min(s for (name, t), s in middle.items() if t == turned and "core" not in name)

    lines = [f"### {case}", "", f"{len(next(iter(rounds.values())))} rounds.", ""]
    lines += [
        "| encoder | knob | ms | times the best peer as shipped | with the same knob | share |"
    ]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for (name, turned), seconds in sorted(middle.items(), key=lambda item: item[1]):
        share = flops / seconds / limits[turned]
        lines.append(
            f"| {name} | {'on' if turned else 'off'} | {1000 * seconds:.2f} "
            f"| {best_peer(False) / seconds:.2f} | {best_peer(turned) / seconds:.2f} "
            f"| {share:.2f} |"
        )
    return [*lines, ""]


def processor(device: str) -> str:
    """The name of what computes."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["small", "base"], choices=list(SIZES))
    passes = ["inference", "training"]
    parser.add_argument("--passes", nargs="+", default=passes, choices=passes)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds after which a case has no more rounds"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--leave-out", nargs="+", default=[], help="parts of cases' names")
    parser.add_argument("--quick", action="store_true", help="tiny shapes, to try the script")
    parser.add_argument("--write", action="store_true", help="keep the table in results/")
    return parser.parse_args()


def main() -> None:
    """Measure, print and, where asked, keep."""
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    random.seed(0)
    dtype = getattr(torch, options.dtype)
    turns = [False, True] if (options.device, dtype) == ("cpu", torch.float32) else [False]
    limits = {turned: peak(options.device, dtype, turned) for turned in turns}
    error = rounding() if True in turns else 0.0
    exact = [turned for turned in turns if not turned or error <= 1e-5]
    shown = ", ".join(f"knob {'on' if t else 'off'} {v / 1e9:.0f}" for t, v in limits.items())
    load = (
        ", ".join(f"{value:.1f}" for value in os.getloadavg()) if os.name == "posix" else "unknown"
    )
    head = [
        f"# Encoders on {processor(options.device)}",
        "",
        f"{versions()}; {options.dtype}, {options.threads} thread(s), medians of up to "
        f"{options.rounds} interleaved rounds. Measured matrix product, GFLOP/s: {shown}. The machine's load before "
        f"the run (1, 5, 15 minutes): {load}, on {os.cpu_count()} processors.",
        "",
    ]
    if True in turns:
        counts = "so those rows count" if True in exact else "so those rows are not float32's"
        head += [f"With the knob products are off by {error:.0e} of the largest: {counts}.", ""]
    if exact == turns:  # one limit, the better product, where the numbers are the same
        limits = dict.fromkeys(turns, max(limits.values()))
    print("\n".join(head))
    results, blocks = {}, []
    for case in cases(options.sizes, options.passes, options.quick, options.device):
        if any(words in str(case) for words in options.leave_out):
            continue
        results[case], said = measure(
            case, options.device, dtype, options.rounds, options.patience, turns
        )
        block = table(case, results[case], limits)
        if said and not case.training:
            block += [f"What use_fast_cpu(model) found: the layout is {said}.", ""]
        print("\n".join(block), flush=True)
        blocks += block
        gc.collect()
    if options.leave_out:
        head += [f"Not measured: {', '.join(options.leave_out)}.", ""]
    lines = [*head, *summary(results, exact), *blocks]
    print("\n".join(summary(results, exact)))
    if options.write:
        name = "-".join(re.findall(r"[a-z0-9.]+", processor(options.device).lower()))
        alone = options.passes if len(options.passes) == 1 else []
        measured = "-".join([*options.sizes, *alone])
        path = ROOT / "benchmarks" / "results" / f"encoder-{name}-{options.dtype}-{measured}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines), encoding="utf-8")
        print(f"Kept in {path.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
