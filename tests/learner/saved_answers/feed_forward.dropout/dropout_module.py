# Exercise: feed_forward.dropout
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn as nn


def dropout_module(x, p, training):
    return nn.Dropout(p).train(training)(x)


dropout = dropout_module
