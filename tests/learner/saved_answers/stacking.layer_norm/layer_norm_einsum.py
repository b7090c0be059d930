# Exercise: stacking.layer_norm
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.layer_norm") runs it wherever the course needs it.
# ----------------------------------------
import torch


def layer_norm_einsum(x, weight, bias, eps=1e-5):
    d_model = x.size(-1)
    centred = x - torch.einsum("...d->...", x).unsqueeze(-1) / d_model
    square = torch.einsum("...d,...d->...", centred, centred).unsqueeze(-1) / d_model
    return torch.addcmul(bias, centred / (square + eps) ** 0.5, weight)


layer_norm = layer_norm_einsum
