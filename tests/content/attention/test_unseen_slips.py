"""Slips of people who know the subject, in chapter 02: none passes, and each is told for what it is."""

import pytest

from tests import unseen

pytestmark = pytest.mark.slow

# Exercise, name, source, and the one mistake that is named or else words that have to be in what is said.
SLIPS = [
    (
        "attention.scores",
        "einsum_sum",
        """\
def scores(query, key):
    return torch.einsum("...ld,...sd->...ls", query, key) / query.shape[-1] ** 2
""",
        None,
        "Every number is 1/Dh^(3/2) times what it should be",
    ),
    (
        "attention.scores",
        "size1",
        """\
def scores(query, key):
    return query @ key.mT / math.sqrt(query.size(1))
""",
        "root-of-the-second-axis",
        None,
    ),
    (
        "attention.scores",
        "elementwise",
        """\
def scores(query, key):
    return (query * key).sum(-1) / math.sqrt(query.size(-1))
""",
        None,
        "two shapes do not fit",
    ),
    (
        "attention.softmax",
        "plus_eps",
        """\
def softmax(x, dim):
    m = x.amax(dim, keepdim=True)
    m = torch.where(m == float("-inf"), torch.zeros_like(m), m)
    e = torch.exp(x - m)
    return e / (e.sum(dim, keepdim=True) + 1e-6)
""",
        None,
        "a small constant (an epsilon) was added",
    ),
    (
        "attention.softmax",
        "whole_nan",
        """\
def softmax(x, dim):
    p = torch.softmax(x, dim)
    if p.isnan().any():
        return torch.zeros_like(p)
    return p
""",
        None,
        "It is right except with a row of -inf",
    ),
    (
        "attention.softmax",
        "loop2d",
        """\
def softmax(x, dim):
    out = torch.zeros_like(x)
    for i in range(x.shape[0]):
        row = x[i]
        if (row == -math.inf).all():
            continue
        e = torch.exp(row - row.max())
        out[i] = e / e.sum()
    return out
""",
        None,
        "Along a single axis all numbers get the same weight",
    ),
    (
        "attention.softmax",
        "leaf",
        """\
def softmax(x, dim):
    p = torch.softmax(x, dim)
    p[torch.isnan(p)] = 0
    return p
""",
        None,
        "make a new one",
    ),
    (
        "attention.scaled_dot_product",
        "if_mask",
        """\
def scaled_dot_product(query, key, value, mask=None):
    s = scores(query, key)
    if mask:
        s = s.masked_fill(mask, float("-inf"))
    w = softmax(s, dim=-1)
    return w @ value, w
""",
        None,
        "write `is not None` to ask whether there is one",
    ),
    (
        "attention.scaled_dot_product",
        "minus_big_mask",
        """\
def scaled_dot_product(query, key, value, mask=None):
    s = scores(query, key)
    if mask is not None:
        s = s - 1e4 * mask
    w = softmax(s, -1)
    return w @ value, w
""",
        "finite-number-added",
        None,
    ),
    (
        "attention.scaled_dot_product",
        "fsdpa",
        """\
def scaled_dot_product(query, key, value, mask=None):
    out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    s = scores(query, key)
    if mask is not None:
        s = s.masked_fill(mask, -math.inf)
    return out, softmax(s, -1)
""",
        None,
        "what came is what the mask gives the other way round",
    ),
    (
        "attention.scaled_dot_product",
        "dropout",
        """\
def scaled_dot_product(query, key, value, mask=None):
    s = scores(query, key)
    if mask is not None:
        s = s.masked_fill(mask, -math.inf)
    w = F.dropout(softmax(s, -1), 0.1)
    return w @ value, w
""",
        None,
        "gives another result each time",
    ),
    (
        "attention.scaled_dot_product",
        "detach_w",
        """\
def scaled_dot_product(query, key, value, mask=None):
    s = scores(query, key)
    if mask is not None:
        s = s.masked_fill(mask, -math.inf)
    w = softmax(s, -1)
    return w @ value, w.detach()
""",
        None,
        "look at `return w @ value, w.detach()`",
    ),
    (
        "attention.split_heads",
        "typeerr",
        """\
def split_heads(x, nhead):
    B, S, D = x.shape
    if D % nhead != 0:
        raise TypeError("D must be divisible by nhead")
    return x.reshape(B, S, nhead, -1).transpose(1, 2)
""",
        None,
        "It should raise ValueError for d_model 4 and 5 heads, and raises TypeError",
    ),
    (
        "attention.split_heads",
        "view_noncontig",
        """\
def split_heads(x, nhead):
    B, S, D = x.shape
    if D % nhead:
        raise ValueError(f"{D} is no multiple of {nhead}")
    return x.view(B * S, nhead, D // nhead).view(B, S, nhead, D // nhead).transpose(1, 2)
""",
        None,
        "`reshape` copies them where it must",
    ),
    (
        "attention.merge_heads",
        "cat",
        """\
def merge_heads(x):
    return torch.cat([x[:, h] for h in range(x.shape[1])], dim=1)
""",
        "heads-behind-one-another",
        None,
    ),
    (
        "attention.multi_head",
        "w_in_notT",
        """\
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    q, k, v = (x @ w_in + b_in).chunk(3, -1)
    q, k, v = split_heads(q, nhead), split_heads(k, nhead), split_heads(v, nhead)
    o, _ = scaled_dot_product(q, k, v, mask)
    return F.linear(merge_heads(o), w_out, b_out)
""",
        None,
        "is a transpose missing",
    ),
    (
        "attention.multi_head",
        "forgot_tuple",
        """\
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    q, k, v = (x @ w_in.T + b_in).chunk(3, -1)
    q, k, v = split_heads(q, nhead), split_heads(k, nhead), split_heads(v, nhead)
    o = scaled_dot_product(q, k, v, mask)
    return F.linear(merge_heads(o), w_out, b_out)
""",
        None,
        "a function with several results gives all of them",
    ),
    (
        "attention.multi_head",
        "relu",
        """\
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    q, k, v = F.relu(F.linear(x, w_in, b_in)).chunk(3, -1)
    q, k, v = (split_heads(t, nhead) for t in (q, k, v))
    o, _ = scaled_dot_product(q, k, v, mask)
    return F.linear(merge_heads(o), w_out, b_out)
""",
        None,
        "what comes is the positive part of x",
    ),
    (
        "attention.multi_head",
        "scale_d_model",
        """\
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    q, k, v = (x @ w_in.T + b_in).chunk(3, -1)
    q, k, v = split_heads(q, nhead), split_heads(k, nhead), split_heads(v, nhead)
    s = q @ k.mT / math.sqrt(x.shape[-1])
    if mask is not None:
        s = s.masked_fill(mask, -math.inf)
    return F.linear(merge_heads(softmax(s, -1) @ v), w_out, b_out)
""",
        "scaled-by-model-width",
        None,
    ),
    (
        "attention.entropy",
        "cross",
        """\
def entropy(weights):
    return F.cross_entropy(weights.flatten(0, -2), weights.flatten(0, -2), reduction="none").view(weights.shape[:-1])
""",
        None,
        "the cross-entropy of the weights with a softmax of them",
    ),
    (
        "attention.entropy",
        "nan_to_num_outside",
        """\
def entropy(weights):
    return (-(weights * weights.log()).sum(-1)).nan_to_num(0.0)
""",
        "nan-replaced-after-the-sum",
        None,
    ),
    (
        "attention.entropy",
        "renorm",
        """\
def entropy(weights):
    p = weights / weights.sum(-1, keepdim=True)
    return torch.special.entr(p).sum(-1)
""",
        None,
        "Wrong are only the queries without weights",
    ),
]


@pytest.mark.parametrize(
    ("exercise_id", "source", "mistake", "words"),
    [pytest.param(slip[0], *slip[2:], id=f"{slip[0]}-{slip[1]}") for slip in SLIPS],
)
def test_it_does_not_pass_and_is_told_what_is_wrong(
    exercise_id, source, mistake, words, monkeypatch
):
    unseen.quickly(monkeypatch)
    unseen.assert_told(exercise_id, source, mistake, words)
