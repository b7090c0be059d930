"""Attention over a long text in a process of its own, with a limit to what it may take.

    python -m course.content.efficient.long_text written 16384 1.0        # the form of chapter 02
    python -m course.content.efficient.long_text blocks 16384 1.0 256     # in blocks of 256 keys

The process reads the learner's saved answers as the notebook does, prints one line of JSON and ends.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.system.children import environment

WIDTH = 16  # numbers of a query: the scores don't depend on it, the time does a little
SECONDS = 600  # after which the process is given up

__all__ = ["Outcome", "attend_alone"]


@dataclass(frozen=True)
class Outcome:
    """What became of the process: printed, it is a sentence.

    Attributes:
        gigabytes: the most that it held at once, torch itself among it; None where this system doesn't say.
        failed: why it ended, in torch's words; empty where it came to the end.
        error: the largest difference from the exact result, at a few queries.
    """

    length: int
    limit: float
    seconds: float = 0.0
    gigabytes: float | None = None
    failed: str = ""
    error: float | None = None

    def __str__(self) -> str:
        """Say it in a sentence."""
        if self.failed:
            return f"length {self.length:,} in {self.limit:g} GB: {self.failed}"
        held = "" if self.gigabytes is None else f", {self.gigabytes:.2f} GB held at the most"
        return (
            f"length {self.length:,} in {self.limit:g} GB: {self.seconds:.1f} s{held}, "
            f"off by {self.error:.0e} at most"
        )


def attend_alone(kind: str, length: int, limit: float, block: int = 256) -> Outcome:
    """Run one head of self-attention over `length` random tokens in a process of its own.

    Args:
        kind: "written" for the form of chapter 02, which has all scores at once; "blocks" for this chapter's.
        limit: gigabytes of memory that it may take. Where the system knows no such limit, "written" isn't tried.
        block: keys of a block.
    """
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
    command += [kind, str(length), str(limit), str(block)]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, env=environment(), check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(length, limit, failed=f"given up after {SECONDS} seconds")
    try:
        return Outcome(length, limit, **json.loads(ended.stdout.strip().splitlines()[-1]))
    except (IndexError, json.JSONDecodeError):
        return Outcome(length, limit, failed=f"the process ended with status {ended.returncode}")


def _limit_memory(limit: float) -> bool:
    """Let this process have no more than so many gigabytes; False where the system can't."""
    if not sys.platform.startswith("linux"):  # others know the call, and don't keep to it
        return False
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (int(limit * 1e9), hard))
    return True


def _most_held() -> float | None:
    """The most memory that this process has held at once, in gigabytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 / 1e9 for line in lines if line.startswith("VmHWM"))


def _run(kind: str, length: int, limit: float, block: int) -> dict[str, Any]:
    import torch

    from course import use
    from encoder_core import scaled_dot_product_attention

    # Read before the limit: reading an answer needs some memory of its own.
    answer = use(
        "attention.scaled_dot_product" if kind == "written" else "efficient.blockwise_attention"
    )
    torch.set_num_threads(1)
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 1, length, WIDTH) for _ in range(3))
    if not _limit_memory(limit) and kind == "written":
        needed = 2 * 4 * length**2 / 1e9  # scores and weights
        return {"failed": f"not tried: no limit can be set here, and it needs {needed:.0f} GB"}
    began = time.perf_counter()
    try:
        with torch.no_grad():
            given = (
                answer(query, key, value)
                if kind == "written"
                else answer(query, key, value, block=block)
            )
    except (RuntimeError, MemoryError) as problem:
        asked = re.search(r"tried to allocate (\d+) bytes", str(problem))
        said = f"no room for another {int(asked[1]) / 1e9:.2f} GB" if asked else str(problem)
        return {"failed": said or "out of memory"}
    seconds = time.perf_counter() - began
    output = given[0] if isinstance(given, tuple) else given
    few = slice(0, length, max(1, length // 8))
    exact, _ = scaled_dot_product_attention(query[:, :, few], key, value)
    error = float((output[:, :, few] - exact).abs().max())
    return {"seconds": seconds, "gigabytes": _most_held(), "error": error}


def main(arguments: list[str]) -> int:
    """Run what the arguments say, and print it as JSON."""
    kind, length, limit, *block = arguments
    print(json.dumps(_run(kind, int(length), float(limit), int(block[0]) if block else 256)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
