"""What each part of an encoder layer is given: where an answer first leaves the right way.

An answer that no listed mistake explains is run once more, and what goes into its modules is held
against what should. What goes in wrongly is looked up among the quantities that a layer computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.exercises.model import Case

_ATTENTION = ("query", "key", "value")


class Call(NamedTuple):
    """One call of a part: its floating inputs, its masks, its output."""

    inputs: tuple[Tensor, ...]
    masks: dict[str, Any]
    output: Any


def finds(layer: nn.Module, args: tuple[Any, ...]) -> list[str]:
    """What a layer with its weights loaded first does wrongly with its parts, in sentences."""
    norm_first, src, mask, padding = args[4:8]
    known = quantities(args)
    calls, result = _calls(layer, src, mask, padding)
    if _differs(result, _calls(layer, src, mask, padding)[1]):
        return [
            "in evaluation mode it gives something else at each call: something is still dropped. An "
            "nn.Dropout knows the mode; F.dropout has to be told `training=self.training`"
        ]
    made = _made_otherwise(layer, args)
    if made:
        return made
    way = _way(norm_first)
    # A part's weights may be used without it, so this alone is no fault.
    idle = [f"`self.{part}` is never called" for part, _ in way if part not in calls]
    for part, wanted in way:
        if part not in calls:
            continue
        said = _of_part(part, wanted, calls[part], known)
        if not said and part == "self_attn":
            said = _of_attention(calls[part][0], args, known)
        if said:
            return [*idle, said]
    last = "x + network" if norm_first else "norm2(x + network)"
    name = _name(result, known, but=last)
    if name:
        return [*idle, f"what is returned is {name}, and should be {_WORDS[last]}"]
    return idle or ["each part gets what it should: look at what is done after the last of them"]


def _made_otherwise(layer: Any, args: tuple[Any, ...]) -> list[str]:
    """What is not as in torch's layer where the parts are made, though the state dict fits."""
    said = [
        f"`self.{name}` has an eps of {norm.eps:g}; torch's layer, and so this one, has 1e-05"
        for name in ("norm1", "norm2")
        if isinstance(norm := getattr(layer, name, None), nn.LayerNorm) and norm.eps != 1e-5
    ]
    attention = getattr(layer, "self_attn", None)
    if isinstance(attention, nn.MultiheadAttention) and attention.num_heads != args[1]:
        said.append(f"`self.self_attn` has {attention.num_heads} heads where nhead is {args[1]}")
    return said


def quantities(args: tuple[Any, ...]) -> dict[str, Tensor]:
    """What a layer computes on its way, by name, right and wrong, all (B, S, ...)."""
    norm_first, src, _, _, weights = args[4:9]

    def norm(number: int, x: Tensor) -> Tensor:
        own = weights[f"norm{number}.weight"], weights[f"norm{number}.bias"]
        return F.layer_norm(x, x.shape[-1:], *own)

    attended = _attended(norm(1, src) if norm_first else src, args)
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
    return {**found, "tanh-gelu": F.gelu(inner, approximate="tanh"), "abs": inner.abs()}


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


def _way(norm_first: bool) -> list[tuple[str, str]]:
    """The parts in their order, with what each should be given."""
    if norm_first:
        return [
            ("norm1", "src"),
            ("self_attn", "norm1(src)"),
            ("norm2", "src + attention"),
            ("linear1", "norm2(src + attention)"),
            ("linear2", "relu"),
        ]
    return [
        ("self_attn", "src"),
        ("norm1", "src + attention"),
        ("linear1", "norm1(src + attention)"),
        ("linear2", "relu"),
        ("norm2", "x + network"),
    ]


def _calls(
    layer: nn.Module, src: Tensor, mask: Tensor | None, padding: Tensor | None
) -> tuple[dict[str, list[Call]], Any]:
    """All calls of the named parts in one forward pass, and its result."""
    calls: dict[str, list[Call]] = {}
    handles = []
    for part in dict(_way(True)):
        module = getattr(layer, part, None)
        if not isinstance(module, nn.Module):
            continue

        def note(_: Any, args: Any, named: dict[str, Any], output: Any, part: str = part) -> None:
            names = (*_ATTENTION, "key_padding_mask", "need_weights", "attn_mask")
            given = {**dict(zip(names, args, strict=False)), **named}
            inputs = [given[name] for name in _ATTENTION if isinstance(given.get(name), Tensor)]
            inputs = inputs or [arg for arg in named.values() if isinstance(arg, Tensor)]
            kept = tuple(tensor.detach().clone() for tensor in inputs)
            calls.setdefault(part, []).append(Call(kept, given, output))

        handles.append(module.register_forward_hook(note, with_kwargs=True))
    masks = {"src_mask": mask, "src_key_padding_mask": padding}
    try:
        with torch.enable_grad():  # without gradients torch's own layer goes past its parts
            result = layer(
                src, **{name: given for name, given in masks.items() if given is not None}
            )
    finally:
        for handle in handles:
            handle.remove()
    return calls, result


