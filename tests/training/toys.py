"""A training of milliseconds: a small network learns a line with a step in it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from course.training import Answer, HeadPicture, Settings, Training

SETTINGS = Settings(
    steps=200, batch_size=8, learning_rate=1e-2, warmup=5, d_model=8, nhead=2, num_layers=1,
    dim_feedforward=16, dropout=0.1, seed=3,
)  # fmt: skip


class Toy(nn.Module):
    """Two layers with dropout, and a batch norm, whose buffers change with every forward pass."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(2, width), nn.Linear(width, 1)
        self.norm, self.dropout = nn.BatchNorm1d(width), nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(B,)` for `(B, 2)`."""
        return self.outer(self.dropout(self.norm(torch.tanh(self.inner(x))))).squeeze(-1)


def build(settings: Settings) -> nn.Module:
    return Toy(settings.d_model, settings.dropout)


def example(index: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(index)
    x = torch.randn(2, generator=generator)
    return x, (x[0] * 2 - x[1] + (x[0] > 0)).float()


DATA = [example(index) for index in range(64)]
HELD_OUT = [example(index) for index in range(1000, 1032)]


def loss(model: nn.Module, batch: Any) -> Tensor:
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def evaluate(model: nn.Module) -> dict[str, float]:
    x, y = torch.utils.data.default_collate(HELD_OUT)
    return {"error": float(nn.functional.mse_loss(model(x), y))}


def examples(model: nn.Module) -> list[Answer]:
    with torch.no_grad():
        value = float(model(HELD_OUT[0][0][None]))
    return [Answer("the first point", ((f"{value:.2f}", 1.0),), f"{HELD_OUT[0][1]:.2f}")]


def head(model: nn.Module) -> HeadPicture:
    return HeadPicture(("a", "b"), torch.full((1, 1, 2, 2), 0.5))


def training(**changes: Any) -> Training:
    """Return the toy training, with some of its parts changed."""
    parts: dict[str, Any] = {
        "name": "tests.toy", "title": "A toy learns a line.", "settings": SETTINGS, "build": build,
        "data": DATA, "collate": torch.utils.data.default_collate, "loss": loss,
        "evaluate": evaluate, "test": evaluate, "figure": "error", "baselines": {"mean": 4.0},
        "examples": examples, "head": head, "parts": {"Toy": "the reference's"}, "key": "1",
    }  # fmt: skip
    return Training(**{**parts, **changes})
