"""Right answers to bert.clip_norm in other styles than the model solution's."""

import torch
from torch import nn


def clip_norm_flat(gradients, max_norm):
    together = torch.cat([g.reshape(-1) for g in gradients])
    norm = torch.linalg.vector_norm(together)
    return [g * (max_norm / norm) if norm > max_norm else g for g in gradients]


def clip_norm_torch(gradients, max_norm):
    """What torch does: 1e-6 is added to the norm."""
    norm = torch.stack([g.norm() for g in gradients]).norm()
    factor = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    return [g * factor for g in gradients]


def clip_norm_of_parameters(gradients, max_norm):
    held = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, gradient in zip(held, gradients, strict=True):
        parameter.grad = gradient.detach().clone()
    nn.utils.clip_grad_norm_(held, max_norm)
    return [parameter.grad for parameter in held]


def clip_norm_loop(gradients, max_norm):
    total = sum(float((g.double() ** 2).sum()) for g in gradients) ** 0.5
    clipped = []
    for g in gradients:
        clipped.append(g / total * max_norm if total > max_norm else g.clone())
    return clipped


def clip_norm_infinite_factor(gradients, max_norm):
    norm = torch.stack([g.norm() for g in gradients]).norm()
    return [g * min(1.0, float(max_norm / norm)) for g in gradients]  # 1 / 0 is infinite


RIGHT = (
    clip_norm_flat,
    clip_norm_torch,
    clip_norm_of_parameters,
    clip_norm_loop,
    clip_norm_infinite_factor,
)
