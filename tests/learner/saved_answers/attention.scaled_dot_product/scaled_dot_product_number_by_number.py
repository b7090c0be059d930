# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
import torch


INF = float("inf")


def scaled_dot_product_number_by_number(query, key, value, mask=None):
    length, source = query.shape[-2], key.shape[-2]
    if mask is None:
        mask = torch.zeros((), dtype=torch.bool, device=query.device)
    mask = mask.expand(*query.shape[:-1], source)
    rows = []
    for i in range(length):
        dots = [(query[..., i, :] * key[..., j, :]).sum(-1) for j in range(source)]
        row = torch.stack(dots, -1) / query.shape[-1] ** 0.5
        row = torch.where(mask[..., i, :], torch.full_like(row, -INF), row)
        top = row.max(-1, keepdim=True).values
        powers = torch.exp(row - torch.where(top == -INF, torch.zeros_like(top), top))
        total = powers.sum(-1, keepdim=True)
        rows.append(powers / torch.where(total > 0, total, torch.ones_like(total)))
    weights = torch.stack(rows, -2)
    return (weights.unsqueeze(-1) * value.unsqueeze(-3)).sum(-2), weights


scaled_dot_product = scaled_dot_product_number_by_number
