# Exercise: embeddings.rotary
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.rotary") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


def rotary_matrix_of_each_pair(x, positions, base=10000.0):
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.size(-1)
    i = torch.arange(d // 2, device=x.device, dtype=wide)
    t = positions.to(wide)[..., None] * torch.exp(-2 * i / d * math.log(base))
    rot = torch.stack(
        (torch.stack((t.cos(), -t.sin()), -1), torch.stack((t.sin(), t.cos()), -1)), -2
    )
    pairs = x.to(wide).unflatten(-1, (d // 2, 2)).unsqueeze(-1)
    return (rot @ pairs).squeeze(-1).flatten(-2).to(x.dtype)


rotary = rotary_matrix_of_each_pair
