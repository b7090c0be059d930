"""One vector between two recurrent networks: the decoder learns of the source what the encoder's last state holds.

Sources: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
Translation", sections 2.2 and 2.3 (the gated unit; the vector at each step); Sutskever et al. 2014, "Sequence to
Sequence Learning with Neural Networks", section 3.3 (the source reversed).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["FixedVector"]


class FixedVector(nn.Module):
    """Map ids `(B, S)` and `(B, T)` to logits `(B, T, V)`, through one vector `(B, H)`.

    Args:
        backwards: read the source from its end to its start.
    """

    def __init__(
        self, vocab_size: int, embed: int, hidden: int, padding_idx: int, backwards: bool = False
    ) -> None:
        super().__init__()
        self.padding_idx, self.backwards = padding_idx, backwards
        self.embedding = nn.Embedding(vocab_size, embed, padding_idx)
        self.encoder = nn.GRU(embed, hidden, batch_first=True)
        self.first = nn.Linear(hidden, hidden)
        self.decoder = nn.GRU(embed + hidden, hidden, batch_first=True)
        self.project = nn.Linear(hidden, vocab_size)

    def encode(self, source: Tensor) -> Tensor:
        """Return the encoder's state `(B, H)` after the last token of `source` `(B, S)`."""
        lengths = (source != self.padding_idx).sum(dim=1)  # (B,)
        if self.backwards:
            places = lengths[:, None] - 1 - torch.arange(source.shape[1])  # (B, S): last, ..., 1, 0
            source = source.gather(1, places.clamp(min=0))
        states, _ = self.encoder(self.embedding(source))  # (B, S, H)
        last: Tensor = states[torch.arange(len(source)), lengths - 1]  # (B, H)
        return last

    def start(self, vector: Tensor) -> Tensor:
        """Return the decoder's first state `(B, H)`."""
        return torch.tanh(self.first(vector))

    def decode(self, target: Tensor, state: Tensor, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Read ids `(B, T)` from a state `(B, H)` on; return logits `(B, T, V)` and the last state."""
        each = vector[:, None].expand(-1, target.shape[1], -1)  # (B, T, H): the same at each step
        x = torch.cat([self.embedding(target), each], dim=-1)  # (B, T, E + H)
        states, last = self.decoder(x, state[None])  # (B, T, H), (1, B, H)
        return self.project(states), last[0]

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the logits `(B, T, V)` of the token after each target token."""
        vector = self.encode(source)  # (B, H)
        return self.decode(target, self.start(vector), vector)[0]
