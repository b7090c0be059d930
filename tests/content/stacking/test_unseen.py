"""Wrong layers and stacks as people write them, listed nowhere: none passes, each is told what is wrong.

A layer is tried on the cases as they are, in float64: what fails there fails the check. What is asked
is that the sentences name the place, not only that the numbers are wrong.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch

from course.checking import checks
from course.checking.exercise import build
from course.checking.explain import diagnosis, findings
from course.checking.trials import running
from course.content import exercises
from course.sandbox import guards

pytestmark = pytest.mark.slow

LAYER = """\
class EncoderLayer(nn.Module):
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=True)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.drop1, self.drop2, self.drop3 = (nn.Dropout(dropout) for _ in range(3))
        self.norm_first = norm_first

    def sa(self, x, mask, padding):
        made = self.self_attn(x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False)
        return self.drop1(made[0])

    def ff(self, x):
        return self.drop3(self.linear2(self.drop2(F.relu(self.linear1(x)))))

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        if self.norm_first:
            src = src + self.sa(self.norm1(src), src_mask, src_key_padding_mask)
            src = src + self.ff(self.norm2(src))
        else:
            src = self.norm1(src + self.sa(src, src_mask, src_key_padding_mask))
            src = self.norm2(src + self.ff(src))
        return src
"""
CALL = (
    "made = self.self_attn(x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False)"
)
ONE_MASK = """\
heads, length = self.self_attn.num_heads, x.shape[1]
        if padding is not None:
            rows = padding[:, None, :].expand(-1, length, -1)
            mask = MERGED
        made = self.self_attn(x, x, x, attn_mask=mask, need_weights=False)"""
ACTIVE = "F.relu(self.linear1(x))"
POST_1 = (
    "src_key_padding_mask))\n            src = self.norm2(src + ",
    "src_key_padding_mask)))\n            src = self.norm2(src + ",
)

# Of each: the edits, and what must be said.
LAYERS: dict[str, tuple[list[tuple[str, str]], str]] = {
    "norm of the attention alone": (
        [
            ("self.norm1(src + self.sa(src,", "src + self.norm1(self.sa(src,"),
        ],
        "in post-norm, `self.norm1` gets the attention's output alone, without the sum",
    ),
    "norm1 in both places": (
        [("self.ff(self.norm2(src))", "self.ff(self.norm1(src))")],
        "in pre-norm, `self.norm2` is never called",
    ),
    "one norm under two names": (
        [("self.norm2 = nn.LayerNorm(d_model)", "self.norm2 = self.norm1")],
        "`self.norm1` is called 2 times",
    ),
    "the norm before the sum": (
        [("self.norm2(src + self.ff(src))", "self.norm2(src) + self.ff(src)")],
        "in post-norm, `self.norm2` gets norm1 of the sum of src and the attention's output",
    ),
    "src added to the network": (
        [
            ("src = self.norm1(src + self.sa(src,", "x = self.norm1(src + self.sa(src,"),
            ("self.norm2(src + self.ff(src))", "self.norm2(src + self.ff(x))"),
        ],
        "the sum of src and linear2's output, without what the attention has made",
    ),
    "values before the norm": (
        [
            (CALL, CALL.replace("(x, x, x,", "(x, x, self.before,")),
            (
                "        if self.norm_first:\n",
                "        self.before = src\n        if self.norm_first:\n",
            ),
        ],
        "in pre-norm, `self.self_attn` gets `src` itself as value, and should get `norm1(src)`",
    ),
    "both masks must block": (
        [
            (
                CALL,
                ONE_MASK.replace(
                    "MERGED", "(rows if mask is None else rows & mask).repeat_interleave(heads, 0)"
                ),
            )
        ],
        "with two masks, what either of them blocks is blocked",
    ),
    "heads repeated in the wrong order": (
        [
            (
                CALL,
                ONE_MASK.replace(
                    "MERGED", "(rows if mask is None else rows | mask).repeat(heads, 1, 1)"
                ),
            )
        ],
        "right except with src_key_padding_mask",
    ),
    "a mask of ones and zeros": (
        [(CALL, "mask = None if mask is None else mask.to(x.dtype)\n        " + CALL)],
        "given attn_mask as numbers, which are added to the scores",
    ),
    "padding turned round": (
        [(CALL, "padding = None if padding is None else padding.logical_not()\n        " + CALL)],
        "given src_key_padding_mask turned round",
    ),
    "the mask forgotten": (
        [(CALL, CALL.replace("attn_mask=mask, ", ""))],
        "`self.self_attn` is not given src_mask",
    ),
    "NaN wiped away after the projection": (
        [
            ("need_weights=False)\n", "need_weights=True)\n"),
            ("made[0])", "made[0].nan_to_num(0.0))"),
        ],
        "something else than it should where a token may look at nothing",
    ),
    "a dropout that ignores the mode": (
        [("self.drop2(", "F.dropout(")],
        "in evaluation mode it gives something else at each call",
    ),
    "a rate of its own": (
        [("self.drop1(made[0])", "F.dropout(made[0], 0.3, self.training)")],
        "it drops with dropout=0 too",
    ),
    "two dropouts missing": (
        [("self.drop1(made[0])", "made[0]"), ("return self.drop3(", "return (")],
        "dropout after linear2: nothing is dropped, with a rate of 0.3",
    ),
    "the rate turned round": (
        [("self.drop2(", "F.dropout("), (ACTIVE, ACTIVE + ", 1 - self.drop1.p, self.training")],
        "dropout after the activation: the rate is 0.7, and should be 0.3",
    ),
    "a sigmoid": (
        [("F.relu(", "torch.sigmoid(")],
        "`self.linear2` gets the sigmoid of linear1's output, and should get the ReLU",
    ),
    "no activation": (
        [(ACTIVE, "self.linear1(x)")],
        "`self.linear2` gets linear1's output without an activation",
    ),
    "the activation first": (
        [(ACTIVE, "self.linear1(F.relu(x))")],
        "`self.linear1` gets the ReLU of what it should get",
    ),
    "another eps in one norm": (
        [("self.norm2 = nn.LayerNorm(d_model)", "self.norm2 = nn.LayerNorm(d_model, eps=1e-6)")],
        "`self.norm2` has an eps of 1e-06",
    ),
    "one head": (
        [("nn.MultiheadAttention(d_model, nhead,", "nn.MultiheadAttention(d_model, 1,")],
        "`self.self_attn` has 1 heads where nhead is 2",
    ),
    "batch normalisation": (
        [("nn.LayerNorm(d_model)", "nn.BatchNorm1d(d_model)")],
        "it has norm1.running_mean",
    ),
    "ReLU6": ([("F.relu(", "F.relu6(")], "`self.linear2` gets the ReLU6 of linear1's output"),
    "zeros where padding is": (
        [
            (
                "        if self.norm_first:\n",
                "        if src_key_padding_mask is not None:\n"
                "            src = src.masked_fill(src_key_padding_mask.unsqueeze(-1), 0.0)\n"
                "        if self.norm_first:\n",
            )
        ],
        "gets something else in the rows of padding (nobody looks at them",
    ),
    "half of src": (
        [("src = src + self.sa(", "src = 0.5 * src + self.sa(")],
        "in pre-norm, `self.norm2` gets 0.5 times `src` itself, plus 1 times the attention's output",
    ),
    "a mask of its own": (
        [
            (
                CALL,
                "if mask is None:\n"
                "            mask = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()\n"
                "        " + CALL,
            )
        ],
        "in post-norm, `self.self_attn` is given a mask where none has come",
    ),
    "the mask turned": (
        [(CALL, "mask = None if mask is None else mask.T\n        " + CALL)],
        "given another mask than src_mask: it blocks elsewhere",
    ),
    "the whole sum dropped in post-norm, once more": (
        [("self.norm1(src + self.sa(src,", "self.norm1(self.drop1(src + self.sa(src,"), POST_1],
        "in post-norm, dropout on the attention's output: the whole sum is dropped, x and all",
    ),
    "the whole sum dropped in post-norm, in its place": (
        [
            ("self.drop1(made[0])", "made[0]"),
            ("src + self.sa(self.norm1(src)", "src + self.drop1(self.sa(self.norm1(src)"),
            (
                "_padding_mask)\n            src = src + self.ff",
                "_padding_mask))\n            src = src + self.ff",
            ),
            ("self.norm1(src + self.sa(src,", "self.norm1(self.drop1(src + self.sa(src,"),
            POST_1,
        ],
        "in post-norm, dropout on the attention's output: the whole sum is dropped, x and all",
    ),
    "whole tokens dropped after linear2": (
        [
            ("return self.drop3(", "return F.dropout1d("),
            ("(self.linear1(x)))))", "(self.linear1(x)))), self.drop3.p, self.training)"),
        ],
        "dropout after linear2: all numbers of a token are dropped together",
    ),
    "all of a sub-layer dropped at once": (
        [
            (
                "return self.drop1(made[0])",
                "return made[0] * self.drop1(torch.ones(()).to(made[0]))",
            )
        ],
        "dropout on the attention's output: all numbers are dropped together or none is",
    ),
    "linear maps exchanged": (
        [("nn.Linear(d_model, dim_feedforward)", "nn.Linear(dim_feedforward, d_model)")],
        "its linear1.weight is",
    ),
    "another name": ([("self_attn", "attention")], "the layer has no self_attn.in_proj_weight"),
    "a tuple as in older layers": (
        [("return src\n", "return src, None\n")],
        "came as a tuple of 2",
    ),
    "the two results not taken apart": (
        [("made[0]", "made")],
        "a tuple of several results is used as a tensor",
    ),
    "super().__init__() forgotten": (
        [("        super().__init__()\n", "")],
        "`super().__init__()` has to come first in `__init__`",
    ),
    "a module made with the numbers in it": (
        [("F.relu(", "nn.ReLU(")],
        "a module is used as a tensor",
    ),
    "masks by position": (
        [("attn_mask=mask, key_padding_mask=padding", "mask, padding")],
        "nn.MultiheadAttention takes key_padding_mask, need_weights and attn_mask, in this order",
    ),
    "a misspelt forward": ([("def forward", "def foward")], "no method that is called `forward`"),
    "a dropout made in forward": (
        [("self.drop2(", "nn.Dropout(0.1)(")],
        "one that is made in `forward` is always in training mode",
    ),
    "half of the network's output": (
        [("src + self.ff(self.norm2(src))", "src + 0.5 * self.ff(self.norm2(src))")],
        "in pre-norm, what is returned is 1 times the sum of src and the attention's output, "
        "without a norm, plus 0.5 times",
    ),
}


CUT_FROM_X = """\
def residual(x, sublayer, norm, norm_first):
    y = x.clone().detach()
    if norm_first:
        return y + sublayer(norm(x))
    return norm(y + sublayer(x))
