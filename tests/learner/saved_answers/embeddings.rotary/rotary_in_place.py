# Exercise: embeddings.rotary
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.rotary") runs it wherever the course needs it.
# ----------------------------------------
import torch


def rotary_in_place(x, positions, base=10000.0):
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.size(-1)
    out = torch.zeros_like(x)
    for i in range(d // 2):
        t = positions.to(wide) * base ** (-2 * i / d)
        a, b = x[..., 2 * i], x[..., 2 * i + 1]
        out[..., 2 * i] = (a * t.cos() - b * t.sin()).to(x.dtype)
        out[..., 2 * i + 1] = (a * t.sin() + b * t.cos()).to(x.dtype)
    return out


rotary = rotary_in_place
