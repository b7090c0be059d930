# Exercise: feed_forward.dropout
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
import torch


def dropout_mask_in_the_dtype(x, p, training):
    if not (0.0 <= p <= 1.0):
        raise ValueError(f"{p} is no probability")
    if not training:
        return x.clone()
    mask = (torch.rand(*x.shape, dtype=x.dtype, device=x.device) >= p).to(x.dtype)
    return x * mask / max(1 - p, 1e-12)


dropout = dropout_mask_in_the_dtype
