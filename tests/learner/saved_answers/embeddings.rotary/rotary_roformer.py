# Exercise: embeddings.rotary
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.rotary") runs it wherever the course needs it.
# ----------------------------------------
import torch


def rotary_roformer(x, positions, base=10000.0):
    wide = torch.promote_types(x.dtype, torch.float32)
    theta = 1.0 / (
        base ** (torch.arange(0, x.shape[-1], 2, device=x.device).to(wide) / x.shape[-1])
    )
    m = torch.einsum("...s,d->...sd", positions.to(wide), theta)
    sin, cos = m.sin().repeat_interleave(2, dim=-1), m.cos().repeat_interleave(2, dim=-1)
    x2 = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).reshape_as(x)
    return (x * cos + x2 * sin).to(x.dtype)


rotary = rotary_roformer
