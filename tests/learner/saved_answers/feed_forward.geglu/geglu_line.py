# Exercise: feed_forward.geglu
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.geglu") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def geglu_line(x, w_gate, w_up, w_down):
    return (F.gelu(x @ w_gate) * (x @ w_up)) @ w_down


geglu = geglu_line
