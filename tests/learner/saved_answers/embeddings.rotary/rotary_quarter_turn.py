# Exercise: embeddings.rotary
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.rotary") runs it wherever the course needs it.
# ----------------------------------------
import torch


def rotary_quarter_turn(x, positions, base=10000.0):
    wide = torch.promote_types(x.dtype, torch.float32)
    i = torch.arange(x.shape[-1] // 2, device=x.device, dtype=wide)
    angle = positions.to(wide).unsqueeze(-1) * torch.pow(base, -2 * i / x.shape[-1])
    cos, sin = (part.repeat_interleave(2, dim=-1) for part in (angle.cos(), angle.sin()))
    quarter = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).reshape(x.shape)
    return (x * cos + quarter * sin).type_as(x)


rotary = rotary_quarter_turn
