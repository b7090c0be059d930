"""The hypotheses of a beam search as a tree: all that were ever kept, not only those that are left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

__all__ = ["Lane", "Node", "Tree"]

Live = Sequence[tuple[int, float]]  # hypotheses that can go on: the node, and log p
BEGIN: Live = ((-1, 0.0),)


@dataclass(frozen=True)
class Node:
    """A token of the tree: after which other node, in which step, on which rank among those kept."""

    token: int
    parent: int  # -1 after the sentence so far
    step: int  # from 1
    rank: int  # from 0
    log_p: float  # of the hypothesis that ends here
    ends: bool  # the end token, or the last step
    cut: bool = False  # at the last step, before its end


@dataclass(frozen=True)
class Tree:
    """The hypotheses of a beam search; `best` is the node in which the chosen one ends."""

    nodes: tuple[Node, ...]
    best: int

    def path(self, node: int) -> list[int]:
        """The nodes from the sentence so far to this one."""
        found = []
        while node >= 0:
            found.append(node)
            node = self.nodes[node].parent
        return found[::-1]

    def tokens(self, node: int) -> list[int]:
        """The tokens on that path."""
        return [self.nodes[each].token for each in self.path(node)]


def keep_best(
    nodes: list[Node], live: Live, scores: Tensor, beam: int, step: int, eos_id: int, last: bool
) -> tuple[Live, list[int]]:
    """Add the `beam` likeliest continuations of all live hypotheses to `nodes`, the likeliest first.

    Args:
        scores: `(K, V)`, the log-probability of each next token of the K live ones.
        step: from 1.
        last: the hypotheses end here, with the end token or cut before it.

    Returns:
        Those that go on, and the rows of `scores` that they continue.
    """
    totals = scores + torch.tensor([log_p for _, log_p in live])[:, None]  # (K, V)
    best = totals.flatten().topk(min(beam, totals.numel()))
    going, rows = [], []
    for rank, (log_p, index) in enumerate(
        zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ):
        if not math.isfinite(log_p):
            continue
        row, token = divmod(index, scores.shape[1])
        ends = last or token == eos_id
        cut = last and token != eos_id
        nodes.append(Node(token, live[row][0], step, rank, log_p, ends, cut))
        if not ends:
            going.append((len(nodes) - 1, log_p))
            rows.append(row)
    return going, rows


@dataclass
class Lane:
    """One of several searches in a batch: its hypotheses, and which row of the batch is its first.

    A lane of one hypothesis is greedy decoding.
    """

    beam: int
    eos_id: int
    longest: int  # steps
    nodes: list[Node] = field(default_factory=list)
    live: Live = BEGIN
    first: int = 0

    def extend(self, scores: Tensor, step: int, first: int) -> list[int]:
        """Take step `step`, from 1, with the batch's `(K, V)`.

        Returns:
            The batch's rows that go on; they are now its rows from `first` on.
        """
        if not self.live:
            return []
        own = scores[self.first : self.first + len(self.live)]
        self.live, rows = keep_best(
            self.nodes, self.live, own, self.beam, step, self.eos_id, last=step == self.longest
        )
        rows = [self.first + row for row in rows]
        self.first = first
        return rows

    def tokens(self) -> list[int]:
        """The last token of each hypothesis that goes on."""
        return [self.nodes[node].token for node, _ in self.live]
