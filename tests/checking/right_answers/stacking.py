"""Right answers to chapter 04's exercises, in other styles than the model solutions'."""

import copy
import io
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# layer_norm


def layer_norm_library(x, weight, bias, eps=1e-5):
    return F.layer_norm(x, (x.shape[-1],), weight, bias, eps)


def layer_norm_var(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
    return weight * (x - mean) * torch.rsqrt(variance + eps) + bias


def layer_norm_einsum(x, weight, bias, eps=1e-5):
    d_model = x.size(-1)
    centred = x - torch.einsum("...d->...", x).unsqueeze(-1) / d_model
    square = torch.einsum("...d,...d->...", centred, centred).unsqueeze(-1) / d_model
    return torch.addcmul(bias, centred / (square + eps) ** 0.5, weight)


def layer_norm_loop(x, weight, bias, eps=1e-5):
    flat = x.reshape(-1, x.shape[-1])
    rows = []
    for row in flat:
        m = sum(row) / len(row)
        v = sum((number - m) ** 2 for number in row) / len(row)
        rows.append((row - m) / (v + eps).sqrt() * weight + bias)
    return torch.stack(rows).reshape(x.shape)


def layer_norm_group(x, weight, bias, eps=1e-5):
    """One group of all features: the same, for a matrix."""
    flat = x.reshape(-1, x.shape[-1])
    return F.group_norm(flat, 1, weight, bias, eps).reshape(x.shape)


def layer_norm_functional_call(x, weight, bias, eps=1e-5):
    norm = nn.LayerNorm(x.shape[-1], eps=eps, dtype=x.dtype, device=x.device)
    return torch.func.functional_call(norm, {"weight": weight, "bias": bias}, (x,))


def layer_norm_length(x, weight, bias, eps=1e-5):
    centred = x - x.mean(-1, keepdim=True)
    length = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
    return centred / (length * length / x.shape[-1] + eps).sqrt() * weight + bias


# token_similarity


def token_similarity_loop(hidden, padding_mask=None):
    found = []
    for b in range(hidden.shape[0]):
        tokens = hidden[b] if padding_mask is None else hidden[b][~padding_mask[b]]
        pairs = [
            F.cosine_similarity(tokens[i], tokens[j], dim=0)
            for i in range(len(tokens))
            for j in range(i + 1, len(tokens))
        ]
        found.append(torch.stack(pairs).mean() if pairs else hidden.new_zeros(()))
    return torch.stack(found)


def token_similarity_sums(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """The square of a sum holds every pair twice, and each vector with itself."""
    unit = F.normalize(hidden, dim=-1)
    if padding_mask is None:
        count = torch.full(hidden.shape[:1], hidden.shape[1], device=hidden.device)
    else:
        unit = unit.masked_fill(padding_mask.unsqueeze(-1), 0.0)
        count = (~padding_mask).sum(1)
    pairs = unit.sum(1).square().sum(-1) - unit.square().sum((1, 2))
    return pairs / (count * (count - 1)).clamp(min=1)


def token_similarity_einsum(hidden, padding_mask=None):
    B, S, _ = hidden.shape
    real = hidden.new_ones(B, S) if padding_mask is None else (~padding_mask).to(hidden.dtype)
    norms = torch.linalg.vector_norm(hidden, dim=-1)
    norms = torch.where(norms > 0, norms, torch.ones_like(norms))
    unit = hidden / norms[..., None]
    cosines = torch.einsum("bid,bjd->bij", unit, unit)
    both = torch.einsum("bi,bj->bij", real, real)
    both = both - torch.diag_embed(both.diagonal(dim1=1, dim2=2))
    pairs = both.sum((1, 2))
    mean = (cosines * both).sum((1, 2)) / torch.clamp(pairs, min=1)
    return torch.where(pairs > 0, mean, torch.zeros_like(mean))


def token_similarity_upper(hidden, padding_mask=None):
    S = hidden.shape[1]
    cosines = F.cosine_similarity(hidden.unsqueeze(1), hidden.unsqueeze(2), dim=-1)
    i, j = torch.triu_indices(S, S, offset=1, device=hidden.device)
    chosen = cosines[:, i, j]
    if padding_mask is None:
        return chosen.mean(-1) if S > 1 else hidden.new_zeros(len(hidden))
    counts = ~(padding_mask[:, i] | padding_mask[:, j])
    return (chosen * counts).sum(-1) / counts.sum(-1).clamp(min=1)


def token_similarity_diagonal(hidden, padding_mask=None):
    """All pairs, less what each token has with itself."""
    unit = F.normalize(hidden, dim=-1)
    count = torch.full(hidden.shape[:1], hidden.shape[1], device=hidden.device)
    if padding_mask is not None:
        unit, count = unit.masked_fill(padding_mask[..., None], 0.0), (~padding_mask).sum(1)
    cosines = torch.bmm(unit, unit.mT)
    own = cosines.diagonal(dim1=1, dim2=2).sum(-1)
    return (cosines.sum((1, 2)) - own) / (count * (count - 1)).clamp(min=1)


# residual


def residual_expression(x, sublayer, norm, norm_first):
    return x + sublayer(norm(x)) if norm_first else norm(x + sublayer(x))


def residual_steps(x, sublayer, norm, norm_first):
    h = x
    if norm_first:
        h = norm(h)
    h = sublayer(h)
    h = torch.add(x, h)
    if not norm_first:
        h = norm(h)
    return h


def residual_swapped_sum(x: Tensor, sublayer, norm, norm_first: bool) -> Tensor:
    before, after = (norm, lambda h: h) if norm_first else (lambda h: h, norm)
    return after(sublayer(before(x)) + x)


def residual_match(x, sublayer, norm, norm_first):
    match bool(norm_first):
        case True:
            return sublayer(norm(x)).add(x)
        case _:
            return norm(sublayer(x).add(x))


# EncoderLayer and repair


class SubclassOfTorch(nn.TransformerEncoderLayer):
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, batch_first=True, norm_first=norm_first
        )


class FourDropouts(nn.Module):
    """As torch writes it: one dropout for each place."""

    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.norm_first = norm_first
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout, batch_first=True)
        self.linear1, self.linear2 = (
            nn.Linear(d_model, dim_feedforward),
            nn.Linear(dim_feedforward, d_model),
        )
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.dropout, self.dropout1, self.dropout2 = (nn.Dropout(dropout) for _ in range(3))

    def _sa(self, x, mask, padding):
        x = self.self_attn(x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False)
        return self.dropout1(x[0])

    def _ff(self, x):
        return self.dropout2(self.linear2(self.dropout(F.relu(self.linear1(x)))))

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        x = src
        if self.norm_first:
            x = x + self._sa(self.norm1(x), src_mask, src_key_padding_mask)
            return x + self._ff(self.norm2(x))
        x = self.norm1(x + self._sa(x, src_mask, src_key_padding_mask))
        return self.norm2(x + self._ff(x))


