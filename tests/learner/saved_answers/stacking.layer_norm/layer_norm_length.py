# Exercise: stacking.layer_norm
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.layer_norm") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.linalg


def layer_norm_length(x, weight, bias, eps=1e-5):
    centred = x - x.mean(-1, keepdim=True)
    length = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
    return centred / (length * length / x.shape[-1] + eps).sqrt() * weight + bias


layer_norm = layer_norm_length
