# Exercise: stacking.residual
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.residual") runs it wherever the course needs it.
# ----------------------------------------
import torch


def residual_steps(x, sublayer, norm, norm_first):
    h = x
    if norm_first:
        h = norm(h)
    h = sublayer(h)
    h = torch.add(x, h)
    if not norm_first:
        h = norm(h)
    return h


residual = residual_steps
