"""Right answers to feed_forward.gelu in other styles than the model solution's."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def gelu_library(x):
    return F.gelu(x)


def gelu_ndtr(x):
    return x * torch.special.ndtr(x)


def gelu_erfc(x):
    return 0.5 * x * torch.erfc(-x * 0.7071067811865476)


def gelu_normal(x):
    zero, one = torch.zeros((), dtype=x.dtype, device=x.device), torch.ones_like(x)
    return x * torch.distributions.Normal(zero, one, validate_args=False).cdf(x)


def gelu_module(x):
    return nn.GELU()(x)


def gelu_half(x):
    return 0.5 * x * (1.0 + torch.erf(x / 2**0.5))


def gelu_addcmul(x):
    return 0.5 * torch.addcmul(x, x, torch.erf(x * math.sqrt(0.5)))


RIGHT = (
    gelu_library,
    gelu_ndtr,
    gelu_erfc,
    gelu_normal,
    gelu_module,
    gelu_half,
    gelu_addcmul,
)
