"""Right answers to translation.beam_search in other styles than the model solution's."""

import heapq
import math
from collections import defaultdict

import torch


def beam_search_heap(next_logits, bos_id, eos_id, beam, max_length, length_penalty=0.6):
    best_score, best = -math.inf, []
    live = [(0.0, (bos_id,))]

    def compete(log_p, ids, ended):
        nonlocal best_score, best
        score = log_p / ((5 + len(ids) - 1) / 6) ** length_penalty
        if score > best_score:
            best_score, best = score, list(ids[1 : len(ids) - ended])

    for _ in range(max_length):
        step = []
        for log_p, ids in live:
            gains = torch.log_softmax(next_logits(list(ids)), 0).tolist()
            step += [(log_p + gain, (*ids, token)) for token, gain in enumerate(gains)]
        live = []
        for log_p, ids in heapq.nlargest(beam, step):
            if ids[-1] == eos_id:
                compete(log_p, ids, True)
            else:
                live.append((log_p, ids))
    for log_p, ids in live:
        compete(log_p, ids, False)
    return best


def beam_search_tensors(next_logits, bos_id, eos_id, beam, max_length, length_penalty=0.6):
    """All continuations of a step in one tensor, and topk of it."""
    texts, sums = [[bos_id]], torch.zeros(1, dtype=torch.float64)
    ended = []
    for _ in range(max_length):
        if not texts:
            break
        gains = torch.stack([next_logits(text) for text in texts]).double().log_softmax(-1)
        every = sums[:, None] + gains  # (live, V)
        best = every.flatten().topk(min(beam, every.numel()))
        rows, tokens = best.indices // every.shape[1], best.indices % every.shape[1]
        longer = [
            [*texts[row], token] for row, token in zip(rows.tolist(), tokens.tolist(), strict=True)
        ]
        done = tokens == eos_id
        ended += [(s, t) for s, t, d in zip(best.values.tolist(), longer, done, strict=False) if d]
        texts = [text for text, d in zip(longer, done, strict=False) if not d]
        sums = best.values[~done]
    pool = [(s, len(t) - 1, t[1:-1]) for s, t in ended]
    pool += [(s, len(t) - 1, t[1:]) for s, t in zip(sums.tolist(), texts, strict=False)]
    return max(pool, key=lambda one: one[0] * (6 / (5 + one[1])) ** length_penalty)[2]


def beam_search_recursive(next_logits, bos_id, eos_id, beam, max_length, length_penalty=0.6):
    def rest(live, steps):
        """All that has ended or is cut, from here on."""
        if steps == 0 or not live:
            return live
        step = []
        for ids, log_p in live.items():
            gains = next_logits(list(ids)).log_softmax(-1)
            # No more than beam continuations of one hypothesis can be kept.
            for gain, token in zip(*gains.topk(min(beam, len(gains))), strict=False):
                step.append((log_p + gain.item(), (*ids, token.item())))
        step.sort(reverse=True)
        kept = {ids: log_p for log_p, ids in step[:beam]}
        ended = {ids: log_p for ids, log_p in kept.items() if ids[-1] == eos_id}
        return {**ended, **rest({i: p for i, p in kept.items() if i not in ended}, steps - 1)}

    found = rest({(bos_id,): 0.0}, max_length)
    best = max(found, key=lambda ids: found[ids] / ((4 + len(ids)) / 6) ** length_penalty)
    written = list(best)[1:]
    return written[:-1] if written and written[-1] == eos_id else written


def beam_search_by_length(next_logits, bos_id, eos_id, beam, max_length, length_penalty=0.6):
    """The finished ones by their lengths; probabilities and their logarithms in numpy."""
    import numpy

    waiting = defaultdict(list)
    live = [(0.0, [])]
    for length in range(1, max_length + 1):
        scored = []
        for log_p, text in live:
            p = next_logits([bos_id, *text]).double().softmax(0).numpy()
            scored.extend((log_p + numpy.log(x), text, t) for t, x in enumerate(p))
        order = numpy.argsort([-one[0] for one in scored])[:beam]
        live = []
        for place in order:
            log_p, text, token = scored[place]
            if token == eos_id:
                waiting[length].append((log_p, text))
            else:
                live.append((log_p, [*text, token]))
    waiting[max_length] += live
    return max(
        (log_p / ((5 + length) / 6) ** length_penalty, text)
        for length, some in waiting.items()
        for log_p, text in some
    )[1]


def beam_search_with_a_bound(next_logits, bos_id, eos_id, beam, max_length, length_penalty=0.6):
    """It stops once no live hypothesis can win any more: log p only falls, and the divisor is largest at the end."""
    live, finished = [(0.0, [bos_id])], []

    def score(log_p, length):
        return log_p / ((5.0 + length) / 6.0) ** length_penalty

    for step in range(1, max_length + 1):
        if finished and (
            not live or max(finished)[0] >= max(score(p, max_length) for p, _ in live)
        ):
            break
        step_all = sorted(
            (
                (p + g, [*ids, t])
                for p, ids in live
                for t, g in enumerate(next_logits(ids).log_softmax(-1).tolist())
            ),
            reverse=True,
        )[:beam]
        finished += [(score(p, step), ids[1:-1]) for p, ids in step_all if ids[-1] == eos_id]
        live = [(p, ids) for p, ids in step_all if ids[-1] != eos_id]
    cut = [(score(p, len(ids) - 1), ids[1:]) for p, ids in live]
    return max(finished + cut)[1]


def beam_search_five(next_logits, bos_id, eos_id, beam, max_length, length_penalty=0.6):
    """Divided by 5 in place of 6, and to the base 2: all scores change by one factor."""
    hypotheses = [([bos_id], 0.0, False)]
    for _ in range(max_length):
        done = [one for one in hypotheses if one[2]]
        step = []
        for ids, log_p, ended in hypotheses:
            if not ended:
                gains = next_logits(ids).log_softmax(0) / math.log(2)
                step += [([*ids, i], log_p + float(g), i == eos_id) for i, g in enumerate(gains)]
        hypotheses = done + sorted(step, key=lambda one: one[1], reverse=True)[:beam]
    ids, _, ended = max(
        hypotheses, key=lambda h: h[1] / (1 + (len(h[0]) - 1) / 5) ** length_penalty
    )
    return ids[1:-1] if ended else ids[1:]


RIGHT = (
    beam_search_heap,
    beam_search_tensors,
    beam_search_recursive,
    beam_search_by_length,
    beam_search_with_a_bound,
    beam_search_five,
)
