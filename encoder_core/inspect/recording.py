"""Looking inside: record every layer's attention, hidden states and shapes, on every path.

It is done from outside, by a context manager, on any model that is made of this package's
`MultiheadAttention`. While none is active a model computes exactly as without this file, and a copy
of the model, or a file, that is made within a `record` is not recorded. What
changes a model from outside (`attention_function`, `ablate`, `patch`) can be imported from here
too; it lives in `interventions.py`.

Source: `torch.nn.Module.register_forward_hook`; Vig 2019, "A Multiscale Visualization of Attention
in the Transformer Model" (what is recorded there of every layer and head).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.utils.hooks import RemovableHandle

from encoder_core.inspect.interventions import ablate, attention_function, attentions_of, patch

_Note = Callable[[nn.Module, Any, Any, Any], None]  # module, arguments, named ones, output

__all__ = ["Recording", "ablate", "attention_function", "patch", "record"]


@dataclass
class Recording:
    """What a model computed in its last call within `record`.

    Tensors are as the model made them: on its device, part of the graph where gradients are on.
    Weights are those before dropout. Rows of padding mean nothing.

    Attributes:
        names: the attentions' names in the model, in the order of the lists below.
        attention: each attention's weights, `(B, H, L, S)`.
        heads: each attention's outputs by head, before they are projected back, `(B, H, L, Dh)`.
        hidden_states: what goes into the first layer, then what comes out of each, `(B, S, D)`; of
            the encoder, where a model has a decoder too (record the decoder for its own).
        shapes: with `record(model, shapes=True)`, for each module called: its name, the shape of
            its first argument and that of its result (None where that is no tensor).

    >>> Recording().attention
    []
    """

    names: list[str] = field(default_factory=list)
    attention: list[Tensor] = field(default_factory=list)
    heads: list[Tensor] = field(default_factory=list)
    hidden_states: list[Tensor] = field(default_factory=list)
    shapes: list[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None]] = field(
        default_factory=list
    )

    _inside: bool = field(default=False, repr=False)  # of the model's own forward

    def clear(self, inside: bool = False) -> None:
        """Forget everything, ready for the next call.

        >>> Recording(names=["a"]).clear()
        """
        self._inside = inside
        for kept in (self.names, self.attention, self.heads, self.hidden_states, self.shapes):
            kept.clear()

    def leave(self) -> None:
        """Note that the model's call has ended; what comes now belongs to another.

        >>> Recording().leave()
        """
        self._inside = False

    def note(self, name: str, heads: Tensor, weights: Tensor) -> None:
        """Keep what one attention computed. Parts of a model may be called without the whole.

        >>> Recording().note("self_attn", heads=Tensor(), weights=Tensor())
        """
        if name in self.names and not self._inside:
            self.clear()
        self.names.append(name)
        self.heads.append(heads)
        self.attention.append(weights)


def _layers(model: nn.Module) -> Iterable[nn.Module]:
    """Find the first stack of layers: the first module list called `layers`."""
    for name, module in model.named_modules():
        if name.split(".")[-1] == "layers" and isinstance(module, nn.ModuleList):
            return module
    return ()


@contextmanager
def record(model: nn.Module, *, shapes: bool = False) -> Iterator[Recording]:
    """Record a model's calls; the recording holds the last one.

    The weights are built for it by the explicit attention, or by the function that the model
    attends with; outputs agree with those of an unrecorded call to rounding.

    Args:
        model: any model with this package's `MultiheadAttention` inside.
        shapes: whether to note every module's shapes too.

    Yields:
        The `Recording`; it stays readable after the block.

    Raises:
        ValueError: the model has no such attention.
        TypeError: in a call, the attention function returns no weights.

    >>> from encoder_core.pretrained.minilm import load_minilm
    >>> model, tokenizer = load_minilm()
    >>> with record(model) as recording:
    ...     hidden = model(tokenizer.batch(["two words"]).ids)
    >>> len(recording.attention), recording.attention[0].shape, len(recording.hidden_states)
    (6, torch.Size([1, 12, 4, 4]), 7)
    """
    recording, attentions = Recording(), attentions_of(model)
    notes: dict[nn.Module, list[_Note]] = {model: []}
    for layer in dict.fromkeys(_layers(model)):  # one that stands in several places only once
        notes.setdefault(layer, []).append(partial(_note_hidden, recording))
    for name, module in model.named_modules() if shapes else []:
        notes.setdefault(module, []).append(partial(_note_shapes, recording, name))
    watchers = []
    try:
        for name, attention in attentions:
            watch = partial(recording.note, name)
            attention.watchers.append(watch)
            watchers.append((attention, watch))
        with _listen(model, recording, notes):
            yield recording
    finally:
        for attention, watch in watchers:
            attention.watchers.remove(watch)


class _InACopy:
    """Stands in a copy that was made during a recorded call where the hook was; leaves if called."""

    def __call__(self, module: nn.Module, *_: Any) -> None:
        kept = module._forward_hooks
        for number in [number for number, hook in kept.items() if hook is self]:
            for hooks in (kept, module._forward_hooks_with_kwargs):
                hooks.pop(number, None)
            module._forward_hooks_always_called.pop(number, None)


@dataclass(frozen=True)
class _ForOneCall:
    """A hook of which a copy, or a file, holds no more than that it was there."""

    after: _Note

    def __call__(self, module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        self.after(module, inputs, named, output)

    def __reduce__(self) -> tuple[Any, ...]:
        return _InACopy, ()


@contextmanager
def _listen(
    model: nn.Module, recording: Recording, notes: dict[nn.Module, list[_Note]]
) -> Iterator[None]:
    """Take notes of the calls of some modules.

    One hook for all modules of the process gives a module its own for one call only: a hook that
    stayed in a module would go with every copy of it, and be there for ever.
    """
    under_way: dict[nn.Module, list[RemovableHandle]] = {}

    def before(module: nn.Module, _: Any) -> None:
        if module is model:
            recording.clear(inside=True)
        if module in notes:
            # Registered now, it is the last, and sees what other hooks made of the output.
            hook = _ForOneCall(after)
            handle = module.register_forward_hook(hook, with_kwargs=True, always_call=True)
            under_way.setdefault(module, []).append(handle)

    def after(module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        under_way[module].pop().remove()
        for note in notes[module] if output is not None else ():  # None: the call failed
            note(module, inputs, named, output)
        if module is model:
            recording.leave()

    everywhere = register_module_forward_pre_hook(before)
    try:
        yield
    finally:
        everywhere.remove()
        for handle in chain.from_iterable(under_way.values()):
            handle.remove()


def _note_hidden(recording: Recording, _: Any, inputs: Any, named: Any, output: Any) -> None:
    strategy = named.get("strategy")
    for state in (output,) if recording.hidden_states else (inputs[0], output):
        recording.hidden_states.append(state if strategy is None else strategy.unpack(state))


def _note_shapes(
    recording: Recording, name: str, _: nn.Module, inputs: Any, named: Any, output: Any
) -> None:
    first = output[0] if isinstance(output, tuple) else output
    came = tuple(inputs[0].shape) if inputs and isinstance(inputs[0], Tensor) else None
    left = tuple(first.shape) if isinstance(first, Tensor) else None
    recording.shapes.append((name, came, left))
