"""Fine-tuning MiniLM's upper layers: it starts as the frozen classifier, and then the layers below the head move.

The lower layers stay as they are, so what they compute is computed once for each docstring. The head starts
from the frozen classifier's weights: a head of random weights would push the layers about before it has
learned anything, and new modules suffer from it (Kumar et al. 2022, "Fine-Tuning can Distort Pretrained
Features and Underperform Out-of-Distribution", sections 3 and 4).
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from course.content.classification.experiments import few
from course.datasets import Dataset, Example
from encoder_core import load_minilm
from encoder_core.models.bert import encode_embedded
from encoder_core.models.pooling import masked_mean

__all__ = ["SETTINGS", "Batch", "Lower", "Upper", "build", "collate", "logits", "loss"]

LENGTH = 64  # tokens of a docstring that are read
_TOGETHER = 64  # docstrings whose lower layers are computed at once

# One thread, half a minute with 50 docstrings a class; chosen on validation.
SETTINGS: dict[str, Any] = {
    "steps": 100,
    "batch_size": 16,
    "learning_rate": 1e-4,
    "warmup": 10,
    "schedule": "linear",
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "clip": 1.0,
    "num_layers": 2,
    "dropout": 0.1,
}


class Row(NamedTuple):
    """What the lower layers return for a docstring, `(S, D)`, and its class, int64."""

    hidden: Tensor
    label: Tensor


class Batch(NamedTuple):
    """Rows padded to one length: hidden `(B, S, D)`, padding `(B, S)`, True at padding, labels `(B,)`."""

    hidden: Tensor
    padding: Tensor
    labels: Tensor


class Lower(Sequence[Row]):
    """The rows of docstrings, computed by MiniLM's lowest layers when the first one is asked for."""

    def __init__(self, examples: Sequence[Example], layers: int) -> None:
        self.examples, self.layers = examples, layers

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, place: Any) -> Any:
        return self._rows[place]

    @functools.cached_property
    def _rows(self) -> list[Row]:
        model, tokenizer = load_minilm()
        encodings = [tokenizer.encode(each.text, max_length=LENGTH) for each in self.examples]
        found: dict[int, Row] = {}
        with torch.no_grad():
            for places in _of_similar_length(list(map(len, encodings))):
                batch = tokenizer.pad([encodings[i] for i in places])
                x = model.embeddings(batch.ids)  # (B, S, D)
                x = encode_embedded(model.layers[: self.layers], x, batch.padding_mask)
                for row, i in zip(x, places, strict=True):
                    hidden = row[: len(encodings[i])].clone()  # (S, D)
                    found[i] = Row(hidden, torch.tensor(self.examples[i].label))
        return [found[i] for i in range(len(encodings))]


def _of_similar_length(lengths: Sequence[int]) -> list[list[int]]:
    """Split places into batches that need little padding."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    return [order[start : start + _TOGETHER] for start in range(0, len(order), _TOGETHER)]


class Upper(nn.Module):
    """MiniLM's upper layers, the mean, and a head: hidden `(B, S, D)` to logits `(B, C)`.

    Args:
        layers: copied.
        frozen: the classifier whose weights the head starts with.
        dropout: in the layers.
    """

    def __init__(
        self, layers: Iterable[nn.Module], frozen: LogisticRegression, dropout: float
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(copy.deepcopy(layer) for layer in layers)
        for module in self.layers.modules():
            if isinstance(module, nn.Dropout):
                module.p = dropout
        weight, bias = (
            torch.from_numpy(part).float() for part in (frozen.coef_, frozen.intercept_)
        )
        self.head = nn.Linear(weight.shape[1], weight.shape[0])
        self.head.load_state_dict({"weight": weight, "bias": bias})

    def forward(self, hidden: Tensor, padding: Tensor) -> Tensor:
        """Return logits `(B, C)`; `padding` `(B, S)` is True at padding."""
        hidden = encode_embedded(self.layers, hidden, padding)  # (B, S, D)
        pooled = F.normalize(
            masked_mean(hidden, padding), dim=-1
        )  # (B, D), as `sentence_embedding`
        logits: Tensor = self.head(pooled)
        return logits


def build(data: Dataset, layers: int, dropout: float) -> Upper:
    """Make the model for a data set: the upper `layers` of MiniLM, and the frozen classifier's head."""
    upper = load_minilm(fresh=True)[0].layers[-layers:]
    return Upper(upper, few.minilm(data).model, dropout)


def collate(chosen: Sequence[Row]) -> Batch:
    """Pad rows on the right."""
    hidden = nn.utils.rnn.pad_sequence([row.hidden for row in chosen], batch_first=True)
    lengths = torch.tensor([len(row.hidden) for row in chosen])  # (B,)
    padding = torch.arange(hidden.shape[1]) >= lengths[:, None]  # (B, S)
    return Batch(hidden, padding, torch.stack([row.label for row in chosen]))


def loss(model: nn.Module, batch: Batch) -> Tensor:
    """Return the cross entropy."""
    return F.cross_entropy(model(batch.hidden, batch.padding), batch.labels)


@torch.no_grad()
def logits(model: nn.Module, rows: Lower) -> Tensor:
    """Return the logits `(N, C)` of docstrings. The model is in eval mode."""
    batches = _of_similar_length([len(row.hidden) for row in rows])
    found = [model(*collate([rows[i] for i in places])[:2]) for places in batches]
    order = torch.tensor([i for places in batches for i in places])
    return torch.cat(found)[order.argsort()]
