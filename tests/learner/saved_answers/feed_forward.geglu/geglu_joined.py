# Exercise: feed_forward.geglu
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.geglu") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn as nn


def geglu_joined(x, w_gate, w_up, w_down):
    gate, up = (x @ torch.cat([w_gate, w_up], dim=1)).chunk(2, dim=-1)
    return torch.mul(nn.functional.gelu(gate), up) @ w_down


geglu = geglu_joined
