"""Right answers to attention.entropy in other styles than the model solution's."""

import torch


def entropy_library(weights):
    return torch.special.entr(weights).sum(-1)


def entropy_xlogy(weights):
    return -torch.xlogy(weights, weights).sum(dim=-1)


def entropy_where(weights):
    terms = torch.where(weights > 0, weights * torch.log(weights), torch.zeros_like(weights))
    return terms.sum(-1).neg()


def entropy_nansum(weights):
    return -(weights * weights.log()).nansum(-1)


def entropy_clamp(weights):
    return -(weights * weights.clamp(min=torch.finfo(weights.dtype).tiny).log()).sum(-1)


def entropy_loop(weights):
    total = 0
    for column in weights.unbind(-1):
        log = torch.log(torch.where(column == 0, torch.ones_like(column), column))
        total = total - column * log
    return total


def entropy_clamp_tiny(weights):
    return -(weights * weights.clamp_min(torch.finfo(weights.dtype).tiny).log()).sum(dim=-1)


RIGHT = (
    entropy_library,
    entropy_xlogy,
    entropy_where,
    entropy_nansum,
    entropy_clamp,
    entropy_loop,
    entropy_clamp_tiny,
)
