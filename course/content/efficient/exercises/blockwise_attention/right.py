"""Right answers to efficient.blockwise_attention in other styles than the model solution's."""

import functools
import math

import torch


def blockwise_attention_logsumexp(query, key, value, block):
    """Each block's own softmax, weighted by its share of all exponentials, which is known by logarithms."""
    query = query * query.shape[-1] ** -0.5
    output, log_total = None, None
    for keys, values in zip(key.split(block, -2), value.split(block, -2), strict=True):
        scores = query @ keys.mT
        log_block = scores.logsumexp(-1, keepdim=True)
        of_block = scores.softmax(-1) @ values
        if output is None:
            output, log_total = of_block, log_block
            continue
        new = torch.logaddexp(log_total, log_block)
        output = output * (log_total - new).exp() + of_block * (log_block - new).exp()
        log_total = new
    return output


def blockwise_attention_two_passes(query, key, value, block):
    """First the largest score, then the sums: the scores are computed twice."""
    scale = math.sqrt(query.size(-1))
    blocks = [slice(i, i + block) for i in range(0, key.size(-2), block)]

    def scores(part):
        return torch.einsum("...ld,...sd->...ls", query, key[..., part, :]) / scale

    highest = functools.reduce(torch.maximum, (scores(part).amax(-1) for part in blocks))
    total, output = 0.0, 0.0
    for part in blocks:
        weights = torch.exp(scores(part) - highest.unsqueeze(-1))
        total = total + weights.sum(-1)
        output = output + torch.einsum("...ls,...sv->...lv", weights, value[..., part, :])
    return output / total.unsqueeze(-1)


def blockwise_attention_query_blocks(query, key, value, block):
    """Queries in blocks too, as FlashAttention does."""
    outputs = []
    for q in query.split(block, dim=-2):
        m = torch.full(q.shape[:-1], float("-inf"), dtype=q.dtype, device=q.device)
        z = torch.zeros_like(m)
        o = torch.zeros(*q.shape[:-1], value.shape[-1], dtype=q.dtype, device=q.device)
        for k, v in zip(key.split(block, dim=-2), value.split(block, dim=-2), strict=True):
            s = torch.matmul(q, k.transpose(-1, -2)).div(math.sqrt(q.shape[-1]))
            new = torch.maximum(m, s.max(dim=-1).values)
            p = (s - new[..., None]).exp()
            keep = (m - new).exp()
            z = z * keep + p.sum(-1)
            o = o * keep[..., None] + p @ v
            m = new
        outputs.append(o / z[..., None])
    return torch.cat(outputs, dim=-2)


def blockwise_attention_normalised(query, key, value, block):
    """The output is a mean at every step: what is new is mixed in by its share."""
    highest = total = output = None
    for start in range(0, key.shape[-2], block):
        k, v = (
            key.narrow(-2, start, min(block, key.shape[-2] - start)),
            value[..., start : start + block, :],
        )
        scores = query / math.sqrt(query.shape[-1]) @ k.mT
        top = scores.amax(-1, keepdim=True)
        powers = torch.exp(scores - top)
        if highest is None:
            highest, total, output = top, powers.sum(-1, True), powers @ v / powers.sum(-1, True)
            continue
        new = torch.max(highest, top)
        old_share, share = total * (highest - new).exp(), powers.sum(-1, True) * (top - new).exp()
        output = (output * old_share + powers @ v * (top - new).exp()) / (old_share + share)
        highest, total = new, old_share + share
    return output


def blockwise_attention_baddbmm(query, key, value, block):
    """All leading axes in one, and the products added in place of what they are added to."""
    lead, (length, width) = query.shape[:-2], query.shape[-2:]
    q, k, v = (x.reshape(-1, *x.shape[-2:]) for x in (query, key, value))
    ones = v.new_ones(*v.shape[:-1], 1)
    v = torch.cat([v, ones], dim=-1)  # the last column sums up the weights
    state = v.new_zeros(len(q), length, v.shape[-1])
    highest = q.new_full((len(q), length, 1), -torch.inf)
    empty = q.new_zeros(())
    for keys, values in zip(k.split(block, 1), v.split(block, 1), strict=True):
        scores = torch.baddbmm(empty, q, keys.mT, beta=0, alpha=width**-0.5)
        higher = torch.maximum(highest, scores.detach().amax(-1, keepdim=True))
        state = torch.baddbmm(state * (highest - higher).exp(), (scores - higher).exp(), values)
        highest = higher
    return (state[..., :-1] / state[..., -1:]).reshape(*lead, length, -1)


