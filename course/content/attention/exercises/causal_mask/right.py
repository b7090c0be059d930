"""Right answers to attention.causal_mask in other styles than the model solution's."""

import torch
from torch import nn

INF = float("inf")


def causal_mask_compare(length):
    places = torch.arange(length)
    return places[None, :] > places[:, None]


def causal_mask_loop(length):
    mask = torch.zeros(length, length, dtype=torch.bool)
    for i in range(length):
        mask[i, i + 1 :] = True
    return mask


def causal_mask_not_tril(length):
    return ~torch.tril(torch.ones((length, length), dtype=torch.bool))


def causal_mask_lists(length):
    return torch.tensor([[j > i for j in range(length)] for i in range(length)])


def causal_mask_torch(length):
    return nn.Transformer.generate_square_subsequent_mask(length) == -INF


RIGHT = (
    causal_mask_compare,
    causal_mask_loop,
    causal_mask_not_tril,
    causal_mask_lists,
    causal_mask_torch,
)