class _Attention(nn.Module):
    """Attention by hand, under torch's names."""

    def __init__(self, d_model, nhead, dropout):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * d_model, d_model))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * d_model))
        self.out_proj = nn.Linear(d_model, d_model)
        self.nhead, self.p = nhead, dropout
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x, mask):
        B, S, D = x.shape
        q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        q, k, v = (t.reshape(B, S, self.nhead, -1).transpose(1, 2) for t in (q, k, v))
        scores = q @ k.transpose(-2, -1) / math.sqrt(D // self.nhead)
        if mask is not None:
            nothing = mask.all(-1, keepdim=True)
            scores = scores.masked_fill(mask & ~nothing, float("-inf"))
            weights = scores.softmax(-1) * ~nothing
        else:
            weights = scores.softmax(-1)
        weights = F.dropout(weights, self.p, self.training)
        return self.out_proj((weights @ v).transpose(1, 2).reshape(B, S, D))


class ByHand(nn.Module):
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.self_attn = _Attention(d_model, nhead, dropout)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.drop = dropout
        self.norm_first = norm_first

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        mask = None
        if src_mask is not None:
            mask = src_mask[None, None]
        if src_key_padding_mask is not None:
            padding = src_key_padding_mask[:, None, None, :]
            mask = padding if mask is None else mask | padding

        def dropped(x: Tensor) -> Tensor:
            return F.dropout(x, self.drop, training=self.training)

        normed = self.norm1(src) if self.norm_first else src
        x = src + dropped(self.self_attn(normed, mask))
        x = x if self.norm_first else self.norm1(x)
        normed = self.norm2(x) if self.norm_first else x
        x = x + dropped(self.linear2(dropped(self.linear1(normed).clamp(min=0))))
        return x if self.norm_first else self.norm2(x)


class Transposed(nn.Module):
    """Length first inside, as the article's listing has its attention."""

    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1, self.norm2 = (nn.LayerNorm(d_model, eps=1e-5) for _ in range(2))
        self.norm_first = norm_first

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        src = src.transpose(0, 1)
        x = self.norm1(src) if self.norm_first else src
        src2 = self.self_attn(
            x, x, x, attn_mask=src_mask, key_padding_mask=src_key_padding_mask, need_weights=False
        )[0]
        src = src + self.dropout(src2)
        src = src if self.norm_first else self.norm1(src)
        x = self.norm2(src) if self.norm_first else src
        src = src + self.dropout(self.linear2(self.dropout(torch.relu(self.linear1(x)))))
        src = src if self.norm_first else self.norm2(src)
        return src.transpose(0, 1)


class _Parts(nn.Module):
    """What the answers that follow hold; each computes its attention in a way of its own."""

    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout, batch_first=True)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.drop = nn.Dropout(dropout)
        self.norm_first = norm_first

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        def attention(x):
            return self.drop(self.attend(x, src_mask, src_key_padding_mask))

        def network(x):
            for part in (self.linear1, F.relu, self.drop, self.linear2, self.drop):
                x = part(x)
            return x

        for sublayer, norm in ((attention, self.norm1), (network, self.norm2)):
            if self.norm_first:
                src = src + sublayer(norm(src))
            else:
                src = norm(src + sublayer(src))
        return src

    def heads(self, x):
        held = self.self_attn
        projected = F.linear(x, held.in_proj_weight, held.in_proj_bias)
        return projected.unflatten(-1, (3, held.num_heads, -1)).permute(2, 0, 3, 1, 4)


