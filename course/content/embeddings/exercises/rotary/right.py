"""Right answers to embeddings.rotary in other styles than the model solution's."""

import math

import torch


def rotary_complex(x, positions, base=10000.0):
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    rates = base ** (-torch.arange(0, x.shape[-1], 2, dtype=wide, device=x.device) / x.shape[-1])
    angle = positions.to(wide)[..., None] * rates
    pairs = torch.view_as_complex(x.to(wide).unflatten(-1, (-1, 2)).contiguous())
    turned = pairs * torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(turned).flatten(-2).to(x.dtype)


def rotary_quarter_turn(x, positions, base=10000.0):
    wide = torch.promote_types(x.dtype, torch.float32)
    i = torch.arange(x.shape[-1] // 2, device=x.device, dtype=wide)
    angle = positions.to(wide).unsqueeze(-1) * torch.pow(base, -2 * i / x.shape[-1])
    cos, sin = (part.repeat_interleave(2, dim=-1) for part in (angle.cos(), angle.sin()))
    quarter = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).reshape(x.shape)
    return (x * cos + quarter * sin).type_as(x)


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


def rotary_matrices(x, positions, base=10000.0):
    angle = positions.double()[..., None] / base ** (
        torch.arange(0, x.shape[-1], 2, device=x.device).double() / x.shape[-1]
    )
    rows = torch.stack((angle.cos(), -angle.sin()), -1), torch.stack((angle.sin(), angle.cos()), -1)
    matrix = torch.stack(rows, dim=-2)  # (..., S, Dh / 2, 2, 2)
    pairs = x.double().reshape(*x.shape[:-1], -1, 2, 1)
    return (matrix @ pairs).reshape(x.shape).to(x.dtype)


def rotary_by_halves(x, positions, base=10000.0):
    """The even places brought before the odd ones, turned as halves, and brought back."""
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    half = x.shape[-1] // 2
    rates = base ** (-torch.arange(half, device=x.device, dtype=wide) / half)
    angle = (positions.to(wide)[..., None] * rates).repeat(*[1] * positions.dim(), 2)
    sorted_x = torch.cat([x[..., ::2], x[..., 1::2]], -1)
    turned = torch.cat([-sorted_x[..., half:], sorted_x[..., :half]], -1)
    result = sorted_x * angle.cos() + turned * angle.sin()
    return result.unflatten(-1, (2, half)).transpose(-1, -2).flatten(-2).to(x.dtype)


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


def rotary_roformer(x, positions, base=10000.0):
    wide = torch.promote_types(x.dtype, torch.float32)
    theta = 1.0 / (
        base ** (torch.arange(0, x.shape[-1], 2, device=x.device).to(wide) / x.shape[-1])
    )
    m = torch.einsum("...s,d->...sd", positions.to(wide), theta)
    sin, cos = m.sin().repeat_interleave(2, dim=-1), m.cos().repeat_interleave(2, dim=-1)
    x2 = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).reshape_as(x)
    return (x * cos + x2 * sin).to(x.dtype)


RIGHT = (
    rotary_complex,
    rotary_quarter_turn,
    rotary_in_place,
    rotary_matrices,
    rotary_by_halves,
    rotary_matrix_of_each_pair,
    rotary_roformer,
)
