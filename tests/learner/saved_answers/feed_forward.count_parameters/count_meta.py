# Exercise: feed_forward.count_parameters
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.count_parameters") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch.nn as nn


def count_meta(d_model, nhead, dim_feedforward):
    layer = nn.TransformerEncoderLayer(d_model, nhead, dim_feedforward, device="meta")
    return sum(math.prod(p.shape) for p in layer.state_dict().values())


count_parameters = count_meta
