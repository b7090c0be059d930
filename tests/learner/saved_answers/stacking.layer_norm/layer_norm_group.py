# Exercise: stacking.layer_norm
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.layer_norm") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def layer_norm_group(x, weight, bias, eps=1e-5):
    """One group of all features: the same, for a matrix."""
    flat = x.reshape(-1, x.shape[-1])
    return F.group_norm(flat, 1, weight, bias, eps).reshape(x.shape)


layer_norm = layer_norm_group
