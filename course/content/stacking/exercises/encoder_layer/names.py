"""The quantities that an encoder layer computes on its way, and words for what is made of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def quantities(args: tuple[Any, ...]) -> dict[str, Tensor]:
    """What a layer computes on its way, by name, right and wrong, all (B, S, ...)."""
    norm_first, src, _, _, weights = args[4:9]

    def norm(number: int, x: Tensor) -> Tensor:
        own = weights[f"norm{number}.weight"], weights[f"norm{number}.bias"]
        return F.layer_norm(x, x.shape[-1:], *own)

    both = {
        "attention of src": _attended(src, args),
        "attention of norm1(src)": _attended(norm(1, src), args),
    }
    attended = both["attention of norm1(src)" if norm_first else "attention of src"]
    summed = src + attended
    x = summed if norm_first else norm(1, summed)
    into = norm(2, summed) if norm_first else x
    inner = F.linear(into, weights["linear1.weight"], weights["linear1.bias"])
    made = F.linear(inner.relu(), weights["linear2.weight"], weights["linear2.bias"])
    found = {
        "src": src,
        "norm1(src)": norm(1, src),
        "norm2(src)": norm(2, src),
        "attention": attended,
        **both,
        "src + attention": summed,
        "norm1(src) + attention": norm(1, src) + attended,
        "norm1(src + attention)": norm(1, summed),
        "norm2(src + attention)": norm(2, summed),
        "norm1(attention)": norm(1, attended),
        "norm2(attention)": norm(2, attended),
        "src + norm1(attention)": src + norm(1, attended),
        "hidden": inner,
        "relu": inner.relu(),
        "network": made,
        "x + network": x + made,
        "src + network": src + made,
        "into + network": into + made,
        "norm2(network)": norm(2, made),
        "norm2(x + network)": norm(2, x + made),
        "norm1(x + network)": norm(1, x + made),
        "x + norm2(network)": x + norm(2, made),
    }
    found["relu first"] = into.relu()
    found |= {name: getattr(F, name)(inner) for name in _ACTIVATIONS}
    found |= {"tanh-gelu": F.gelu(inner, approximate="tanh"), "abs": inner.abs()}
    return found | {name: made for name, made in _composed(found, norm) if name not in found}


_ATOMS = (
    "src",
    "norm1(src)",
    "norm2(src)",
    "attention",
    "attention of src",
    "attention of norm1(src)",
    "src + attention",
    "norm1(src + attention)",
    "norm2(src + attention)",
    "network",
    "x + network",
)


def _composed(
    known: Mapping[str, Tensor], norm: Callable[[int, Tensor], Tensor]
) -> Iterator[tuple[str, Tensor]]:
    """What the two norms, a ReLU and sums make of the quantities, under their own words."""
    for name in _ATOMS:
        yield f"norm1 of {words(name)}", norm(1, known[name])
        yield f"norm2 of {words(name)}", norm(2, known[name])
        yield f"the ReLU of {words(name)}", known[name].relu()
    for one, other in itertools.combinations_with_replacement(_ATOMS, 2):
        both = f"the sum of two things ({words(one)}; {words(other)})"
        summed = known[one] + known[other]
        yield both, summed
        yield f"norm1 of {both}", norm(1, summed)
        yield f"norm2 of {both}", norm(2, summed)


def _attended(x: Tensor, args: tuple[Any, ...]) -> Tensor:
    d_model, nhead, _, _, _, _, mask, padding, weights = args[:9]
    with torch.random.fork_rng(devices=()):
        attention = nn.MultiheadAttention(d_model, nhead, batch_first=True).to(x.dtype).eval()
    own = {name: value for name, value in weights.items() if name.startswith("self_attn.")}
    attention.load_state_dict({name.removeprefix("self_attn."): own[name] for name in own})
    masks = {"attn_mask": mask, "key_padding_mask": padding}
    attended: Tensor = attention(x, x, x, **masks, need_weights=False)[0]
    return attended.detach()


_ACTIVATIONS = {
    "gelu": "GELU",
    "silu": "SiLU",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "relu6": "ReLU6",
    "softplus": "softplus",
}
_WORDS = {
    "src": "`src` itself",
    "norm1(src)": "`norm1(src)`",
    "norm2(src)": "`norm2(src)`",
    "attention": "the attention's output alone, without the sum",
    "attention of src": "the attention's output, made of src without its norm",
    "attention of norm1(src)": "the attention's output, made of norm1(src)",
    "src + attention": "the sum of src and the attention's output, without a norm",
    "norm1(src) + attention": "the sum of norm1(src) and the attention's output",
    "norm1(src + attention)": "norm1 of the sum of src and the attention's output",
    "norm2(src + attention)": "norm2 of the sum of src and the attention's output",
    "norm1(attention)": "norm1 of the attention's output alone, without the sum",
    "norm2(attention)": "norm2 of the attention's output alone, without the sum",
    "src + norm1(attention)": "the sum of src and norm1 of the attention's output",
    "hidden": "linear1's output without an activation",
    "relu": "the ReLU of linear1's output",
    "network": "linear2's output alone, without the sum",
    "x + network": "the sum of the first half's result and linear2's output",
    "src + network": "the sum of src and linear2's output, without what the attention has made",
    "into + network": "the sum of linear2's output and what went into linear1",
    "norm2(network)": "norm2 of linear2's output alone, without the sum",
    "norm2(x + network)": "norm2 of the sum of the first half's result and linear2's output",
    "norm1(x + network)": "norm1, and not norm2, of the sum with linear2's output",
    "x + norm2(network)": "the sum of the first half's result and norm2 of linear2's output",
    "relu first": "the ReLU of what it should get",
    "abs": "the absolute value of linear1's output",
    "tanh-gelu": "the GELU (tanh) of linear1's output",
}


def words(name: str) -> str:
    """A quantity's name in a sentence."""
    if name in _ACTIVATIONS:
        return f"the {_ACTIVATIONS[name]} of linear1's output"
    return _WORDS.get(name, name)


def name_of(given: Any, known: dict[str, Tensor], but: str = "") -> str:
    """The words for a tensor that is one of the known quantities; empty where it is none."""
    if not isinstance(given, Tensor):
        return f"no tensor ({type(given).__name__})"
    return next((words(n) for n, t in known.items() if n != but and same(given, t)), "")


def same(given: Tensor, right: Tensor) -> bool:
    """Equal, be it with the batch or the length first."""
    ways = [given, given.transpose(0, 1)] if given.dim() == 3 else [given]
    return any(
        way.shape == right.shape and torch.allclose(way.detach().to(right.dtype), right, 1e-6, 1e-7)
        for way in ways
    )
