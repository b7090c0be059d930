# Exercise: stacking.EncoderLayer
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.EncoderLayer") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn as nn


class SubclassOfTorch(nn.TransformerEncoderLayer):
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, batch_first=True, norm_first=norm_first
        )


EncoderLayer = SubclassOfTorch