def _of_part(part: str, wanted: str, calls: list[Call], known: dict[str, Tensor]) -> str:
    """What is wrong with the calls of one part; empty where nothing is."""
    if len(calls) > 1:
        return f"`self.{part}` is called {len(calls)} times; each part of a layer is called once"
    for role, given in zip(_ATTENTION, calls[0].inputs, strict=False):
        if _same(given, known[wanted]):
            continue
        name = _name(given, known) or "something else"
        as_role = f" as {role}" if part == "self_attn" and len(calls[0].inputs) > 1 else ""
        return f"`self.{part}` gets {name}{as_role}, and should get {_words(wanted)}"
    return ""


def _of_attention(call: Call, args: tuple[Any, ...], known: dict[str, Tensor]) -> str:
    """What is wrong with an attention that gets the right x."""
    mask, padding = args[6:8]
    output = call.output[0] if isinstance(call.output, tuple) else call.output
    if isinstance(output, Tensor) and _same(output, known["attention"]):
        return ""
    for name, argument, right in (
        ("src_mask", "attn_mask", mask),
        ("src_key_padding_mask", "key_padding_mask", padding),
    ):
        given = call.masks.get(argument)
        if right is not None and given is None and call.masks.get("attn_mask") is None:
            return f"`self.self_attn` is not given {name}"
        if not isinstance(given, Tensor):
            continue
        if right is not None and given.dtype is torch.bool and torch.equal(given, ~right):
            return f"`self.self_attn` is given {name} turned round: True means blocked here"
        if given.is_floating_point():
            return (
                f"`self.self_attn` is given {argument} as numbers, which are added to the scores: "
                "0 lets through and -inf blocks; a bool mask says it with True"
            )
    right = "`self.self_attn` gets the right x and gives something else than it should"
    if isinstance(output, Tensor) and _right_elsewhere(output, args, known["attention"]):
        return (
            f"{right} where a token may look at nothing: asked for weights it gives NaN there, and "
            "without them out_proj's bias"
        )
    if mask is not None and padding is not None:
        return f"{right}: with two masks, what either of them blocks is blocked"
    return f"{right}: look at how it is made (nhead, batch_first) and at the masks that it is given"


def _right_elsewhere(output: Tensor, args: tuple[Any, ...], wanted: Tensor) -> bool:
    """Whether an attention's output is right but for the tokens that may look at nothing."""
    src, mask, padding = args[5:8]
    blocked = torch.zeros(len(src), src.shape[1], src.shape[1], dtype=torch.bool)
    blocked |= False if mask is None else mask
    blocked |= False if padding is None else padding.unsqueeze(1)
    idle = blocked.all(-1, keepdim=True)  # (B, S, 1)
    if output.shape != wanted.shape or not idle.any():
        return False
    return _same(output.masked_fill(idle, 0.0), wanted.masked_fill(idle, 0.0))


def _differs(one: Any, other: Any) -> bool:
    both = isinstance(one, Tensor) and isinstance(other, Tensor) and one.shape == other.shape
    return both and not torch.allclose(one, other, 1e-6, 1e-7, equal_nan=True)


def _words(name: str) -> str:
    return _WORDS.get(name, f"the {_ACTIVATIONS.get(name)} of linear1's output")


def _name(given: Any, known: dict[str, Tensor], but: str = "") -> str:
    """The words for a tensor that is one of the known quantities; empty where it is none."""
    if not isinstance(given, Tensor):
        return f"no tensor ({type(given).__name__})"
    return next((_words(n) for n, t in known.items() if n != but and _same(given, t)), "")


def _same(given: Tensor, right: Tensor) -> bool:
    """Equal, be it with the batch or the length first."""
    ways = [given, given.transpose(0, 1)] if given.dim() == 3 else [given]
    return any(
        way.shape == right.shape and torch.allclose(way.detach().to(right.dtype), right, 1e-6, 1e-7)
        for way in ways
    )


def chosen(cases: Sequence[Case]) -> list[Case]:
    """Of each form, the smallest case in evaluation that can tell the batch from the length."""
    found: dict[bool, Case] = {}
    for case in cases:
        apart = case.sizes["B"] != case.sizes["S"] and case.sizes["H"] > 1
        if case.summary is None and not case.args[9] and apart:
            found.setdefault(case.args[4], case)
    return list(found.values())
