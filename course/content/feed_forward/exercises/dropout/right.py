"""Right answers to feed_forward.dropout in other styles than the model solution's."""

import torch
import torch.nn.functional as F
from torch import nn


def dropout_library(x, p, training):
    return F.dropout(x, p, training)


def dropout_bernoulli(x, p, training):
    if p < 0 or p > 1:
        raise ValueError("no probability")
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0
    return x * torch.bernoulli(torch.full_like(x, 1 - p)) / (1 - p)


def dropout_zeros_like(x, p, training):
    if p > 1 or p < 0:
        raise ValueError(p)
    if training:
        if p == 1:
            return torch.zeros_like(x)
        keep = torch.rand(x.shape, device=x.device) > p
        return torch.where(keep, x / (1 - p), 0.0)
    return x


def dropout_mask_in_the_dtype(x, p, training):
    if not (0.0 <= p <= 1.0):
        raise ValueError(f"{p} is no probability")
    if not training:
        return x.clone()
    mask = (torch.rand(*x.shape, dtype=x.dtype, device=x.device) >= p).to(x.dtype)
    return x * mask / max(1 - p, 1e-12)


def dropout_keeps_what_is_above_p(x, p, training):
    """Strictly above: in half precision a draw can be 0, and with p = 0 that number falls."""
    if p < 0 or p > 1:
        raise ValueError("p must lie between 0 and 1")
    if not training:
        return x
    if p == 1:
        return torch.zeros_like(x)
    mask = (torch.rand_like(x) > p).to(x.dtype)
    return x * mask / (1 - p)


def dropout_bernoulli_in_place(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError("p outside of [0, 1]")
    if not training:
        return x
    mask = torch.empty_like(x).bernoulli_(1 - p)
    if p < 1:
        mask /= 1 - p
    return x * mask


def dropout_module(x, p, training):
    return nn.Dropout(p).train(training)(x)


def dropout_of_ones(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError(f"no probability: {p}")
    return x * F.dropout(torch.ones_like(x), p) if training else x


def dropout_masked_fill(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, not {p}")
    if not training:
        return x
    return x.masked_fill(torch.rand(x.shape, device=x.device) < p, 0.0) / max(1 - p, 1e-9)


RIGHT = (
    dropout_library,
    dropout_bernoulli,
    dropout_zeros_like,
    dropout_mask_in_the_dtype,
    dropout_bernoulli_in_place,
    dropout_module,
    dropout_masked_fill,
    dropout_keeps_what_is_above_p,
    dropout_of_ones,
)
