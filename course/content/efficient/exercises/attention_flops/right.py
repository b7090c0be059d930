"""Right answers to efficient.attention_flops in other styles than the model solution's."""

import math

import torch


def attention_flops_factored(batch, length, d_model):
    return 4 * batch * length * d_model * (2 * d_model + length)


def attention_flops_products(batch, length, d_model):
    """The six products one by one, by their sizes (m, k, n)."""
    products = [(batch * length, d_model, d_model)] * 4
    products += [(length, d_model, length), (length, length, d_model)] * batch
    return sum(2 * m * k * n for m, k, n in products)


def attention_flops_of_a_token(batch, length, d_model):
    tokens = batch * length
    each = 8 * d_model**2 + 4 * length * d_model
    return tokens * each


def attention_flops_heads(batch, length, d_model):
    """Head by head: any number that divides the width gives the same."""
    nhead = math.gcd(d_model, 12)
    d_head = d_model // nhead
    scores = weighted = 2 * batch * nhead * length * length * d_head
    stacked = 2 * batch * length * d_model * (3 * d_model)
    return stacked + scores + weighted + 2 * batch * length * d_model**2


def attention_flops_counted(batch, length, d_model):
    """Counted by PyTorch, on tensors without memory."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        x = torch.empty(batch * length, d_model)
        weight = torch.empty(d_model, d_model)
        for _ in range(4):
            x @ weight
        heads = x.view(batch, length, d_model)
        heads.bmm(heads.mT).bmm(heads)
    return counter.get_total_flops()


RIGHT = (
    attention_flops_factored,
    attention_flops_products,
    attention_flops_of_a_token,
    attention_flops_heads,
    attention_flops_counted,
)