"""
CUT_FROM_WEIGHTS = """\
def layer_norm(x, weight, bias, eps=1e-5):
    n = nn.LayerNorm(x.shape[-1], eps=eps, dtype=x.dtype)
    n.weight.data, n.bias.data = weight, bias
    return n(x)
"""

# Functions: the answer, and the id of the mistake that it is, or comes near to, or what must be said.
FUNCTIONS: dict[tuple[str, str], tuple[str, str]] = {
    ("stacking.layer_norm", "batchnorm"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    m = x.mean(0, keepdim=True); v = x.var(0, unbiased=False, keepdim=True)
    return (x-m)/torch.sqrt(v+eps)*weight+bias
""",
        "over-the-batch",
    ),
    ("stacking.layer_norm", "eps in std"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    m = x.mean(-1, keepdim=True); s = x.std(-1, keepdim=True, unbiased=False)
    return weight*(x-m)/(s+eps)+bias
""",
        "epsilon-outside-the-root",
    ),
    ("stacking.layer_norm", "bessel"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    m = x.mean(-1, keepdim=True); v = x.var(-1, keepdim=True)
    return weight*(x-m)*torch.rsqrt(v+eps)+bias
""",
        "unbiased-variance",
    ),
    ("stacking.layer_norm", "rms"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    return weight*x*torch.rsqrt(x.pow(2).mean(-1,keepdim=True)+eps)+bias
""",
        "root-mean-square",
    ),
    ("stacking.layer_norm", "axis lost"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    m = x.mean(-1); v = x.var(-1, unbiased=False)
    return weight*(x-m)/torch.sqrt(v+eps)+bias
""",
        "axis-lost",
    ),
    ("stacking.layer_norm", "eps fixed"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    return F.layer_norm(x, x.shape[-1:], weight, bias)
""",
        "epsilon-fixed",
    ),
    ("stacking.layer_norm", "meansq minus"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    m = x.mean(-1, keepdim=True)
    v = (x**2).mean(-1, keepdim=True) - m
    return (x-m)/torch.sqrt(v+eps)*weight+bias
""",
        "mean-not-squared",
    ),
    ("stacking.layer_norm", "one plus w"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    return F.layer_norm(x, x.shape[-1:], 1+weight, bias, eps)
""",
        "one-plus-weight",
    ),
    ("stacking.layer_norm", "clamp"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    m = x.mean(-1, keepdim=True)
    v = (x-m).square().mean(-1, keepdim=True)
    return (x-m)/v.sqrt().clamp(min=eps)*weight+bias
""",
        "epsilon-as-a-floor",
    ),
    ("stacking.layer_norm", "in place"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    x -= x.mean(-1, keepdim=True)
    x /= torch.sqrt(x.pow(2).mean(-1, keepdim=True)+eps)
    return x*weight+bias
""",
        "changes-its-input",
    ),
    ("stacking.layer_norm", "median"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    m = x.median(-1, keepdim=True).values
    v = (x-m).square().mean(-1, keepdim=True)
    return (x-m)/torch.sqrt(v+eps)*weight+bias
""",
        "what is taken off each token is its median, and should be its mean",
    ),
    ("stacking.layer_norm", "all axes but the first"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    axes = tuple(range(1, x.dim())) or (0,)
    m = x.mean(axes, keepdim=True); v = x.var(axes, unbiased=False, keepdim=True)
    return (x-m)/torch.sqrt(v+eps)*weight+bias
""",
        "taken off each token is the same number for all tokens of a sentence",
    ),
    ("stacking.layer_norm", "one variance"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    m = x.mean(-1, keepdim=True)
    return (x-m)/torch.sqrt((x-m).pow(2).mean()+eps)*weight+bias
""",
        "what each token is divided by is one number for the whole of x",
    ),
    ("stacking.layer_norm", "range"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    m = x.mean(-1, keepdim=True)
    return (x-m)/(x.amax(-1, keepdim=True)-x.amin(-1, keepdim=True)+eps)*weight+bias
""",
        "divided by is the distance from the smallest to the largest number, plus eps",
    ),
    ("stacking.layer_norm", "clipped"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    return F.layer_norm(x, x.shape[-1:], eps=eps).clamp(-2, 2)*weight+bias
""",
        "it is right but where the normalised number is beyond ±2.0",
    ),
    ("stacking.layer_norm", "weight squared"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    return F.layer_norm(x, x.shape[-1:], weight, bias, eps)*weight
""",
        "look at where the two are used",
    ),
    ("stacking.residual", "pre norm added"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        x = norm(x)
        return x + sublayer(x)
    return norm(x + sublayer(x))
""",
        "normalised-x-added",
    ),
    ("stacking.residual", "norm sub"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        return x + norm(sublayer(x))
    return norm(x + sublayer(x))
""",
        "sublayer-before-the-norm",
    ),
    ("stacking.residual", "mean"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        return (x + sublayer(norm(x))) / 2
    return norm((x + sublayer(x)) / 2)
""",
        "averaged",
    ),
    ("stacking.residual", "in place"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        x += sublayer(norm(x))
        return x
    x += sublayer(x)
    return norm(x)
""",
        "changes-its-input",
    ),
    ("stacking.residual", "twice"): (
        """\
def residual(x, sublayer, norm, norm_first):
    pre = x + sublayer(norm(x))
    post = norm(x + sublayer(x))
    return pre if norm_first else post
""",
        "every result is 2 times what it should be",
    ),
    ("stacking.residual", "half"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        return x + 0.5 * sublayer(norm(x))
    return norm(x + 0.5 * sublayer(x))
""",
        "in post-norm, with a norm that changes nothing, what comes is 1 x + 0.5 sublayer(x)",
    ),
    ("stacking.residual", "root of two"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        return (x + sublayer(norm(x))) / 2 ** 0.5
    return norm(x + sublayer(x))
""",
        "in pre-norm, with a norm that changes nothing, what comes is 0.707 x + 0.707 sublayer(x)",
    ),
    ("stacking.residual", "norm again"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        return x + sublayer(norm(norm(x)))
    return norm(x + sublayer(x))
""",
        "in pre-norm, `norm` is called 2 times, and should be called once",
    ),
    ("stacking.residual", "none"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        return x + sublayer(norm(x))
""",
        "right except with post-norm",
    ),
    ("stacking.residual", "returns fn"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        return lambda x: x + sublayer(norm(x))
    return lambda x: norm(x + sublayer(x))
""",
        "came as a function",
    ),
    ("stacking.token_similarity", "pad inverted"): (
        """\
def token_similarity(hidden, padding_mask=None):
    B,S,_ = hidden.shape
    keep = torch.ones(B,S,dtype=torch.bool) if padding_mask is None else padding_mask
    u = F.normalize(hidden, dim=-1); c = u @ u.mT
    p = keep[:, :, None] & keep[:, None] & ~torch.eye(S, dtype=torch.bool)
    return (c*p).sum((1,2))/p.sum((1,2)).clamp(min=1)
""",
        "mask-turned-round",
    ),
    ("stacking.token_similarity", "diag in"): (
        """\
def token_similarity(hidden, padding_mask=None):
    u = F.normalize(hidden, dim=-1)
    c = u @ u.transpose(1, 2)
    return c.mean((1, 2))
""",
        "each token with itself included",
    ),
    ("stacking.token_similarity", "loop all"): (
        """\
def token_similarity(hidden, padding_mask=None):
    out = []
    for b in range(len(hidden)):
        h = hidden[b] if padding_mask is None else hidden[b][~padding_mask[b]]
        n = len(h)
        if n < 2:
            out.append(torch.zeros(())); continue
        c = F.cosine_similarity(h[:, None], h[None], dim=-1)
        out.append((c.sum() - n)/(n*(n-1)))
    return torch.stack(out)
""",
        "should be float64",
    ),
    ("stacking.token_similarity", "item"): (
        """\
def token_similarity(hidden, padding_mask=None):
    out = []
    for b in range(hidden.shape[0]):
        h = hidden[b] if padding_mask is None else hidden[b][~padding_mask[b]]
        s, k = 0.0, 0
        for i in range(len(h)):
            for j in range(i):
                s += F.cosine_similarity(h[i], h[j], dim=0).item(); k += 1
        out.append(s / k if k else 0.0)
    return torch.tensor(out)
""",
        "should be float64",
    ),
    ("stacking.token_similarity", "no mask"): (
        """\
def token_similarity(hidden, padding_mask=None):
    u = F.normalize(hidden, dim=-1); S = hidden.shape[1]
    c = u @ u.transpose(1, 2)
    return (c.sum((1,2)) - S) / (S*(S-1))
""",
        "mask-ignored",
    ),
    ("stacking.token_similarity", "mean over batch"): (
        """\
def token_similarity(hidden, padding_mask=None):
    u = F.normalize(hidden, dim=-1)
    if padding_mask is not None: u = u.masked_fill(padding_mask[..., None], 0)
    c = u @ u.mT
    n = hidden.shape[1]
    return (c.sum((1,2)) - n)/(n*(n-1))
""",
        "padding-made-zero-and-counted",
    ),
    ("stacking.token_similarity", "distances"): (
        """\
def token_similarity(hidden, padding_mask=None):
    B, S, _ = hidden.shape
    real = hidden.new_ones(B, S).bool() if padding_mask is None else ~padding_mask
    u = F.normalize(hidden, dim=-1)
    p = real[:, :, None] & real[:, None] & ~torch.eye(S, device=hidden.device).bool()
    return ((1 - torch.cdist(u, u))*p).sum((1,2))/p.sum((1,2)).clamp(min=1)
""",
        "with 0, 60, 90, 120, 180 degrees between them get 1.00, 0.00, -0.41, -0.73, -1.00",
    ),
    ("stacking.token_similarity", "largest"): (
        """\
def token_similarity(hidden, padding_mask=None):
    B, S, _ = hidden.shape
    real = hidden.new_ones(B, S).bool() if padding_mask is None else ~padding_mask
    u = F.normalize(hidden, dim=-1)
    p = real[:, :, None] & real[:, None] & ~torch.eye(S, device=hidden.device).bool()
    return torch.where(p.any(-1).any(-1), (u @ u.mT).masked_fill(~p, -1).amax((1,2)), 0.0)
""",
        "of three tokens whose similarities are 0.50, 0.00, 0.87, the mean is 0.46, and 0.87 came",
    ),
    ("stacking.token_similarity", "fill first"): (
        """\
def token_similarity(hidden, padding_mask=None):
    if padding_mask is not None: hidden = hidden.masked_fill(padding_mask[..., None], 0.0)
    u = F.normalize(hidden, dim=-1)
    c = u @ u.mT
    S = hidden.shape[1]
    off = ~torch.eye(S, dtype=torch.bool)
    return c[:, off].mean(-1)
""",
        "divided-by-the-places",
    ),
    ("stacking.token_similarity", "median"): (
        """\
def token_similarity(hidden, padding_mask=None):
    u = F.normalize(hidden, dim=-1)
    c = u @ u.mT
    S = hidden.shape[1]
    i, j = torch.triu_indices(S, S, 1)
    return c[:, i, j].median(-1).values if S > 1 else hidden.new_zeros(len(hidden))
""",
        "right with two tokens",
    ),
    ("stacking.get_clones", "same"): (
        """\
def get_clones(module, count):
    return nn.ModuleList([module for _ in range(count)])
""",
        "the-same-module-again",
    ),
    ("stacking.get_clones", "shallow"): (
        """\
def get_clones(module, count):
    return nn.ModuleList([copy.copy(module) for _ in range(count)])
""",
        "shallow-copies",
    ),
    ("stacking.get_clones", "one deep"): (
        """\
def get_clones(module, count):
    m = copy.deepcopy(module)
    return nn.ModuleList([m] * count)
""",
        "one-copy-repeated",
    ),
    ("stacking.get_clones", "list"): (
        """\
def get_clones(module, count):
    return [copy.deepcopy(module) for _ in range(count)]
""",
        "a-plain-list",
    ),
    ("stacking.get_clones", "seq"): (
        """\
def get_clones(module, count):
    return nn.Sequential(*[copy.deepcopy(module) for _ in range(count)])
""",
        "sequential",
    ),
    ("stacking.get_clones", "state"): (
        """\
def get_clones(module, count):
    out = []
    for _ in range(count):
        m = copy.deepcopy(module)
        m.load_state_dict(module.state_dict())
        m.requires_grad_(True)
        out.append(m)
    return nn.ModuleList(out)
""",
        "thawed",
    ),
    ("stacking.get_clones", "copy params shared buffers"): (
        """\
def get_clones(module, count):
    out = []
    for _ in range(count):
        m = copy.deepcopy(module)
        for (n, b), c in zip(module.named_buffers(), m.modules()):
            pass
        for name, b in module.named_buffers():
            mod = m
            *path, last = name.split('.')
            for q in path: mod = getattr(mod, q)
            mod._buffers[last] = b
        out.append(m)
    return nn.ModuleList(out)
""",
        "buffers-shared",
    ),
    ("stacking.get_clones", "with original"): (
        """\
def get_clones(module, count):
    return nn.ModuleList([module] + [copy.deepcopy(module) for _ in range(count - 1)])
""",
        "0 is expected, and 1 came",
    ),
    ("stacking.get_clones", "fresh"): (
        """\
def get_clones(module, count):
    out = []
    for _ in range(count):
        m = copy.deepcopy(module)
        for p in m.parameters():
            nn.init.normal_(p)
        out.append(m)
    return nn.ModuleList(out)
""",
        "another weight",
    ),
    ("stacking.get_clones", "eval"): (
        """\
def get_clones(module, count):
    return nn.ModuleList([copy.deepcopy(module).eval() for _ in range(count)])
""",
        "in-evaluation-mode",
    ),
}


