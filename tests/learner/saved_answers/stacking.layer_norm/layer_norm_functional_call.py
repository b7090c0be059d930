# Exercise: stacking.layer_norm
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.layer_norm") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.func
import torch.nn as nn


def layer_norm_functional_call(x, weight, bias, eps=1e-5):
    norm = nn.LayerNorm(x.shape[-1], eps=eps, dtype=x.dtype, device=x.device)
    return torch.func.functional_call(norm, {"weight": weight, "bias": bias}, (x,))


layer_norm = layer_norm_functional_call
