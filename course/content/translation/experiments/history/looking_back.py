"""A recurrent decoder that looks back at all states of the encoder before each step.

Source: Bahdanau, Cho and Bengio 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
section 3 and appendix A.1.2. The output reads the decoder's state alone; theirs reads more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

__all__ = ["AdditiveAttention", "LookingBack", "Memory"]

Function = Callable[..., tuple[Tensor, Tensor]]


class Memory(NamedTuple):
    """What the encoder hands over: its states `(B, S, M)`, their keys `(B, S, A)`, the padding `(B, S)`."""

    states: Tensor
    keys: Tensor
    padding: Tensor


class AdditiveAttention(nn.Module):
    """Score each of S states by a small network of the decoder's state and that state.

    Args:
        function: called as `translation.additive_attention`, in the place of what stands here.
    """

    def __init__(
        self, hidden: int, memory: int, width: int, function: Function | None = None
    ) -> None:
        super().__init__()
        self.of_query = nn.Linear(hidden, width, bias=False)
        self.of_memory = nn.Linear(memory, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)
        self.function = function

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return for a query `(B, H)` the weighted sum `(B, M)` of the states, and the weights `(B, S)`."""
        if self.function is not None:
            matrices = self.of_query.weight, self.of_memory.weight  # (A, H), (A, M)
            return self.function(
                query, memory.states, *matrices, self.score.weight[0], memory.padding
            )
        both = self.of_query(query)[:, None] + memory.keys  # (B, S, A)
        scores = self.score(torch.tanh(both)).squeeze(-1)  # (B, S)
        weights = scores.masked_fill(memory.padding, -torch.inf).softmax(dim=-1)  # (B, S)
        return (weights[:, None] @ memory.states).squeeze(1), weights


class LookingBack(nn.Module):
    """Map ids `(B, S)` and `(B, T)` to logits `(B, T, V)`; the encoder reads in both directions.

    Args:
        function: see `AdditiveAttention`.
    """

    def __init__(
        self,
        vocab_size: int,
        embed: int,
        hidden: int,
        padding_idx: int,
        function: Function | None = None,
    ) -> None:
        super().__init__()
        self.padding_idx = padding_idx
        self.embedding = nn.Embedding(vocab_size, embed, padding_idx)
        self.encoder = nn.GRU(embed, hidden, batch_first=True, bidirectional=True)
        self.first = nn.Linear(hidden, hidden)
        self.attention = AdditiveAttention(hidden, 2 * hidden, hidden, function)
        self.decoder = nn.GRUCell(embed + 2 * hidden, hidden)
        self.project = nn.Linear(hidden, vocab_size)

    def encode(self, source: Tensor) -> Memory:
        """Read ids `(B, S)`."""
        padding = source == self.padding_idx  # (B, S)
        lengths = (~padding).sum(dim=1)  # (B,): the backward half must not begin in the padding
        packed = pack_padded_sequence(
            self.embedding(source), lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True)  # (B, S, 2 H)
        return Memory(states, self.attention.of_memory(states), padding)

    def start(self, memory: Memory) -> Tensor:
        """Return the decoder's first state `(B, H)`, of the backward state at the first token."""
        return torch.tanh(self.first(memory.states[:, 0, memory.states.shape[-1] // 2 :]))

    def decode(self, target: Tensor, state: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Read ids `(B, T)` from a state `(B, H)` on; return logits `(B, T, V)` and the last state."""
        states = []
        for x in self.embedding(target).unbind(dim=1):  # (B, E), T times one after another
            context, _ = self.attention(state, memory)  # (B, 2 H)
            state = self.decoder(torch.cat([x, context], dim=-1), state)  # (B, H)
            states.append(state)
        return self.project(torch.stack(states, dim=1)), state

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the logits `(B, T, V)` of the token after each target token."""
        memory = self.encode(source)
        return self.decode(target, self.start(memory), memory)[0]
