# Exercise: stacking.layer_norm
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.layer_norm") runs it wherever the course needs it.
# ----------------------------------------
import torch


def layer_norm_loop(x, weight, bias, eps=1e-5):
    flat = x.reshape(-1, x.shape[-1])
    rows = []
    for row in flat:
        m = sum(row) / len(row)
        v = sum((number - m) ** 2 for number in row) / len(row)
        rows.append((row - m) / (v + eps).sqrt() * weight + bias)
    return torch.stack(rows).reshape(x.shape)


layer_norm = layer_norm_loop
