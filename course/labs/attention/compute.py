"""From settings to arrays: what every head of every layer does with a text.

Nothing here knows of widgets. The attention function is the learner's own where there is one; it
is asked for plain scaled attention, and temperature and scaling act by changing the query
beforehand, so that they work with any function of that meaning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from course.labs.attention.encoders import Tokens, embed, end_of, layers_of, tokens_of
from course.labs.attention.own import Attention, check_result
from course.labs.attention.settings import Settings, check_settings
from course.labs.faults import OwnFailed
from course.system.threads import one_thread
from encoder_core.attention import scaled_dot_product_attention
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.inspect.recording import attention_function
from encoder_core.masks import causal_mask

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Arrays:
    """What the lab draws; N layers, H heads, L tokens, `Dh = D / H`.

    Attributes:
        tokens: the text as tokens.
        blocked: `(N, L, L)` bool, rows are queries, True where a query may not look: by the mask that
            is set, or because the layer has a window.
        query: `(N, H, L, Dh)`, before temperature and scaling.
        key: `(N, H, L, Dh)`.
        value: `(N, H, L, Dh)`.
        weights: `(N, H, L, L)`, as the attention function returned them.
        mixed: `(N, H, L, Dh)`, the weighted sums of the values, as it returned them.
        factor: what the products of query and key are multiplied with before the softmax.
        end: makes `hidden` and `hidden_all_on`, which no picture needs while all heads are on.
        off: `(layer, head)` of the heads that are switched off, those that this encoder has.
    """

    tokens: Tokens
    blocked: NDArray[np.bool_]
    query: Floats
    key: Floats
    value: Floats
    weights: Floats
    mixed: Floats
    factor: float
    end: Callable[[], tuple[Floats, Floats]] = field(repr=False, compare=False)
    off: tuple[tuple[int, int], ...] = ()

    @cached_property
    def _ends(self) -> tuple[Floats, Floats]:
        return self.end()

    @property
    def hidden(self) -> Floats:
        """`(L, D)`, what comes out of the last layer."""
        return self._ends[0]

    @property
    def hidden_all_on(self) -> Floats:
        """`(L, D)`, what would come out with no head switched off."""
        return self._ends[1]

    @property
    def layers(self) -> int:
        """N, the number of layers."""
        return int(self.weights.shape[0])

    @property
    def heads(self) -> int:
        """H, the number of heads."""
        return int(self.weights.shape[1])

    @property
    def head_dim(self) -> int:
        """Dh, the width of a head."""
        return int(self.value.shape[-1])


def compute(settings: Settings, attention: Attention = scaled_dot_product_attention) -> Arrays:
    """Send the text through the encoder and keep what every head did.

    Args:
        settings: what was set.
        attention: `(query, key, value, mask) -> (output, weights)`, called by position with
            `(1, H, L, Dh)` three times and a mask that is None or `(1, 1, L, L)`, True = blocked.

    Returns:
        The arrays, on the CPU.

    Raises:
        InvalidSetting: the settings cannot be; the text says why.
        OwnFailed: the attention function raised or returned something else.

    >>> compute(Settings("A cat.", encoder="fresh", heads=2, d_model=8)).weights.shape
    (2, 2, 5, 5)
    """
    check_settings(settings)
    tokens = tokens_of(settings.text, settings.pair, settings.padding, settings.checkpoint)
    blocked = blocked_by(settings, tokens)
    layers = layers_of(settings)
    head_dim = settings_head_dim(layers[0])
    factor = (1 / math.sqrt(head_dim) if settings.scaled else 1.0) / settings.temperature
    end = end_of(settings)
    mask = blocked[None, None].to(settings.device) if bool(blocked.any()) else None  # (1, 1, L, L)
    run = _Run(attention, mask, factor * math.sqrt(head_dim))
    with one_thread(), torch.no_grad():
        all_on = run.through(layers, embed(settings, tokens), 0, frozenset())
        heads = all_on[0].weights.shape[1]
        off = tuple(sorted((n, h) for n, h in settings.off if n < len(layers) and h < heads))
        steps = all_on
        if off:  # the layers before the first such head stay as they are
            first = off[0][0]
            again = run.through(layers[first:], all_on[first].x, first, frozenset(off))
            steps = all_on[:first] + again
    return Arrays(
        tokens=tokens,
        blocked=np.stack([step.blocked for step in steps]),
        factor=factor,
        end=lambda: (_output(layers[-1], steps[-1], end), _output(layers[-1], all_on[-1], end)),
        off=off,
        **{
            name: _numbers(torch.cat([getattr(step, name) for step in steps]))  # (N, H, L, ...)
            for name in ("query", "key", "value", "weights", "mixed")
        },
    )


def settings_head_dim(layer: nn.Module) -> int:
    """Dh of a layer: the width of one head."""
    return int(layer.self_attn.head_dim)  # type: ignore[union-attr, arg-type]


def blocked_by(settings: Settings, tokens: Tokens) -> Tensor:
    """The mask that is set, `(L, L)` bool on the CPU, True = blocked."""
    length = len(tokens.ids)
    if settings.mask == "causal":
        return causal_mask(length)
    if settings.mask == "painted":
        return torch.from_numpy(settings.painted.blocked(length))
    blocked = torch.zeros(length, length, dtype=torch.bool)
    if settings.mask == "padding":
        blocked[:, tokens.real :] = True
    return blocked


def _numbers(tensor: Tensor) -> Floats:
    return tensor.detach().to("cpu", torch.float32).numpy()


def _output(layer: nn.Module, step: _Step, end: nn.Module) -> Floats:
    """What the last layer, and what comes after it, make of what its heads did, `(L, D)`."""
    with one_thread(), torch.no_grad(), attention_function(layer, lambda *_: step.kept):
        return _numbers(end(layer(step.x))[0])


@dataclass(frozen=True)
class _Step:
    """One layer's input `(1, L, D)`, and what its heads did with it, `(1, H, L, ...)`.

    `kept` is `mixed` with zeros where a head is switched off; `blocked` is `(L, L)`.
    """

    x: Tensor
    query: Tensor
    key: Tensor
    value: Tensor
    weights: Tensor
    mixed: Tensor
    kept: Tensor
    blocked: NDArray[np.bool_]


@dataclass(frozen=True)
class _Run:
    """Layers run with one attention function, mask and scale of the query."""

    attention: Attention
    mask: Tensor | None
    scale: float

    def through(
        self, layers: Sequence[nn.Module], x: Tensor, number: int, off: frozenset[tuple[int, int]]
    ) -> list[_Step]:
        """Run layers from layer `number` on; heads in `off` add nothing to their layer.

        Of the last layer only the heads: what it makes of them, `_output` computes when asked.
        """
        steps: list[_Step] = []
        for layer in layers:
            silent = [head for at, head in sorted(off) if at == number]
            attend = partial(self._attend, steps, x, number, silent)
            plain = isinstance(layer, TransformerEncoderLayer) and not layer.norm_first
            if plain and len(steps) == len(layers) - 1:
                attend(*layer.self_attn.project(x, x, x))  # type: ignore[operator, union-attr]
            else:
                with attention_function(layer, attend):
                    x = layer(x)  # (1, L, D)
            number += 1
        return steps

    def _attend(
        self,
        steps: list[_Step],
        x: Tensor,
        number: int,
        silent: Sequence[int],
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        /,
    ) -> Tensor:
        """What the heads of layer `number` do with its input x, noted in `steps`."""
        blocked = self._blocked(mask)
        mixed, weights = self._ask(query, key, value, blocked, number)
        kept = mixed
        if silent:
            kept = mixed.clone()
            kept[:, list(silent)] = 0
        seen = (
            torch.zeros(weights.shape[-2:], dtype=torch.bool) if blocked is None else blocked[0, 0]
        )
        steps.append(_Step(x, query, key, value, weights, mixed, kept, seen.cpu().numpy()))
        return kept

    def _blocked(self, own: Tensor | None) -> Tensor | None:
        """The mask that is set, with the layer's own: a window, in some layers of ModernBERT."""
        if own is None or self.mask is None:
            return self.mask if own is None else own.expand(1, 1, *own.shape[-2:])
        return own | self.mask

    def _ask(
        self, query: Tensor, key: Tensor, value: Tensor, blocked: Tensor | None, layer: int
    ) -> tuple[Tensor, Tensor]:
        """Call the attention function on copies, which it may change, and check what comes."""
        scaled = query * self.scale
        mask = None if blocked is None else blocked.clone()
        try:
            result = self.attention(scaled, key.clone(), value.clone(), mask)
        except Exception as error:
            told = str(error).split("\n")[0]
            text = f": {told}" if told else ""
            raise OwnFailed(
                f"Your attention raised {type(error).__name__} in layer {layer}{text}"
            ) from error
        return check_result(result, query, key, value)
