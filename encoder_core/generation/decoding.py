"""Decoding, one text at a time: greedy, beam search, nucleus (top-p) sampling. Written to be read.

`next_logits` maps the sequence so far, a list of ids that begins with `bos_id`, to the logits
`(V,)` of the next token. `bos_id` and `eos_id` are not in the result; `max_length` limits the
tokens of the result. `generate.py` computes the same for a batch, with a cache.

Sources: Wu et al. 2016, "Google's Neural Machine Translation System", section 7, equation 14
(beam search with a length penalty); Holtzman et al. 2020, "The Curious Case of Neural Text
Degeneration", section 3.1 (nucleus sampling).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = [
    "beam_search",
    "greedy_decode",
    "length_penalised",
    "nucleus_probabilities",
    "require_temperature",
    "sample",
    "shift_right",
    "top_p",
]

NextLogits = Callable[[list[int]], Tensor]


def shift_right(targets: Tensor, bos_id: int) -> Tensor:
    """Shift targets `(B, T)` right by one, with `bos_id` first: the decoder's input in training.

    Source: Vaswani et al. 2017, figure 1 ("outputs (shifted right)").

    >>> shift_right(torch.tensor([[5, 6, 2]]), bos_id=1)
    tensor([[1, 5, 6]])
    """
    return torch.cat((torch.full_like(targets[:, :1], bos_id), targets[:, :-1]), dim=1)  # (B, T)


def greedy_decode(next_logits: NextLogits, bos_id: int, eos_id: int, max_length: int) -> list[int]:
    """Take the most likely token at each step.

    >>> after = {1: 5, 5: 6, 6: 2}  # each token's successor
    >>> greedy_decode(lambda ids: torch.eye(7)[after[ids[-1]]], 1, 2, max_length=9)
    [5, 6]
    """
    ids = [bos_id]
    while len(ids) <= max_length:
        token = int(next_logits(ids).argmax())
        if token == eos_id:
            break
        ids.append(token)
    return ids[1:]


def top_p(logits: Tensor, p: float) -> Tensor:
    """Set logits `(..., V)` outside of the nucleus to -inf.

    The nucleus is the smallest set of tokens whose probability reaches `p`. It always has the most
    likely token; ties go to the smaller ids. Raises ValueError unless 0 <= p <= 1.

    Source: Holtzman et al. 2020, section 3.1, equation 2.

    >>> top_p(torch.tensor([0.5, 0.3, 0.2]).log(), p=0.8).exp()
    tensor([0.5000, 0.3000, 0.0000])
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, between 0 and 1; got {p}.")
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)  # (..., V) both
    # Sum many small numbers in float64; MPS has float32 only.
    wide = torch.float32 if logits.device.type == "mps" else torch.float64
    total = ordered.softmax(dim=-1, dtype=wide).cumsum(dim=-1)  # (..., V)
    # A logit is rounded by up to eps / 2 of itself, so a sum that should be p may be below it.
    rounding = 8 * torch.finfo(torch.promote_types(logits.dtype, torch.float32)).eps
    outside = torch.zeros_like(total, dtype=torch.bool)  # the most likely token always stays
    if p < 1:
        outside[..., 1:] = total[..., :-1] >= p - rounding  # the more likely tokens suffice
    outside = torch.empty_like(outside).scatter_(-1, order, outside)  # back to the ids' order
    return logits.masked_fill(outside, -torch.inf)


def require_temperature(temperature: float) -> None:
    """Raise ValueError unless the temperature is positive and finite."""
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be a finite number above 0; got {temperature}.")


def nucleus_probabilities(logits: Tensor, p: float, temperature: float) -> Tensor:
    """Return the probabilities that `sample` draws from: `(..., V)`, 0 outside of the nucleus.

    The logits are divided by `temperature` first. Computed in float32 at least. Raises ValueError
    unless 0 <= p <= 1 and the temperature is positive and finite.

    >>> nucleus_probabilities(torch.tensor([3.0, 3.0, -1.0]), p=0.9, temperature=1.0)
    tensor([0.5000, 0.5000, 0.0000])
    """
    require_temperature(temperature)
    narrow = torch.promote_types(logits.dtype, torch.float32)
    wide = torch.float32 if logits.device.type == "mps" else torch.float64
    logits = logits.to(wide)  # (..., V)
    # Make the largest logit 0, so that it stays finite divided by a small temperature.
    logits = logits - logits.amax(dim=-1, keepdim=True)  # (..., V)
    temperature = max(temperature, torch.finfo(wide).tiny)
    return top_p((logits / temperature).to(narrow), p).softmax(dim=-1)  # (..., V)


def sample(
    next_logits: NextLogits,
    bos_id: int,
    eos_id: int,
    max_length: int,
    p: float = 0.9,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> list[int]:
    """Draw each token from the nucleus, with torch's global generator by default.

    Raises ValueError unless 0 <= p <= 1 and the temperature is positive and finite.
    """
    require_temperature(temperature)
    ids = [bos_id]
    while len(ids) <= max_length:
        probabilities = nucleus_probabilities(next_logits(ids), p, temperature)  # (V,)
        token = int(torch.multinomial(probabilities, 1, generator=generator))
        if token == eos_id:
            break
        ids.append(token)
    return ids[1:]


def length_penalised(log_probability: float, length: int, length_penalty: float) -> float:
    """Return log-probability / ((5 + length) / 6) ** length_penalty, the score of a hypothesis.

    `length` counts the end token. Source: Wu et al. 2016, equation 14.

    >>> length_penalised(-6.0, length=7, length_penalty=1.0)
    -3.0
    """
    divisor: float = ((5 + length) / 6) ** length_penalty
    return log_probability / divisor


def beam_search(
    next_logits: NextLogits,
    bos_id: int,
    eos_id: int,
    beam: int,
    max_length: int,
    length_penalty: float = 0.6,
) -> list[int]:
    """Keep the `beam` most likely hypotheses at each step; return the one with the best score.

    Hypotheses cut off at `max_length` compete with the finished ones; see `length_penalised`. Raises
    ValueError if `beam` is less than 1.

    >>> after = {1: [0.1, 0.0, 0.9], 0: [0.5, 0.0, 0.5]}  # 2 ends the text
    >>> logits = lambda ids: torch.tensor(after[ids[-1]]).log()
    >>> beam_search(logits, bos_id=1, eos_id=2, beam=2, max_length=3)
    []
    """
    if beam < 1:
        raise ValueError(f"beam must be at least 1; got {beam}.")
    live: list[tuple[float, list[int]]] = [(0.0, [bos_id])]
    finished: list[tuple[float, list[int]]] = []
    for _ in range(max_length):
        continued = []
        for log_probability, ids in live:
            scores = next_logits(ids).log_softmax(dim=-1)  # (V,)
            best = scores.topk(min(beam, len(scores)))  # no more of one hypothesis can survive
            for gain, token in zip(best.values.tolist(), best.indices.tolist(), strict=True):
                continued.append((log_probability + gain, [*ids, token]))
        kept = sorted(continued, key=lambda hypothesis: -hypothesis[0])[:beam]
        finished += [hypothesis for hypothesis in kept if hypothesis[1][-1] == eos_id]
        live = [hypothesis for hypothesis in kept if hypothesis[1][-1] != eos_id]
        if not live:
            break

    def score(hypothesis: tuple[float, list[int]]) -> float:
        return length_penalised(hypothesis[0], len(hypothesis[1]) - 1, length_penalty)

    ids = max(finished + live, key=score)[1]
    return ids[1:-1] if ids[-1] == eos_id else ids[1:]
