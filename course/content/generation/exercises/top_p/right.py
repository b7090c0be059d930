"""Right answers to generation.top_p in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def top_p_shifted(logits, p):
    """The usual code: one place to the right, so that the token that reaches p stays."""
    ordered, order = torch.sort(logits, descending=True)
    sums = F.softmax(ordered, dim=-1).cumsum(-1)
    remove = sums > p
    remove[..., 1:] = remove[..., :-1].clone()
    remove[..., 0] = False
    return logits.masked_fill(remove.gather(-1, order.argsort(-1)), float("-inf"))


def top_p_ascending(logits, p):
    """From the unlikeliest up: what sums to 1 - p or less is outside."""
    ordered, order = torch.sort(logits, descending=False)
    remove = ordered.softmax(-1).cumsum(-1) <= 1 - p
    remove[..., -1] = False
    return logits.masked_fill(torch.zeros_like(remove).scatter(-1, order, remove), -torch.inf)


def top_p_threshold(logits, p):
    """All tokens that are at least as likely as the last one of the nucleus."""
    probability = logits.softmax(-1)
    ordered = probability.sort(-1, descending=True).values
    count = (ordered.cumsum(-1) - ordered < p).sum(-1, keepdim=True).clamp(min=1)
    least = ordered.gather(-1, count - 1)
    return torch.where(probability >= least, logits, -torch.inf)


def top_p_added(logits, p):
    ordered, order = logits.sort(dim=-1, descending=True)
    sums = torch.cumsum(ordered.softmax(dim=-1), dim=-1)
    inside = F.pad(sums[..., :-1] < p, (1, 0), value=True)
    added = torch.zeros_like(logits).masked_fill(~inside, -torch.inf)
    return logits + torch.empty_like(logits).scatter(-1, order, added)


def top_p_row_by_row(logits, p):
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]):
        probability, total, kept = row.softmax(0), 0.0, []
        for token in row.argsort(descending=True).tolist():
            kept.append(token)
            total += probability[token].item()
            if total >= p:
                break
        outside = torch.ones_like(row, dtype=torch.bool)
        outside[kept] = False
        rows.append(row.masked_fill(outside, -torch.inf))
    return torch.stack(rows).reshape(logits.shape)


def top_p_pairs(logits, p):
    """Without sorting: the probability of all that are likelier, for each pair of tokens."""
    probability = logits.softmax(-1)
    likelier = logits.unsqueeze(-2) > logits.unsqueeze(-1)  # (..., V, V)
    before = (likelier * probability.unsqueeze(-2)).sum(-1)
    outside = (before >= p) & (logits != logits.amax(-1, keepdim=True))
    return logits.masked_fill(outside, -torch.inf)


RIGHT = (
    top_p_shifted,
    top_p_ascending,
    top_p_threshold,
    top_p_added,
    top_p_row_by_row,
    top_p_pairs,
)
