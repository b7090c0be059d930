# Exercise: feed_forward.geglu
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.geglu") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


def geglu_loop(x, w_gate, w_up, w_down):
    total = torch.zeros_like(x)
    for gate, up, down in zip(w_gate.unbind(1), w_up.unbind(1), w_down, strict=True):
        opened = (x * gate).sum(-1, keepdim=True)
        opened = opened * (1 + torch.erf(opened / math.sqrt(2))) / 2
        total = total + opened * (x * up).sum(-1, keepdim=True) * down
    return total


geglu = geglu_loop
