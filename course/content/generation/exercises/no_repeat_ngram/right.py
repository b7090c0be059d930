"""Right answers to generation.no_repeat_ngram in other styles than the model solution's."""

from collections import defaultdict

import torch


def no_repeat_ngram_set(logits, ids, n):
    """Try each token: would the text with it end as some part of it does?"""
    known = {tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)}
    result = logits.clone()
    for token in range(len(logits)):
        if tuple([*ids, token][-n:]) in known:
            result[token] = -torch.inf
    return result


def no_repeat_ngram_dictionary(logits, ids, n):
    """As transformers does it."""
    followed = defaultdict(list)
    for gram in zip(*(ids[i:] for i in range(n)), strict=False):
        followed[gram[:-1]].append(gram[-1])
    if len(ids) + 1 < n:
        return logits
    tail = tuple(ids[len(ids) + 1 - n :])
    banned = torch.tensor(followed[tail], dtype=torch.long, device=logits.device)
    return logits.index_fill(0, banned, -torch.inf)


def no_repeat_ngram_unfold(logits, ids, n):
    if len(ids) < n:
        return logits
    every = torch.tensor(ids, device=logits.device).unfold(0, n, 1)  # (N, n)
    tail = torch.tensor(ids[len(ids) - n + 1 :] if n > 1 else [], device=logits.device)
    hits = (every[:, :-1] == tail).all(dim=1)
    added = torch.zeros_like(logits)
    added[every[hits, -1]] = -torch.inf
    return logits + added


def no_repeat_ngram_where(logits, ids, n):
    places = range(n - 1, len(ids))
    tail = ids[len(ids) - (n - 1) :]
    banned = {ids[i] for i in places if all(ids[i - n + 1 + j] == tail[j] for j in range(n - 1))}
    blocked = torch.tensor([v in banned for v in range(logits.numel())], device=logits.device)
    return torch.where(blocked, -torch.inf, logits)


RIGHT = (
    no_repeat_ngram_set,
    no_repeat_ngram_dictionary,
    no_repeat_ngram_unfold,
    no_repeat_ngram_where,
)
