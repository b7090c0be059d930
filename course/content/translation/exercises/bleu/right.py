"""Right answers to translation.bleu in other styles than the model solution's."""

import math
from collections import Counter, defaultdict

import torch


def bleu_counts_first(candidates, references):
    """All counts in one pass over the sentences, then the score."""
    right, every = [0] * 4, [0] * 4
    for candidate, reference in zip(candidates, references, strict=True):
        for order in range(4):
            left = Counter(zip(*[reference[i:] for i in range(order + 1)], strict=False))
            for gram in zip(*[candidate[i:] for i in range(order + 1)], strict=False):
                every[order] += 1
                if left[gram] > 0:
                    left[gram] -= 1
                    right[order] += 1
    if min(right) == 0:
        return 0
    ours, theirs = sum(map(len, candidates)), sum(map(len, references))
    penalty = 1 if ours >= theirs else math.exp(1 - theirs / ours)
    return penalty * math.prod(r / e for r, e in zip(right, every, strict=False)) ** 0.25


def bleu_tensor(candidates, references):
    totals = torch.zeros(2, 4, dtype=torch.float64)
    for candidate, reference in zip(candidates, references, strict=False):
        for n in (1, 2, 3, 4):
            seen = defaultdict(int)
            for i in range(len(reference) - n + 1):
                seen[tuple(reference[i : i + n])] += 1
            found = Counter(tuple(candidate[i : i + n]) for i in range(len(candidate) - n + 1))
            totals[0, n - 1] += sum(min(count, seen[gram]) for gram, count in found.items())
            totals[1, n - 1] += found.total() if hasattr(found, "total") else sum(found.values())
    if (totals == 0).any():
        return 0.0
    score = (totals[0] / totals[1]).log().mean().exp().item()
    c, r = float(sum(len(x) for x in candidates)), float(sum(len(x) for x in references))
    return score * math.exp(min(0.0, 1 - r / c))


def bleu_recursive(candidates, references):
    def counted(words, n):
        if len(words) < n:
            return {}
        rest = counted(words[1:], n)
        first = tuple(words[:n])
        return {**rest, first: rest.get(first, 0) + 1}

    def precision(n):
        pairs = [
            (counted(c, n), counted(r, n)) for c, r in zip(candidates, references, strict=False)
        ]
        hits = sum(min(times, r.get(gram, 0)) for c, r in pairs for gram, times in c.items())
        return hits / max(1, sum(sum(c.values()) for c, _ in pairs))

    precisions = [precision(n) for n in range(1, 5)]
    if 0 in precisions:
        return 0.0
    c, r = (len([word for text in side for word in text]) for side in (candidates, references))
    return min(1, math.e ** (1 - r / c)) * math.pow(math.prod(precisions), 1 / 4)


def bleu_numbered(candidates, references):
    """Words become numbers, as in a tokenizer."""
    numbers = {}
    ids = [
        [[numbers.setdefault(word, len(numbers)) for word in text] for text in side]
        for side in (candidates, references)
    ]
    log_score = 0.0
    for n in range(1, 5):
        matches, possible = 0, 0
        for c, r in zip(*ids, strict=False):
            grams = [str(c[i : i + n]) for i in range(len(c) + 1 - n)]
            others = [str(r[i : i + n]) for i in range(len(r) + 1 - n)]
            matches += sum(min(grams.count(g), others.count(g)) for g in set(grams))
            possible += len(grams)
        if not matches:
            return 0.0
        log_score += 0.25 * (math.log(matches) - math.log(possible))
    ours, theirs = (sum(map(len, side)) for side in ids)
    if ours < theirs:
        log_score += 1 - theirs / ours
    return math.exp(log_score)


RIGHT = (bleu_counts_first, bleu_tensor, bleu_recursive, bleu_numbered)
