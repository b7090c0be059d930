"""Decoding for a batch of sources with an `EncoderDecoder` and a cache of keys and values.

Equal to `decoding.py`, which is written to be read. Each function takes source ids `(B, S)` and
returns B lists of ids. Put the model in eval mode before.

Sources: Wu et al. 2016, section 7, equation 14; Holtzman et al. 2020, section 3.1; Shazeer 2019,
section 2.3 (the cache).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from encoder_core.generation.decoding import (
    length_penalised,
    nucleus_probabilities,
    require_temperature,
)
from encoder_core.models.encoder_decoder import EncoderDecoder

__all__ = ["generate_beam", "generate_greedy", "generate_nucleus"]


@torch.inference_mode()
def generate_greedy(
    model: EncoderDecoder, source: Tensor, bos_id: int, eos_id: int, max_length: int
) -> list[list[int]]:
    """Take the most likely token of each text at each step; see `decoding.greedy_decode`.

    >>> model = EncoderDecoder(vocab_size=20, d_model=8, nhead=2).eval()
    >>> texts = generate_greedy(model, torch.tensor([[5, 6, 2], [7, 2, 0]]), 1, 2, max_length=4)
    >>> len(texts)
    2
    """
    return _generate(
        model, source, bos_id, eos_id, max_length, lambda logits: logits.argmax(dim=-1)
    )


@torch.inference_mode()
def generate_nucleus(
    model: EncoderDecoder,
    source: Tensor,
    bos_id: int,
    eos_id: int,
    max_length: int,
    p: float = 0.9,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Draw each token of each text from the nucleus; see `decoding.sample`.

    `generator` must be on the model's device. Raises ValueError unless 0 <= p <= 1 and the
    temperature is positive and finite.
    """
    require_temperature(temperature)

    def draw(logits: Tensor) -> Tensor:
        probabilities = nucleus_probabilities(logits, p, temperature)  # (B, V)
        return torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)  # (B,)

    return _generate(model, source, bos_id, eos_id, max_length, draw)


def _generate(
    model: EncoderDecoder,
    source: Tensor,
    bos_id: int,
    eos_id: int,
    max_length: int,
    choose: Callable[[Tensor], Tensor],
) -> list[list[int]]:
    """Decode until every text has ended; `choose` maps logits `(B, V)` to ids `(B,)`."""
    memory, padding_mask = model.encode(source)
    cache = model.empty_cache()
    tokens = torch.full((source.shape[0], 1), bos_id, device=source.device)  # (B, 1)
    columns: list[Tensor] = []
    ended = torch.zeros(source.shape[0], dtype=torch.bool, device=source.device)
    while len(columns) < max_length and not ended.all():
        logits = model.step(tokens, memory, padding_mask, cache)[:, -1]  # (B, V)
        chosen = choose(logits).masked_fill(ended, eos_id)  # (B,)
        ended = ended | (chosen == eos_id)
        columns.append(chosen)
        tokens = chosen[:, None]  # (B, 1)
    texts = torch.stack(columns, dim=1).tolist() if columns else [[] for _ in range(len(source))]
    return [ids[: ids.index(eos_id)] if eos_id in ids else ids for ids in texts]


@torch.inference_mode()
def generate_beam(
    model: EncoderDecoder,
    source: Tensor,
    bos_id: int,
    eos_id: int,
    beam: int,
    max_length: int,
    length_penalty: float = 0.6,
) -> list[list[int]]:
    """Search with a beam for each text; see `decoding.beam_search`.

    Raises ValueError if `beam` is less than 1.
    """
    if beam < 1:
        raise ValueError(f"beam must be at least 1; got {beam}.")
    memory, padding_mask = (x.repeat_interleave(beam, dim=0) for x in model.encode(source))
    cache, search = model.empty_cache(), _Search(source, beam, length_penalty)
    tokens = torch.full((source.shape[0] * beam, 1), bos_id, device=source.device)  # (B * K, 1)
    for _ in range(max_length):
        logits = model.step(tokens, memory, padding_mask, cache)[:, -1]  # (B * K, V)
        rows, tokens = search.extend(logits, eos_id)  # (B * K,), (B * K, 1)
        open_texts = search.open_texts(max_length)
        if not open_texts:
            break
        if len(open_texts) < len(search.texts):  # drop the decided ones
            kept = search.keep(open_texts)  # (B' * K,)
            rows, tokens = rows[kept], tokens[kept]
            memory, padding_mask = memory[kept], padding_mask[kept]
        cache.reorder(rows)
    else:  # max_length reached: unfinished hypotheses compete too
        search.keep_best(search.live.isfinite())
    return [ids[:-1] if ids and ids[-1] == eos_id else ids for _, ids in search.best]


