# Exercise: stacking.layer_norm
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.layer_norm") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def layer_norm_library(x, weight, bias, eps=1e-5):
    return F.layer_norm(x, (x.shape[-1],), weight, bias, eps)


layer_norm = layer_norm_library
