"""Right answers to translation.chrf in other styles than the model solution's."""

import re
from collections import Counter, defaultdict

import torch


def chrf_one_pass(candidates, references, beta=2.0):
    """As sacrebleu counts: a triple for each n, summed over the sentences."""
    stats = [[0, 0, 0] for _ in range(6)]
    for candidate, reference in zip(candidates, references, strict=True):
        candidate, reference = re.sub(r"\s+", "", candidate), re.sub(r"\s+", "", reference)
        for n in range(1, 7):
            ours = Counter(candidate[i : i + n] for i in range(len(candidate) - n + 1))
            theirs = Counter(reference[i : i + n] for i in range(len(reference) - n + 1))
            stats[n - 1][0] += sum(ours.values()) if theirs else 0
            stats[n - 1][1] += sum(theirs.values())
            stats[n - 1][2] += sum(min(c, theirs[g]) for g, c in ours.items())
    precision = recall = orders = 0
    for written, expected, shared in stats:
        if written > 0 and expected > 0:
            precision += shared / written
            recall += shared / expected
            orders += 1
    if orders == 0 or precision + recall == 0:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return (1 + beta * beta) * precision * recall / (beta * beta * precision + recall)


def chrf_tensor(candidates, references, beta=2.0):
    counts = torch.zeros(3, 6, dtype=torch.float64)
    for sides in zip(candidates, references, strict=False):
        ours, theirs = ([c for c in text if not c.isspace()] for text in sides)
        for n in range(1, min(6, len(theirs)) + 1):
            left = defaultdict(int)
            for gram in zip(*(theirs[i:] for i in range(n)), strict=False):
                left[gram] += 1
            counts[2, n - 1] += len(theirs) - n + 1
            counts[1, n - 1] += max(0, len(ours) - n + 1)
            for gram in zip(*(ours[i:] for i in range(n)), strict=False):
                counts[0, n - 1] += left[gram] > 0
                left[gram] -= 1
    there = (counts[1] > 0) & (counts[2] > 0)
    if not there.any() or counts[0].sum() == 0:
        return 0.0
    p, r = (counts[0] / counts[1:])[:, there].mean(1).tolist()
    return 1 / ((1 / p + beta**2 / r) / (1 + beta**2))


def chrf_by_order(candidates, references, beta=2.0):
    table = str.maketrans(dict.fromkeys(filter(str.isspace, map(chr, range(0x110000 // 16))), None))
    ours = [text.translate(table) for text in candidates]
    theirs = [text.translate(table) for text in references]

    def grams(text, n):
        return [text[i : i + n] for i in range(max(len(text) + 1 - n, 0))]

    def order(n):
        pairs = [
            (grams(o, n), grams(t, n)) for o, t in zip(ours, theirs, strict=False) if len(t) >= n
        ]
        hits = sum(min(o.count(g), t.count(g)) for o, t in pairs for g in set(o))
        total = sum(len(o) for o, _ in pairs)
        if not total:
            return None
        return hits / total, hits / sum(len(t) for _, t in pairs)

    found = [pair for pair in map(order, range(1, 7)) if pair]
    p, r = (sum(side) / len(found) for side in zip(*found, strict=False)) if found else (0, 0)
    try:
        return (1 + beta**2) * p * r / (beta**2 * p + r)
    except ZeroDivisionError:
        return 0


RIGHT = (chrf_one_pass, chrf_tensor, chrf_by_order)
