"""Word vectors learned from which words stand near each other, in seconds.

Skip-gram with negative sampling (Mikolov et al. 2013, "Distributed Representations of Words and
Phrases and their Compositionality", sections 2.2 and 2.3): a word's vector is trained to tell the
words that stood near it from words drawn at random. Levy and Goldberg (2014) show that this comes
to factorising a matrix of how much more often than by chance two words meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.system.threads import one_thread

__all__ = ["Learned", "pairs", "train"]

FREQUENT = 1e-3  # a word with a larger share of the text is read only now and then
NEGATIVE = 5  # a random word weighs as much as five to one
DRAWN = 128  # random words, shared by a batch
BATCH = 4096


@dataclass(frozen=True)
class Learned:
    """What training left: a vector for each word, before and after, and the loss on the way.

    `before` and `after` are (V, D); `loss` has one number for each pass over the text.
    """

    before: Tensor
    after: Tensor
    loss: list[float]


def pairs(
    texts: Sequence[Sequence[int]], vocab_size: int, *, window: int = 5, unknown: int = 1
) -> tuple[Tensor, Tensor]:
    """Every word with every other that stands at most `window` places away.

    Unknown words are passed over. The most frequent words are left out at random, the more
    frequent the more often, so that "the" doesn't drown the rest.

    Args:
        texts: the ids of each text's words.
        vocab_size: V.
        window: how far "near" is.
        unknown: the id of unknown words.

    Returns:
        The ids of the words and of their neighbours, (N,) each.

    Source: Mikolov et al. 2013, section 2.3 (leaving frequent words out).

    >>> centre, near = pairs([[7, 8, 9]], vocab_size=10, window=1)
    >>> sorted(zip(centre.tolist(), near.tolist()))
    [(7, 8), (8, 7), (8, 9), (9, 8)]
    """
    gap = [unknown] * window  # nothing is near across the border of two texts
    ids = torch.tensor([number for text in texts for number in (*text, *gap)])
    known = ids != unknown
    if int(known.sum()) > 1000:  # in less, every word is frequent
        share = torch.bincount(ids[known], minlength=vocab_size) / known.sum()
        keep = (FREQUENT / share.clamp(min=1e-9)).sqrt()  # (V,)
        known &= torch.rand(len(ids), generator=torch.Generator().manual_seed(0)) < keep[ids]
    centre, near = [], []
    for distance in range(1, window + 1):
        left, right = ids[:-distance], ids[distance:]
        both = known[:-distance] & known[distance:]
        centre += [left[both], right[both]]
        near += [right[both], left[both]]
    return torch.cat(centre), torch.cat(near)


def train(
    centre: Tensor,
    near: Tensor,
    vocab_size: int,
    d_model: int = 64,
    *,
    passes: int = 3,
    seed: int = 0,
    on_pass: Callable[[int, float], None] | None = None,
) -> Learned:
    """Learn a vector for each word.

    Args:
        centre: ids of words, (N,); see `pairs`.
        near: ids of their neighbours, (N,).
        vocab_size: V.
        d_model: D.
        passes: how often the pairs are gone through.
        seed: of the first values, the order and the random words.
        on_pass: called after each pass with its number and its mean loss.

    Returns:
        The vectors; the same on every run on the same machine.

    Source: Mikolov et al. 2013, equation 4.
    """
    generator = torch.Generator().manual_seed(seed)
    before = 0.1 * torch.randn(vocab_size, d_model, generator=generator)  # (V, D)
    words = nn.Parameter(before.clone())
    contexts = nn.Parameter(torch.zeros(vocab_size, d_model))
    noise = torch.bincount(near, minlength=vocab_size).double() ** 0.75
    optimiser = torch.optim.Adam([words, contexts], lr=0.01)
    loss: list[float] = []
    with one_thread():
        for number in range(passes):
            order = torch.randperm(len(centre), generator=generator)
            total = 0.0
            for some in order.split(BATCH):  # type: ignore[no-untyped-call]
                drawn = torch.multinomial(noise, DRAWN, replacement=True, generator=generator)
                step = _loss(words[centre[some]], contexts[near[some]], contexts[drawn])
                optimiser.zero_grad()
                step.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total += step.item() * len(some)
            loss.append(total / len(centre))
            if on_pass is not None:
                on_pass(number + 1, loss[-1])
    return Learned(before, words.detach().clone(), loss)


def _loss(word: Tensor, near: Tensor, drawn: Tensor) -> Tensor:
    """-log sigmoid(w . n) of a neighbour n, and -log sigmoid(-w . r) of random words r."""
    real = (word * near).sum(dim=-1)  # (b, D), (b, D) -> (b,)
    random = word @ drawn.T  # (b, D) @ (D, DRAWN) -> (b, DRAWN)
    return -(F.logsigmoid(real).mean() + NEGATIVE * F.logsigmoid(-random).mean())