class _Search:
    """The live hypotheses of the open texts, and the best finished hypothesis of every text.

    `live` `(B, K)` holds log-probabilities, -inf for an empty slot; `ids` `(B, K, t)` their tokens;
    `texts` the index in the source of each of the B rows.
    """

    def __init__(self, source: Tensor, beam: int, length_penalty: float) -> None:
        batch, device = source.shape[0], source.device
        self.beam, self.length_penalty = beam, length_penalty
        self.live = torch.full((batch, beam), -torch.inf, device=device)
        self.live[:, 0] = 0.0  # start with one hypothesis per text
        self.ids = torch.empty(batch, beam, 0, dtype=torch.long, device=device)
        self.texts = list(range(batch))
        self.best: list[tuple[float, list[int]]] = [(-torch.inf, []) for _ in range(batch)]

    def extend(self, logits: Tensor, eos_id: int) -> tuple[Tensor, Tensor]:
        """Extend by `logits` `(B * K, V)`; return the rows that continue, and their tokens."""
        batch, beam, vocabulary = len(self.texts), self.beam, logits.shape[-1]
        gains = logits.log_softmax(dim=-1).view(batch, beam, vocabulary)  # (B, K, V)
        self.live, index = (self.live[..., None] + gains).flatten(1).topk(beam)  # (B, K) of K * V
        parent, token = index // vocabulary, index % vocabulary  # (B, K) both
        first = torch.arange(batch, device=logits.device)[:, None] * beam  # (B, 1)
        rows = (parent + first).flatten()  # (B * K,)
        ids = self.ids.flatten(0, 1)[rows].view(batch, beam, self.ids.shape[-1])  # (B, K, t)
        self.ids = torch.cat((ids, token[..., None]), dim=-1)  # (B, K, t + 1)
        self.keep_best(token == eos_id)
        self.live = self.live.masked_fill(token == eos_id, -torch.inf)
        return rows, token.reshape(-1, 1)

    def open_texts(self, max_length: int) -> list[int]:
        """Return the rows of the texts whose best hypothesis can still be beaten."""
        length = self.ids.shape[-1]
        likeliest = self.live.amax(dim=-1).tolist()  # (B,)
        return [
            row
            for row, text in enumerate(self.texts)
            if likeliest[row] != -torch.inf
            and not _out_of_reach(
                likeliest[row], self.best[text][0], length, max_length, self.length_penalty
            )
        ]

    def keep(self, rows: list[int]) -> Tensor:
        """Keep these texts only; return the indices of their rows among the B * K."""
        chosen = torch.tensor(rows, device=self.live.device)  # (B',)
        self.live, self.ids = self.live[chosen], self.ids[chosen]
        self.texts = [self.texts[row] for row in rows]
        places = torch.arange(self.beam, device=chosen.device)  # (K,)
        return (chosen[:, None] * self.beam + places).flatten()  # (B' * K,)

    def keep_best(self, competing: Tensor) -> None:
        """Replace the best of each text where one of the `competing` hypotheses `(B, K)` scores higher."""
        length = self.ids.shape[-1]
        for row, place in (competing & self.live.isfinite()).nonzero().tolist():
            score = length_penalised(float(self.live[row, place]), length, self.length_penalty)
            if score > self.best[self.texts[row]][0]:
                self.best[self.texts[row]] = (score, self.ids[row, place].tolist())


def _out_of_reach(
    live: float, best: float, length: int, max_length: int, length_penalty: float
) -> bool:
    """Return whether no continuation of a hypothesis can beat `best`.

    A log-probability is at most 0 and never rises. Divided by a power of the length it is greatest at
    `max_length` if the exponent is positive, and at the next length otherwise.
    """
    if length >= max_length:
        return False  # it competes unfinished
    reached = max_length if length_penalty > 0 else length + 1
    try:
        return length_penalised(live, reached, length_penalty) <= best
    except (OverflowError, ZeroDivisionError):  # of a huge exponent
        return False
