# Exercise: feed_forward.dropout
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def dropout_library(x, p, training):
    return F.dropout(x, p, training)


dropout = dropout_library
