# Exercise: feed_forward.geglu
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.geglu") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def geglu_linear(x, w_gate, w_up, w_down):
    return F.linear(F.gelu(F.linear(x, w_gate.t())) * F.linear(x, w_up.t()), w_down.t())


geglu = geglu_linear
