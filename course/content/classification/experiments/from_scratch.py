"""A small encoder that learns to tell the families of docstrings from their labels alone.

It reads the first 64 pieces of a docstring. 3,522 examples are few: without the means below the
encoder knows its training examples by heart after five passes, and new modules suffer.

- Each piece's first vector says which pieces stand near it in Python's documentation, as in chapter 05.
- Words are hidden: in training each piece becomes `[MASK]` with probability 0.3 (Iyyer et al. 2015,
  "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", section 3).
- Dropout of 0.3 in the layers and before the head.
- The labels are smoothed: the right class shall get 0.9 and a sixtieth (Szegedy et al. 2016,
  "Rethinking the Inception Architecture for Computer Vision", section 7).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import datasets
from course.datasets import Example, docstring_families
from course.datasets.python_docs.neighbour_vectors import neighbour_vectors
from encoder_core.models.classification import SequenceClassifier
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.text.tokenizer import WordPiece

__all__ = [
    "CLASSES", "LENGTH", "SETTINGS", "Batch", "Row", "build", "collate", "figures", "hide", "logits", "loss",
    "rows", "start_from_neighbours", "tokenizer",
]  # fmt: skip

CLASSES = docstring_families.CARD.classes
LENGTH = 64  # pieces of a docstring that are read
HIDDEN = 0.3  # of the pieces, in training
SMOOTHING = 0.1
_TOGETHER = 64  # docstrings that are evaluated at once

# One thread, half a minute; chosen on validation and on modules held out of training.
SETTINGS: dict[str, Any] = {
    "steps": 300,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "warmup": 50,
    "schedule": "cosine",
    "optimizer": "muon",
    "weight_decay": 0.01,
    "clip": 1.0,
    "d_model": 64,
    "nhead": 4,
    "num_layers": 2,
    "dim_feedforward": 128,
    "dropout": 0.3,
}


class Row(NamedTuple):
    """A docstring as piece ids `(S,)` and its class, both int64."""

    ids: Tensor
    label: Tensor


class Batch(NamedTuple):
    """Rows padded to one length: ids `(B, S)` and labels `(B,)`."""

    ids: Tensor
    labels: Tensor


def tokenizer() -> WordPiece:
    """Return the tokenizer that the encoder reads with: that of Python's documentation."""
    return datasets.tokenizer()


def rows(examples: Sequence[Example]) -> list[Row]:
    """Cut docstrings into pieces."""
    return [Row(_ids(each.text), torch.tensor(each.label)) for each in examples]


@functools.cache
def _ids(text: str) -> Tensor:
    return torch.tensor(tokenizer().encode(text, max_length=LENGTH).ids)  # (S,)


def collate(chosen: Sequence[Row]) -> Batch:
    """Pad rows on the right."""
    ids = nn.utils.rnn.pad_sequence([row.ids for row in chosen], batch_first=True)  # (B, S)
    return Batch(ids, torch.stack([row.label for row in chosen]))


def hide(chosen: Sequence[Row]) -> Batch:
    """Pad rows, and hide other pieces each time that they are read."""
    batch = collate(chosen)
    special = batch.ids < len(tokenizer().specials)  # (B, S)
    hidden = (torch.rand(batch.ids.shape) < HIDDEN) & ~special
    mask_id = tokenizer().vocabulary["[MASK]"]
    return batch._replace(ids=batch.ids.masked_fill(hidden, mask_id))


def build(
    *,
    d_model: int,
    nhead: int,
    num_layers: int,
    dim_feedforward: int,
    dropout: float,
    positions: str = "relative",
    pool: Callable[[Tensor, Tensor], Tensor] | None = None,
    **more: Any,
) -> SequenceClassifier:
    """Make a classifier: ids `(B, S)` to logits `(B, C)`.

    Args:
        pool: hidden `(B, S, D)` and padding `(B, S)` to `(B, D)`; the mean over real tokens if None.
        more: other arguments of `TextEncoder`, such as `layer`, the learner's own.
    """
    encoder = TextEncoder(
        len(tokenizer().vocabulary), d_model, nhead, num_layers, dim_feedforward,
        positions=positions, dropout=dropout, padding_idx=tokenizer().vocabulary["[PAD]"], **more,
    )  # fmt: skip
    model = SequenceClassifier(encoder, d_model, len(CLASSES), dropout=dropout)
    if pool is not None:
        model.pool = pool  # type: ignore[assignment]
    return model


@torch.no_grad()
def start_from_neighbours(model: SequenceClassifier) -> None:
    """Let each piece's first vector say which pieces stand near it in Python's documentation.

    Only the training modules of "python-docs" are counted; they need no labels.
    """
    table: nn.Embedding = model.encoder.embedding.token  # type: ignore[union-attr, assignment]
    table.weight.copy_(neighbour_vectors(datasets.pieces("train"), *table.weight.shape))
    table.weight[tokenizer().vocabulary["[PAD]"]] = 0


def loss(model: nn.Module, batch: Batch) -> Tensor:
    """Return the cross entropy with smoothed labels."""
    return F.cross_entropy(model(batch.ids), batch.labels, label_smoothing=SMOOTHING)


@torch.no_grad()
def logits(model: nn.Module, examples: Sequence[Example]) -> Tensor:
    """Return the logits `(N, C)` of docstrings. The model is in eval mode."""
    cut = rows(examples)
    order = sorted(range(len(cut)), key=lambda i: len(cut[i].ids))  # alike lengths: little padding
    found = torch.empty(len(cut), len(CLASSES))  # (N, C)
    for start in range(0, len(order), _TOGETHER):
        places = order[start : start + _TOGETHER]
        found[places] = model(collate([cut[i] for i in places]).ids)
    return found


def figures(predicted: Tensor, examples: Sequence[Example]) -> dict[str, float]:
    """Score predicted classes `(N,)`: accuracy and macro F1."""
    labels = torch.tensor([each.label for each in examples])  # (N,)
    count = len(CLASSES)
    pairs = torch.bincount(labels * count + predicted, minlength=count**2).view(count, count)
    both = pairs.sum(dim=0) + pairs.sum(dim=1)  # (C,)
    f1 = 2 * pairs.diagonal() / both.clamp(min=1)  # (C,)
    return {
        "accuracy": (predicted == labels).float().mean().item(),
        "macro F1": f1.mean().item(),
    }
