"""Right answers to translation.additive_attention in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def additive_attention_einsum(query, memory, w_query, w_memory, v, memory_padding_mask=None):
    asked = torch.einsum("bq,aq->ba", query, w_query)
    held = torch.einsum("bsm,am->bsa", memory, w_memory)
    scores = torch.einsum("bsa,a->bs", (asked[:, None] + held).tanh(), v)
    if memory_padding_mask is None:
        weights = scores.softmax(1)
    else:
        alone = memory_padding_mask.all(1, keepdim=True)
        scores = scores.masked_fill(memory_padding_mask & ~alone, float("-inf"))
        weights = scores.softmax(1) * ~alone
    return torch.einsum("bs,bsm->bm", weights, memory), weights


def additive_attention_linear(query, memory, w_query, w_memory, v, memory_padding_mask=None):
    hidden = F.linear(memory, w_memory) + F.linear(query, w_query).unsqueeze(1)
    scores = F.linear(torch.tanh(hidden), v.unsqueeze(0)).squeeze(-1)
    if memory_padding_mask is not None:
        scores = torch.where(memory_padding_mask, torch.finfo(scores.dtype).min, scores)
    weights = F.softmax(scores, dim=-1)
    if memory_padding_mask is not None:
        weights = weights.masked_fill(memory_padding_mask, 0.0)
    return torch.bmm(weights[:, None], memory)[:, 0], weights


def additive_attention_joined(query, memory, w_query, w_memory, v, memory_padding_mask=None):
    """One matrix for query and memory side by side."""
    both = torch.cat([query.unsqueeze(1).expand(-1, memory.shape[1], -1), memory], dim=-1)
    scores = (both @ torch.cat([w_query, w_memory], dim=1).T).tanh().matmul(v)
    real = (
        torch.ones_like(scores, dtype=torch.bool)
        if memory_padding_mask is None
        else ~memory_padding_mask
    )
    scores = scores.masked_fill(~real, -torch.inf)
    largest = scores.amax(-1, keepdim=True).nan_to_num(neginf=0.0).detach()
    powers = (scores - largest).exp()
    weights = powers / powers.sum(-1, keepdim=True).clamp(min=1e-4)
    return (weights.unsqueeze(-1) * memory).sum(1), weights


def additive_attention_loop(query, memory, w_query, w_memory, v, memory_padding_mask=None):
    contexts, every = [], []
    for b in range(len(query)):
        scores = torch.stack([v @ torch.tanh(w_query @ query[b] + w_memory @ m) for m in memory[b]])
        if memory_padding_mask is not None:
            scores = scores.masked_fill(memory_padding_mask[b], -torch.inf)
            if memory_padding_mask[b].all():
                scores = None
        weights = torch.zeros_like(memory[b, :, 0]) if scores is None else scores.softmax(0)
        contexts.append(weights @ memory[b])
        every.append(weights)
    return torch.stack(contexts), torch.stack(every)


RIGHT = (
    additive_attention_einsum,
    additive_attention_linear,
    additive_attention_joined,
    additive_attention_loop,
)
