"""Writing many texts at once, with a cache of keys and values. The forms that run.

The same as `encoder_core.decoding`, which is the form to read, for a whole batch of sources and an
`EncoderDecoder`.

Sources: Wu et al. 2016, section 7, equation 14; Holtzman et al. 2020, section 3.1; Shazeer 2019,
section 2.3 (the cache).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from encoder_core.decoding import length_penalised, nucleus_probabilities, require_temperature
from encoder_core.encoder_decoder import EncoderDecoder

__all__ = ["generate_beam", "generate_greedy", "generate_nucleus"]


@torch.inference_mode()
def generate_greedy(
    model: EncoderDecoder, source: Tensor, bos_id: int, eos_id: int, max_length: int
) -> list[list[int]]:
    """Take the likeliest token of each text, again and again.

    Args:
        model: put it in evaluation mode before.
        source: `(B, S)` ids.
        bos_id: begins each text; not in the result.
        eos_id: ends it; not in the result.
        max_length: the most tokens of a text.

    Returns:
        B lists of ids.

    Source: see `decoding.greedy_decode`.

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
    """Draw each token of each text from the nucleus.

    Args:
        model: put it in evaluation mode before.
        source: `(B, S)` ids.
        bos_id: begins each text; not in the result.
        eos_id: ends it; not in the result.
        max_length: the most tokens of a text.
        p: see `decoding.top_p`.
        temperature: divides the logits; finite and greater than 0.
        generator: where the draws come from, on the model's device; the global one if not given.

    Returns:
        B lists of ids.

    Raises:
        ValueError: `temperature` is not positive and finite, or `p` not between 0 and 1.

    Source: Holtzman et al. 2020, section 3.1.

    >>> model = EncoderDecoder(vocab_size=20, d_model=8, nhead=2).eval()
    >>> len(generate_nucleus(model, torch.tensor([[5, 6, 2]]), 1, 2, max_length=4)[0]) <= 4
    True
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
    """Write until every text has ended; `choose` takes logits `(B, V)` to ids `(B,)`."""
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
    """Search each text's best hypothesis with a beam of its own, all in one batch.

    Args:
        model: put it in evaluation mode before.
        source: `(B, S)` ids.
        bos_id: begins every hypothesis; not in the result.
        eos_id: finishes one; not in the result.
        beam: K, how many continuations each step keeps for each text.
        max_length: the most steps.
        length_penalty: see `decoding.length_penalised`.

    Returns:
        B lists of ids.

    Raises:
        ValueError: `beam` is less than 1.

    Source: Wu et al. 2016, section 7, equation 14.

    >>> model = EncoderDecoder(vocab_size=20, d_model=8, nhead=2).eval()
    >>> len(generate_beam(model, torch.tensor([[5, 6, 2]]), 1, 2, beam=3, max_length=4))
    1
    """
    if beam < 1:
        raise ValueError(f"beam must be at least 1; got {beam}.")
    batch = source.shape[0]
    memory, padding_mask = (x.repeat_interleave(beam, dim=0) for x in model.encode(source))
    cache = model.empty_cache()
    tokens = torch.full((batch * beam, 1), bos_id, device=source.device)  # (B * K, 1)
    # One live hypothesis a text to begin with; -inf marks a place where none lives.
    live = torch.full((batch, beam), -torch.inf, device=source.device)
    live[:, 0] = 0.0
    texts = torch.empty(batch, beam, 0, dtype=torch.long, device=source.device)  # (B, K, t)
    best: list[tuple[float, list[int]]] = [(-torch.inf, []) for _ in range(batch)]
    for _ in range(max_length):
        logits = model.step(tokens, memory, padding_mask, cache)[:, -1]  # (B * K, V)
        vocabulary = logits.shape[-1]
        gains = logits.log_softmax(dim=-1).view(batch, beam, vocabulary)  # (B, K, V)
        live, index = (live[..., None] + gains).flatten(1).topk(beam)  # (B, K) of (B, K * V)
        parent, token = index // vocabulary, index % vocabulary  # (B, K) both
        rows = (parent + torch.arange(batch, device=source.device)[:, None] * beam).flatten()
        cache.reorder(rows)
        texts = texts.flatten(0, 1)[rows].reshape(batch, beam, texts.shape[-1])  # (B, K, t)
        texts = torch.cat((texts, token[..., None]), dim=-1)  # (B, K, t + 1)
        _keep_best(best, live, texts, token == eos_id, length_penalty)
        live = live.masked_fill(token == eos_id, -torch.inf)
        tokens = token.flatten()[:, None]  # (B * K, 1)
        if live.eq(-torch.inf).all():
            break
    _keep_best(best, live, texts, live.isfinite(), length_penalty)
    return [ids[:-1] if ids and ids[-1] == eos_id else ids for _, ids in best]


def _keep_best(
    best: list[tuple[float, list[int]]],
    live: Tensor,
    texts: Tensor,
    competing: Tensor,
    length_penalty: float,
) -> None:
    """Let the competing hypotheses of each text contend with its best so far."""
    length = texts.shape[-1]
    for text, place in (competing & live.isfinite()).nonzero().tolist():
        score = length_penalised(float(live[text, place]), length, length_penalty)
        if score > best[text][0]:
            best[text] = (score, texts[text, place].tolist())