@functools.cache
def plain(exercise_id: str) -> list[tuple[diagnosis.Probe, running.Outcome]]:
    exercise = exercises.get(exercise_id)
    usual = [p for p in diagnosis.plain_probes(exercise, 0) if p.dtype is torch.float64]
    return [(probe, running.reference(exercise.model(), probe)) for probe in usual]


def tried(exercise_id: str, answer: Callable[..., Any]) -> list[diagnosis.Trial]:
    with guards.apart():
        trials = [
            diagnosis.judged(probe, expected, running.run(answer, probe))
            for probe, expected in plain(exercise_id)
        ]
    assert any(trial.failed for trial in trials)
    return trials


@pytest.mark.parametrize(
    ("exercise_id", "name"),
    [("stacking.EncoderLayer", name) for name in LAYERS]
    + [("stacking.repair", name) for name in list(LAYERS)[::5]],
)
def test_a_layer_is_told_where_it_goes_wrong(exercise_id: str, name: str) -> None:
    exercise = exercises.get(exercise_id)
    edits, wanted = LAYERS[name]
    source = LAYER.replace("EncoderLayer", exercise.name)
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    answer = build(exercise_id, source)
    trials = tried(exercise_id, answer)
    with guards.apart():
        told = findings.describe(exercise, answer, trials)
    assert wanted in " ".join(told), told


