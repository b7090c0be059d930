"""Record every layer's attention, hidden states and shapes.

`record` works from outside, on any model built from this package's `MultiheadAttention`. Outside of
the block a model computes exactly as without it, and a copy or a file made inside the block does not
record. A recording holds what its own thread runs: a training of the same model in another thread, or
in a forked child, computes as without it. The context managers of `interventions.py` can be imported
from here too.

Source: `torch.nn.Module.register_forward_hook`; Vig 2019, "A Multiscale Visualization of Attention
in the Transformer Model" (which records the weights of every layer and head).
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
from encoder_core.watching import this_thread

_Note = Callable[[nn.Module, Any, Any, Any], None]  # module, args, kwargs, output

__all__ = ["Recording", "ablate", "attention_function", "patch", "record"]


@dataclass
class Recording:
    """What a model computed in its last call inside `record`.

    Tensors are on the model's device, and part of the graph if gradients are enabled. Values at
    padding are meaningless.

    Attributes:
        names: the attentions' names in the model, in the order of the lists below.
        attention: weights of each attention before dropout, `(B, H, L, S)`.
        heads: head outputs of each attention before the output projection, `(B, H, L, Dh)`.
        hidden_states: input of the first layer, then the output of each, `(B, S, D)`. Of the encoder,
            if the model has a decoder too; record the decoder for its own.
        shapes: with `record(model, shapes=True)`, for each called module its name and the shapes of
            its first argument and of its result (None if not a tensor).
    """

    names: list[str] = field(default_factory=list)
    attention: list[Tensor] = field(default_factory=list)
    heads: list[Tensor] = field(default_factory=list)
    hidden_states: list[Tensor] = field(default_factory=list)
    shapes: list[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None]] = field(
        default_factory=list
    )

    _inside: bool = field(default=False, repr=False)  # the model's own forward

    def clear(self, inside: bool = False) -> None:
        """Drop everything recorded, before the next call."""
        self._inside = inside
        for kept in (self.names, self.attention, self.heads, self.hidden_states, self.shapes):
            kept.clear()

    def leave(self) -> None:
        """Mark the end of the model's call; what is recorded next belongs to another."""
        self._inside = False

    def note(self, name: str, heads: Tensor, weights: Tensor) -> None:
        """Keep what one attention computed. Parts of a model may be called without the whole."""
        if name in self.names and not self._inside:
            self.clear()
        self.names.append(name)
        self.heads.append(heads)
        self.attention.append(weights)


def _layers(model: nn.Module) -> Iterable[nn.Module]:
    """Return the first module list called `layers`."""
    for name, module in model.named_modules():
        if name.split(".")[-1] == "layers" and isinstance(module, nn.ModuleList):
            return module
    return ()


@contextmanager
def record(model: nn.Module, *, shapes: bool = False) -> Iterator[Recording]:
    """Record a model's calls; the recording holds the last one, and stays readable after the block.

    To have the weights, attention is computed explicitly instead of fused: outputs agree with those of
    an unrecorded call to rounding. `shapes=True` records the shapes of every module too.

    Raises:
        ValueError: the model has no `MultiheadAttention`.
        TypeError: in a call, a replaced attention function returns no weights.

    >>> from encoder_core.pretrained.minilm import load_minilm
    >>> model, tokenizer = load_minilm()
    >>> with record(model) as recording:
    ...     hidden = model(tokenizer.batch(["two words"]).ids)
    >>> len(recording.attention), recording.attention[0].shape, len(recording.hidden_states)
    (6, torch.Size([1, 12, 4, 4]), 7)
    """
    recording, attentions = Recording(), attentions_of(model)
    notes: dict[nn.Module, list[_Note]] = {model: []}
    for layer in dict.fromkeys(_layers(model)):  # a shared layer once
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
    """Takes the hook's place in a copy made during a recorded call; removes itself when called."""

    def __call__(self, module: nn.Module, *_: Any) -> None:
        kept = module._forward_hooks
        for number in [number for number, hook in kept.items() if hook is self]:
            for hooks in (kept, module._forward_hooks_with_kwargs):
                hooks.pop(number, None)
            module._forward_hooks_always_called.pop(number, None)


@dataclass(frozen=True)
class _ForOneCall:
    """A hook that is pickled or copied as `_InACopy`."""

    after: _Note

    def __call__(self, module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        self.after(module, inputs, named, output)

    def __reduce__(self) -> tuple[Any, ...]:
        return _InACopy, ()


@contextmanager
def _listen(
    model: nn.Module, recording: Recording, notes: dict[nn.Module, list[_Note]]
) -> Iterator[None]:
    """Call `notes` after the forward of their modules.

    One global pre-hook gives each module a hook for one call only: a hook registered for the whole
    block would stay in every copy of the module.
    """
    under_way: dict[nn.Module, list[RemovableHandle]] = {}

    mine = this_thread()

    def before(module: nn.Module, _: Any) -> None:
        if this_thread() != mine:
            return
        if module is model:
            recording.clear(inside=True)
        if module in notes:
            # Registered last, so that it sees the output after all other hooks.
            hook = _ForOneCall(after)
            handle = module.register_forward_hook(hook, with_kwargs=True, always_call=True)
            under_way.setdefault(module, []).append(handle)

    def after(module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        if this_thread() != mine:  # another thread calls the module while this one does
            return
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
    given = tuple(inputs[0].shape) if inputs and isinstance(inputs[0], Tensor) else None
    returned = tuple(first.shape) if isinstance(first, Tensor) else None
    recording.shapes.append((name, given, returned))
