"""What chapter 07 shows as a recording: its training with shuffled keywords, and of a decoder alone.

    python benchmarks/generation.py [--seed 0] [--only "decoder alone"] [--write]

Each is trained as in the chapter, on one thread. `--write` keeps the figures where the chapter reads
them, `course/content/generation/experiments/recorded.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from course.content.generation import keywords  # noqa: E402

KEPT = ROOT / "course" / "content" / "generation" / "experiments" / "recorded.json"


def main() -> None:
    """Train, print, and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(keywords.KINDS))
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    for kind in [asked.only] if asked.only else keywords.KINDS:
        found[kind] = {
            name: round(value, 4) for name, value in keywords.figures(kind, asked.seed).items()
        }
        print(f"{kind}: {found[kind]}", flush=True)
        if asked.write:
            KEPT.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