def blockwise_attention_partial(query, key, value, block):
    """Every block by itself, then all put together: what is kept is a vector for each query and block."""
    parts = []
    for keys, values in zip(key.split(block, -2), value.split(block, -2), strict=True):
        scores = query @ keys.transpose(-1, -2) / query.shape[-1] ** 0.5
        top = scores.amax(-1, keepdim=True)
        powers = (scores - top).exp()
        parts.append((top, powers.sum(-1, keepdim=True), powers @ values))
    tops, totals, outputs = (torch.stack(part) for part in zip(*parts, strict=True))
    shares = (tops - tops.amax(0)).exp()
    return (shares * outputs).sum(0) / (shares * totals).sum(0)


def blockwise_attention_generator(query, key, value, block):
    def blocks():
        start = 0
        while start < key.shape[-2]:
            end = min(start + block, key.shape[-2])
            yield key[..., start:end, :], value[..., start:end, :]
            start = end

    def step(state, pair):
        highest, total, output = state
        keys, values = pair
        scores = (query.unsqueeze(-2) * keys.unsqueeze(-3)).sum(-1) * query.shape[-1] ** -0.5
        higher = torch.maximum(highest, scores.amax(-1))
        shrink, weights = (highest - higher).exp(), (scores - higher.unsqueeze(-1)).exp()
        added = (weights.unsqueeze(-1) * values.unsqueeze(-3)).sum(-2)
        return higher, total * shrink + weights.sum(-1), output * shrink.unsqueeze(-1) + added

    zero = torch.zeros_like(query[..., 0])
    start = zero - torch.inf, zero, torch.zeros_like(query[..., :1] * value[..., :1, :])
    _, total, output = functools.reduce(step, blocks(), start)
    return output / total[..., None]


def blockwise_attention_vmap(query, key, value, block):
    """One query at a time is written, all are computed together."""

    def one(q, keys, values):
        highest, total, output = (
            q.new_tensor(-torch.inf),
            q.new_zeros(()),
            torch.zeros_like(values[0]),
        )
        for start in range(0, len(keys), block):
            scores = keys[start : start + block] @ q / math.sqrt(len(q))
            higher = torch.maximum(highest, scores.amax())
            shrink, weights = torch.exp(highest - higher), torch.exp(scores - higher)
            total, output = (
                total * shrink + weights.sum(),
                output * shrink + weights @ values[start : start + block],
            )
            highest = higher
        return output / total

    every = torch.vmap(one, in_dims=(0, None, None))
    for _ in query.shape[:-2]:
        every = torch.vmap(every)
    return every(query, key, value)


def blockwise_attention_from_a_low_number(query, key, value, block):
    """The maximum begins far below any usual score: told in a remark."""
    highest = query.new_full((*query.shape[:-1], 1), -1e4)
    total = output = 0.0
    for keys, values in zip(key.split(block, -2), value.split(block, -2), strict=True):
        scores = query @ keys.mT / math.sqrt(query.shape[-1])
        higher = torch.maximum(highest, scores.amax(-1, keepdim=True))
        shrink, weights = torch.exp(highest - higher), torch.exp(scores - higher)
        total = total * shrink + weights.sum(-1, keepdim=True)
        output, highest = output * shrink + weights @ values, higher
    return output / total


def blockwise_attention_halves(query, key, value, block):
    """The keys are halved until a half fits into a block; two halves are joined as two blocks are."""

    def sums(keys, values):
        count = keys.shape[-2]
        if count <= block:
            scores = query @ keys.mT / math.sqrt(query.shape[-1])
            highest = scores.amax(-1, keepdim=True)
            weights = (scores - highest).exp()
            return highest, weights.sum(-1, keepdim=True), weights @ values
        half = count // 2
        first = sums(keys[..., :half, :], values[..., :half, :])
        second = sums(keys[..., half:, :], values[..., half:, :])
        highest = torch.maximum(first[0], second[0])
        before, after = (first[0] - highest).exp(), (second[0] - highest).exp()
        return highest, before * first[1] + after * second[1], before * first[2] + after * second[2]

    _, total, output = sums(key, value)
    return output / total


RIGHT = (
    blockwise_attention_logsumexp,
    blockwise_attention_two_passes,
    blockwise_attention_query_blocks,
    blockwise_attention_normalised,
    blockwise_attention_baddbmm,
    blockwise_attention_partial,
    blockwise_attention_generator,
    blockwise_attention_vmap,
    blockwise_attention_from_a_low_number,
    blockwise_attention_halves,
)
