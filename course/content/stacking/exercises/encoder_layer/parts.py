"""What each part of an encoder layer is given: where an answer first leaves the right way.

An answer that no listed mistake explains is run once more, and what goes into its modules is held
against what should. What goes in wrongly is looked up among the quantities that a layer computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course.checking.exercise import Case
from course.checking.exercise.wording import times
from course.content.stacking.exercises.encoder_layer.names import name_of, quantities, same, words

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
    # At a small rate one more call may drop the same few numbers.
    if any(_differs(result, _calls(layer, src, mask, padding)[1]) for _ in range(6)):
        return [
            "in evaluation mode it gives something else at each call: something is still dropped. An "
            "nn.Dropout that was made in `__init__` knows the mode; one that is made in `forward` is always in "
            "training mode, and F.dropout has to be told `training=self.training`"
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
        said = _of_part(part, wanted, calls[part], known, args)
        if not said and part == "self_attn":
            said = _of_attention(calls[part][0], args, known)
        if said:
            return [*idle, said]
    last = "x + network" if norm_first else "norm2(x + network)"
    name = name_of(result, known, but=last)
    if not name and norm_first and isinstance(result, Tensor) and not same(result, known[last]):
        name = _nearly(result, last, known, args)
    if name:
        return [*idle, f"what is returned is {name}, and should be {words(last)}"]
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


def _of_part(
    part: str, wanted: str, calls: list[Call], known: dict[str, Tensor], args: tuple[Any, ...]
) -> str:
    """What is wrong with the calls of one part; empty where nothing is."""
    if len(calls) > 1:
        return f"`self.{part}` is called {len(calls)} times; each part of a layer is called once"
    for role, given in zip(_ATTENTION, calls[0].inputs, strict=False):
        if same(given, known[wanted]):
            continue
        name = name_of(given, known) or _nearly(given, wanted, known, args) or "something else"
        as_role = f" as {role}" if part == "self_attn" and len(calls[0].inputs) > 1 else ""
        lost = wanted == "src + attention" and same(given, known["src"])
        end = ": what the attention returns is added nowhere" if lost else ""
        return f"`self.{part}` gets {name}{as_role}, and should get {words(wanted)}{end}"
    return ""


def _nearly(given: Tensor, wanted: str, known: dict[str, Tensor], args: tuple[Any, ...]) -> str:
    """What is right but for some rows, or for factors; empty where it is neither."""
    right, padding = known[wanted], args[7]
    if given.shape != right.shape:
        return ""
    rows = ~torch.isclose(given.detach().to(right.dtype), right, 1e-6, 1e-7).all(-1)  # (B, S)
    if padding is not None and not bool((rows & ~padding).any()):
        return "something else in the rows of padding (nobody looks at them, and they stay as they are)"
    if _right_elsewhere(given, args, right):
        return "something else in the rows of tokens that may look at nothing (out_proj's bias stays there)"
    often = times(given.detach(), right, {})
    if often:
        return f"what it should, {often}"
    first = "src" if wanted == "src + attention" else _first_half(args[4])
    second = {"src + attention": "attention", "x + network": "network"}.get(wanted)
    if second is None:
        return ""
    parts = torch.stack((known[first].flatten(), known[second].flatten()), -1)
    found = torch.linalg.lstsq(parts, given.detach().to(right.dtype).reshape(-1, 1)).solution
    if not same((parts @ found).reshape(right.shape), given):
        return ""
    one, other = found.flatten().tolist()
    return f"{one:.3g} times {words(first)}, plus {other:.3g} times {words(second)}"


def _first_half(norm_first: bool) -> str:
    return "src + attention" if norm_first else "norm1(src + attention)"


def _of_attention(call: Call, args: tuple[Any, ...], known: dict[str, Tensor]) -> str:
    """What is wrong with an attention that gets the right x."""
    mask, padding = args[6:8]
    output = call.output[0] if isinstance(call.output, tuple) else call.output
    if isinstance(output, Tensor) and same(output, known["attention"]):
        return ""
    if mask is None and padding is None and call.masks.get("attn_mask") is not None:
        return "`self.self_attn` is given a mask where none has come"
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
        if right is not None and given.dtype is torch.bool and given.shape == right.shape:
            more, less = bool((given & ~right).any()), bool((right & ~given).any())
            if more or less:
                how = "more" if not less else "less" if not more else "elsewhere"
                return (
                    f"`self.self_attn` is given another mask than {name}: it blocks {how}. Hand on the mask "
                    "that has come"
                )
        if given.is_floating_point():
            return (
                f"`self.self_attn` is given {argument} as numbers, which are added to the scores: "
                "0 lets through and -inf blocks; a bool mask says it with True"
            )
    if call.masks.get("is_causal"):
        return (
            "`self.self_attn` is told `is_causal`: torch may then block the future and not look at the mask "
            "that has come"
        )
    right = "`self.self_attn` gets the right x and gives something else than it should"
    if isinstance(output, Tensor) and _right_elsewhere(output, args, known["attention"]):
        asked = call.masks.get("need_weights", True)
        why = (
            "asked for weights (as it is unless told `need_weights=False`) it gives NaN there, and "
            "without them out_proj's bias"
        )
        return f"{right} where a token may look at nothing{': ' + why if asked else ''}"
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
    return same(output.masked_fill(idle, 0.0), wanted.masked_fill(idle, 0.0))


def _differs(one: Any, other: Any) -> bool:
    both = isinstance(one, Tensor) and isinstance(other, Tensor) and one.shape == other.shape
    return both and not torch.allclose(one, other, 1e-6, 1e-7, equal_nan=True)


def chosen(cases: Sequence[Case]) -> list[Case]:
    """Of each form, the smallest case in evaluation that can tell the batch from the length."""
    found: dict[bool, Case] = {}
    for case in cases:
        apart = case.sizes["B"] != case.sizes["S"] and case.sizes["H"] > 1
        if case.summary is None and not case.args[9] and apart:
            found.setdefault(bool(case.args[4]), case)
    return list(found.values())
