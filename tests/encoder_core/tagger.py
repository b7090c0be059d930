"""A small model with dropout, its texts and its loss, for the tests of trainings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from encoder_core.embeddings import TokenEmbedding
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer

DATA = [torch.randint(1, 9, (6,), generator=torch.Generator().manual_seed(i)) for i in range(22)]


class Tagger(nn.Module):
    """Embeddings, two layers with dropout, an output."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = TokenEmbedding(9, 8)
        self.encoder = TransformerEncoder(TransformerEncoderLayer(8, 2, 16, dropout=0.1), 2)
        self.output = nn.Linear(8, 9)

    def forward(self, ids: Tensor) -> Tensor:
        scores: Tensor = self.output(self.encoder(self.embedding(ids)))  # (B, S, V)
        return scores


def make() -> Tagger:
    """The same weights at each call."""
    torch.manual_seed(1)
    return Tagger()


def loss(model: nn.Module, ids: Tensor) -> Tensor:
    """The cross entropy of guessing each text backwards."""
    return nn.functional.cross_entropy(model(ids).flatten(0, 1), ids.flip(1).flatten())


def assert_same(one: nn.Module, other: nn.Module) -> None:
    """Both hold the same weights, bit by bit."""
    for (name, a), (_, b) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
