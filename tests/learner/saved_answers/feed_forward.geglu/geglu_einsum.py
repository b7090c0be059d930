# Exercise: feed_forward.geglu
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.geglu") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def geglu_einsum(x, w_gate, w_up, w_down):
    gate = F.gelu(torch.einsum("...d,df->...f", x, w_gate))
    up = torch.einsum("...d,df->...f", x, w_up)
    return torch.einsum("...f,...f,fd->...d", gate, up, w_down)


geglu = geglu_einsum