class OneMaskOfBoth(_Parts):
    """The two masks merged into one, (B H, S, S)."""

    def attend(self, x, mask, padding):
        if padding is not None:
            rows = padding[:, None, :].expand(-1, x.shape[1], -1)  # (B, S, S)
            mask = rows if mask is None else rows | mask
            mask = mask.repeat_interleave(self.self_attn.num_heads, dim=0)
        return self.self_attn(x, x, x, attn_mask=mask, need_weights=False)[0]


class FusedAttention(_Parts):
    """F.scaled_dot_product_attention, whose masks say what may be looked at."""

    def attend(self, x, mask, padding):
        q, k, v = self.heads(x)
        free = None
        if mask is not None:
            free = ~mask[None, None]
        if padding is not None:
            keys = ~padding[:, None, None, :]
            free = keys.expand(-1, -1, x.shape[1], -1) if free is None else free & keys
        p = self.self_attn.dropout if self.training else 0.0
        made = F.scaled_dot_product_attention(q, k, v, free, dropout_p=p)
        return self.self_attn.out_proj(made.transpose(1, 2).flatten(2))


class EinsumAttention(_Parts):
    """Every product an einsum; a row that may look at nothing is left open, then made 0."""

    def attend(self, x, mask, padding):
        q, k, v = self.heads(x)
        scores = torch.einsum("bhqd,bhkd->bhqk", q, k) * q.shape[-1] ** -0.5
        blocked = torch.zeros_like(scores, dtype=torch.bool)
        if mask is not None:
            blocked = blocked | mask
        if padding is not None:
            blocked = blocked | padding[:, None, None]
        closed = blocked & ~blocked.all(-1, keepdim=True)
        weights = scores.masked_fill(closed, -math.inf).softmax(-1).masked_fill(blocked, 0.0)
        weights = F.dropout(weights, self.self_attn.dropout, self.training)
        made = torch.einsum("bhqk,bhkd->bqhd", weights, v)
        return self.self_attn.out_proj(made.reshape(x.shape))


# get_clones


def get_clones_loop(module, count):
    clones = nn.ModuleList()
    for _ in range(count):
        clones.append(copy.deepcopy(module))
    return clones


def get_clones_generator(module: nn.Module, count: int) -> nn.ModuleList:
    return nn.ModuleList(copy.deepcopy(module) for _ in range(count))


def get_clones_of_a_list(module, count):
    return nn.ModuleList(map(copy.deepcopy, [module] * count))


def get_clones_of_clones(module, count):
    clones = []
    last = module
    while len(clones) < count:
        last = copy.deepcopy(last)
        clones.append(last)
    return nn.ModuleList(clones)


def get_clones_saved(module, count):
    """Written into memory once, and read for each clone."""
    file = io.BytesIO()
    torch.save(module, file)
    clones = nn.ModuleList()
    for place in range(count):
        file.seek(0)
        clones.insert(place, torch.load(file, weights_only=False))
    return clones


LAYERS = [
    SubclassOfTorch,
    FourDropouts,
    ByHand,
    Transposed,
    OneMaskOfBoth,
    FusedAttention,
    EinsumAttention,
]

RIGHT = {
    "stacking.layer_norm": [
        layer_norm_library,
        layer_norm_var,
        layer_norm_einsum,
        layer_norm_loop,
        layer_norm_group,
        layer_norm_functional_call,
        layer_norm_length,
    ],
    "stacking.token_similarity": [
        token_similarity_loop,
        token_similarity_sums,
        token_similarity_einsum,
        token_similarity_upper,
        token_similarity_diagonal,
    ],
    "stacking.residual": [
        residual_expression,
        residual_steps,
        residual_swapped_sum,
        residual_match,
    ],
    "stacking.EncoderLayer": LAYERS,
    "stacking.get_clones": [
        get_clones_loop,
        get_clones_generator,
        get_clones_of_a_list,
        get_clones_of_clones,
        get_clones_saved,
    ],
    "stacking.repair": LAYERS[3:] + LAYERS[:3],  # the first three are tried on most inputs
}