@pytest.mark.parametrize(("exercise_id", "name"), FUNCTIONS)
def test_a_function_is_told_its_mistake(
    exercise_id: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "PAIR_SECONDS", 0.0)  # one mistake each
    exercise = exercises.get(exercise_id)
    source, wanted = FUNCTIONS[exercise_id, name]
    answer = build(exercise_id, source)
    trials = tried(exercise_id, answer)
    with guards.apart():
        named = [mistake.id for mistake in diagnosis.explain(exercise, trials)]
        near = diagnosis.nearest(exercise, trials)
        told = findings.describe(exercise, answer, trials)
    told = named or [*([near.id] if near else []), *told]
    assert any(wanted in sentence for sentence in told), told


@pytest.mark.parametrize(
    ("exercise_id", "source"),
    [
        ("stacking.residual", CUT_FROM_X),
        ("stacking.layer_norm", CUT_FROM_WEIGHTS),
    ],
)
def test_what_shows_in_the_gradient_alone_fails_too(exercise_id: str, source: str) -> None:
    report = checks.judge(exercises.get(exercise_id), build(exercise_id, source))
    assert report.status == "failed"
    assert "gradient" in report.message


def test_the_right_layer_has_nothing_to_be_told() -> None:
    """What the edits start from passes, so that each fails by its edit alone."""
    answer = build("stacking.EncoderLayer", LAYER)
    for probe, expected in plain("stacking.EncoderLayer"):
        assert not diagnosis.judged(probe, expected, running.run(answer, probe)).failed
