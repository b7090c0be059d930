"""Attention beside a small recurrent network: what is far away, and what must wait for what.

The task: a sequence begins with one of eight symbols, then come others that mean nothing; after
the last one the network must say which symbol was the first. The further away, the harder for a
network that reads one token after another (Bengio, Simard and Frasconi 1994; Hochreiter and
Schmidhuber 1997).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.system.threads import one_thread

__all__ = ["KINDS", "LastToken", "gradient_by_distance", "longest_chain", "recall"]

KINDS = ("recurrent", "gated recurrent", "attention")
SYMBOLS = 8


class LastToken(nn.Module):
    """Reads a sequence and answers at its last token, by one layer of the chosen kind.

    "recurrent" is h[t] = tanh(W x[t] + U h[t-1] + b) (Elman 1990), "gated recurrent" the GRU
    (Cho et al. 2014), "attention" one head, asked at the last token only. All have one embedding
    and one output projection; nothing tells the attention where a token stands.

    Shapes: ids (B, S) -> logits (B, 8).

    Raises:
        ValueError: `kind` is none of `KINDS`.
    """

    def __init__(self, kind: str, d_model: int = 32) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}; it was {kind!r}")
        self.kind = kind
        self.embedding = nn.Embedding(2 * SYMBOLS, d_model)
        self.layer: nn.Module
        if kind == "attention":
            self.layer = nn.MultiheadAttention(d_model, 1, batch_first=True)
        else:
            recurrence = nn.RNN if kind == "recurrent" else nn.GRU
            self.layer = recurrence(d_model, d_model, batch_first=True)
        self.output = nn.Linear(d_model, SYMBOLS)

    def read(self, x: Tensor) -> Tensor:
        """The hidden state at the last token, (B, D), from embedded tokens (B, S, D)."""
        if self.kind == "attention":
            last: Tensor = self.layer(x[:, -1:], x, x, need_weights=False)[0]  # (B, 1, D)
            return last[:, 0]
        hidden: Tensor = self.layer(x)[0]  # (B, S, D)
        return hidden[:, -1]

    def forward(self, ids: Tensor) -> Tensor:
        """See the class."""
        logits: Tensor = self.output(self.read(self.embedding(ids)))
        return logits


def recall(kind: str, length: int, steps: int = 100, seed: int = 0, d_model: int = 32) -> float:
    """Train on the task at one length; the share right on 512 sequences not seen before.

    Guessing gives 1/8. Draws from generators of its own; torch's global one stays as it was.

    Args:
        kind: one of `KINDS`.
        length: tokens in a sequence; between the symbol and the question lie `length - 1` steps.
        steps: batches of 32 to learn from.
        seed: makes weights and data.
        d_model: width of the network.
    """
    with one_thread():
        return _recall(kind, length, steps, seed, d_model)


def _recall(kind: str, length: int, steps: int, seed: int, d_model: int) -> float:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = LastToken(kind, d_model)
    data = torch.Generator().manual_seed(seed + 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(steps):
        ids, answer = _sequences(32, length, data)
        optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(network(ids), answer))
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    ids, answer = _sequences(512, length, data)
    with torch.no_grad():
        return float((network(ids).argmax(-1) == answer).float().mean())


def _sequences(batch: int, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Ids (B, S) and the answers (B,): symbols have ids from 8 on, what means nothing has 0 to 7."""
    ids = torch.randint(0, SYMBOLS, (batch, length), generator=generator)
    answer = torch.randint(0, SYMBOLS, (batch,), generator=generator)
    ids[:, 0] = SYMBOLS + answer
    return ids, answer


def gradient_by_distance(kind: str, length: int = 40, seed: int = 0, d_model: int = 32) -> Tensor:
    """How strongly the last output of an untrained network depends on the token d steps before it.

    The mean, over 16 sequences, of the norm of the gradient of a random direction of the last
    hidden state with respect to each embedded token; `(length - 1,)`, for d = 1, 2, ...
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = LastToken(kind, d_model)
        x = torch.randn(16, length, d_model, requires_grad=True)
        direction = F.normalize(torch.randn(16, d_model), dim=-1)
    (slope,) = torch.autograd.grad((network.read(x) * direction).sum(), x)  # (B, S, D)
    by_place: Tensor = slope.norm(dim=-1).mean(dim=0)  # (S,)
    return by_place.flip(0)[1:]  # the nearest first, without the last token itself


def longest_chain(kind: str, length: int, d_model: int = 32) -> int:
    """How many operations must wait for one another until the last output is there.

    Counted in the graph that autograd keeps: the longest way from an input to the output. However
    many units a machine has, it can't be done in fewer steps (of these operations).

    Args:
        kind: one of `KINDS`.
        length: tokens in the sequence.
        d_model: width of the network.
    """
    x = torch.zeros(1, length, d_model, requires_grad=True)
    if kind == "attention":
        last = LastToken(kind, d_model).read(x)
    else:  # step by step: PyTorch's whole recurrences are one operation to autograd
        cell = (nn.RNNCell if kind == "recurrent" else nn.GRUCell)(d_model, d_model)
        last = torch.zeros(1, d_model)
        for token in x.unbind(dim=1):  # (B, S, D) -> S times (B, D)
            last = cell(token, last)
    return _depth(last.grad_fn)


def _depth(output: Any) -> int:
    """The longest way from an operation of an autograd graph back to where it begins."""
    depth: dict[Any, int] = {}
    waiting = [output]
    while waiting:
        before = [node for node, _ in waiting[-1].next_functions if node is not None]
        open_ones = [node for node in before if node not in depth]
        if open_ones:
            waiting.extend(open_ones)
        else:
            depth[waiting.pop()] = 1 + max((depth[node] for node in before), default=0)
    return depth[output]
