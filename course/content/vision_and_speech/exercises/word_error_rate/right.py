"""Right answers to speech.word_error_rate in other styles than the model solution's."""

import functools
import heapq

import numpy as np
import torch


def word_error_rate_table(written, spoken):
    errors, words = 0, 0
    for hyp, ref in zip(written, spoken, strict=True):
        d = np.zeros((len(ref) + 1, len(hyp) + 1), dtype=int)
        d[:, 0] = np.arange(len(ref) + 1)
        d[0, :] = np.arange(len(hyp) + 1)
        for i in range(1, len(ref) + 1):
            for j in range(1, len(hyp) + 1):
                if ref[i - 1] == hyp[j - 1]:
                    d[i, j] = d[i - 1, j - 1]
                else:
                    d[i, j] = 1 + min(d[i - 1, j - 1], d[i - 1, j], d[i, j - 1])
        errors += d[-1, -1]
        words += len(ref)
    return float(errors / words)


def word_error_rate_memo(written, spoken):
    def distance(a, b):
        @functools.cache
        def between(i, j):
            if i == 0 or j == 0:
                return i + j
            if a[i - 1] == b[j - 1]:
                return between(i - 1, j - 1)
            return 1 + min(between(i - 1, j - 1), between(i - 1, j), between(i, j - 1))

        return between(len(a), len(b))

    return sum(map(distance, written, spoken)) / sum(map(len, spoken))


def word_error_rate_from_the_front(written, spoken):
    @functools.cache
    def distance(a, b):
        if not a or not b:
            return len(a) + len(b)
        if a[0] == b[0]:
            return distance(a[1:], b[1:])
        return 1 + min(distance(a[1:], b[1:]), distance(a[1:], b), distance(a, b[1:]))

    errors = sum(distance(tuple(a), tuple(b)) for a, b in zip(written, spoken, strict=True))
    return errors / sum(len(text) for text in spoken)


def word_error_rate_shortest_way(written, spoken):
    """Dijkstra over pairs of places."""
    errors = 0
    for ours, theirs in zip(written, spoken, strict=True):
        queue, seen = [(0, 0, 0)], set()
        while queue:
            cost, i, j = heapq.heappop(queue)
            if (i, j) == (len(ours), len(theirs)):
                errors += cost
                break
            if (i, j) in seen:
                continue
            seen.add((i, j))
            if i < len(ours):
                heapq.heappush(queue, (cost + 1, i + 1, j))
            if j < len(theirs):
                heapq.heappush(queue, (cost + 1, i, j + 1))
            if i < len(ours) and j < len(theirs):
                heapq.heappush(queue, (cost + (ours[i] != theirs[j]), i + 1, j + 1))
    return errors / sum(len(text) for text in spoken)


def word_error_rate_one_row(written, spoken):
    errors = 0
    for ours, theirs in zip(written, spoken, strict=True):
        row = [*range(len(ours) + 1)]
        for j, other in enumerate(theirs, 1):
            corner, row[0] = row[0], j
            for i, word in enumerate(ours, 1):
                corner, row[i] = row[i], min(corner + (word != other), row[i] + 1, row[i - 1] + 1)
        errors += row[len(ours)]
    return errors / sum(1 for text in spoken for _ in text)


def word_error_rate_waves(written, spoken):
    """With e errors allowed: how far each diagonal gets."""
    errors = 0
    for a, b in zip(written, spoken, strict=True):

        def along(i, d, a=a, b=b):
            while 0 <= i < len(a) and 0 <= i + d < len(b) and a[i] == b[i + d]:
                i += 1
            return i

        far, cost = {0: along(0, 0)}, 0
        while far.get(len(b) - len(a), -1) < len(a):
            cost += 1
            reached = {}
            for d in range(-cost, cost + 1):
                ways = (far.get(d, -9) + 1, far.get(d + 1, -9) + 1, far.get(d - 1, -9))
                best = min(max(ways), len(a), len(b) - d)
                if best >= max(0, -d):
                    reached[d] = along(best, d)
            far = reached
        errors += cost
    return errors / sum(map(len, spoken))


def word_error_rate_tensor(written, spoken):
    total = torch.zeros((), dtype=torch.int64)
    for ours, theirs in zip(written, spoken, strict=True):
        same = torch.tensor([[a == b for b in theirs] for a in ours]).reshape(
            len(ours), len(theirs)
        )
        table = torch.arange(len(ours) + 1)[:, None] + torch.arange(len(theirs) + 1)
        for i in range(len(ours)):
            for j in range(len(theirs)):
                ways = [
                    table[i, j] + (~same[i, j]).long(),
                    table[i, j + 1] + 1,
                    table[i + 1, j] + 1,
                ]
                table[i + 1, j + 1] = torch.stack(ways).min()
        total += table[-1, -1]
    return total.item() / sum(map(len, spoken))


RIGHT = (
    word_error_rate_table,
    word_error_rate_memo,
    word_error_rate_from_the_front,
    word_error_rate_shortest_way,
    word_error_rate_one_row,
    word_error_rate_waves,
    word_error_rate_tensor,
)
