"""Right answers to bert.learning_rate in other styles than the model solution's."""

import itertools

import torch


def learning_rate_min(step, warmup, total, peak):
    up = step / warmup if warmup else 1.0
    down = (total - step) / (total - warmup)
    return peak * max(0.0, min(up, down, 1.0)) if warmup else peak * max(0.0, down)


def learning_rate_cases(step, warmup, total, peak):
    if step >= total:
        return 0.0
    if step >= warmup:
        return peak * (1 - (step - warmup) / (total - warmup))
    return peak / warmup * step


def learning_rate_tensor(step, warmup, total, peak):
    corners = [(0, 0.0), (warmup, peak), (total, 0.0)]
    for (left, low), (right, high) in itertools.pairwise(corners):
        if left <= step <= right and left != right:
            share = torch.tensor((step - left) / (right - left), dtype=torch.float64)
            return torch.lerp(torch.tensor(low).double(), torch.tensor(high).double(), share).item()
    return 0.0


RIGHT = (learning_rate_min, learning_rate_cases, learning_rate_tensor)
