"""How fast tiny models learn with positions of different kinds and sizes.

    python benchmarks/positions.py [--seeds 3] [--write]

Text: each token's left neighbour is asked for, so that order is all that matters; 32 tokens, 64
features, 2 layers. Vision: scikit-learn's digits in patches of 2 x 2 pixels with a class token, a
quarter held out, 48 features, 3 layers. One thread; the milliseconds are the process's own and mean
something beside one another only.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from encoder_core.models.masked_lm import MaskedLM  # noqa: E402
from encoder_core.models.text_encoder import TextEncoder  # noqa: E402
from encoder_core.models.vision import VisionTransformer  # noqa: E402

VOCABULARY, LENGTH = 200, 32
TEXT: dict[str, dict[str, object]] = {
    "learned, std 0.02 (BERT's)": {"positions": "learned"},
    "learned, std 0.02, tokens times the root of D": {"positions": "learned", "position_std": 0.02},
    "learned, std 0.5, tokens times the root of D": {"positions": "learned", "position_std": 0.5},
    "sinusoidal": {"positions": "sinusoidal"},
    "rotary": {"positions": "rotary"},
    "alibi": {"positions": "alibi"},
    "relative": {"positions": "relative"},
    "t5": {"positions": "t5"},
    "none": {"positions": "none"},
}
SIZES = (0.02, 0.1, 0.5, 1.0)


def train(
    model: nn.Module, loss: Callable[[], Tensor], measure: Callable[[], float], marks: list[int]
) -> tuple[list[float], float]:
    """Measure at the marked steps, and return the process's seconds of training."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, fused=True)
    figures, seconds = [], 0.0
    for step in range(1, marks[-1] + 1):
        optimizer.param_groups[0]["lr"] = 3e-3 * min(1.0, step / 50)
        begin = time.process_time()
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        seconds += time.process_time() - begin
        if step in marks:
            with torch.no_grad():
                figures.append(measure())
    return figures, seconds


def text(seed: int, options: dict[str, object], marks: list[int]) -> tuple[list[float], float]:
    """Ask for each token's left neighbour: the share of right answers."""
    torch.manual_seed(seed)
    encoder = TextEncoder(VOCABULARY, 64, 4, 2, dropout=0.0, **options)  # type: ignore[arg-type]
    model = MaskedLM(encoder)

    def share(count: int) -> tuple[Tensor, Tensor]:
        ids = torch.randint(1, VOCABULARY, (count, LENGTH))
        return model(ids)[:, 1:].flatten(0, 1), ids[:, :-1].flatten()

    return train(
        model,
        lambda: F.cross_entropy(*share(32)),
        lambda: (lambda logits, ids: (logits.argmax(-1) == ids).float().mean().item())(*share(64)),
        marks,
    )


def vision(seed: int, std: float, marks: list[int]) -> tuple[list[float], float]:
    """Tell digits apart: the share of right answers on held-out images."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32)[:, None]
    images, labels = (images - images.mean()) / images.std(), torch.tensor(digits.target)
    torch.manual_seed(seed)
    order = torch.randperm(len(images))
    held, rest = order[: len(order) // 4], order[len(order) // 4 :]
    model = VisionTransformer(8, 2, 10, 48, 4, 3, channels=1, position_std=std)

    def loss() -> Tensor:
        rows = rest[torch.randint(len(rest), (32,))]
        return F.cross_entropy(model(images[rows]), labels[rows])

    return train(
        model,
        loss,
        lambda: (model(images[held]).argmax(-1) == labels[held]).float().mean().item(),
        marks,
    )


def table(title: str, marks: list[int], rows: dict[str, list[tuple[list[float], float]]]) -> str:
    """Print means over the seeds, with the lowest and highest at the end."""
    lines = [f"| {title} | " + " | ".join(f"{m} steps" for m in marks) + " | range | ms a step |"]
    lines += ["|" + "---|" * (len(marks) + 3)]
    for name, runs in rows.items():
        figures = list(zip(*(run[0] for run in runs), strict=True))
        means = " | ".join(f"{sum(f) / len(f):.3f}" for f in figures)
        spread = f"{min(figures[-1]):.3f} to {max(figures[-1]):.3f}"
        cost = 1e3 * sum(run[1] for run in runs) / len(runs) / marks[-1]
        lines.append(f"| {name} | {means} | {spread} | {cost:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=["text", "vision"])
    parser.add_argument(
        "--write", action="store_true", help="write benchmarks/results/positions.md"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seeds, marks = range(arguments.seeds), [100, 200, 400]
    parts = []
    if arguments.only != "text":
        images = {f"std {std}": [vision(s, std, marks) for s in seeds] for std in SIZES}
        parts.append(table("vision: learned positions", marks, images))
    if arguments.only != "vision":
        texts = {name: [text(s, options, marks) for s in seeds] for name, options in TEXT.items()}
        parts.append(table("text: left neighbour", marks, texts))
    head = (
        f"# Positions\n\nMade by `benchmarks/positions.py`, {arguments.seeds} seeds, torch "
        f"{torch.__version__}, one thread, {platform.machine()}. The share of right answers."
    )
    page = "\n\n".join([head, *parts]) + "\n"
    print(page)
    if arguments.write:
        (ROOT / "benchmarks/results/positions.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
