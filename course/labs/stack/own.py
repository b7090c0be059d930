"""The learner's own layer and token similarity: how they are called, what is said when they fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course.labs.faults import OwnFailed
from course.labs.stack.layers import weights_of
from course.labs.stack.settings import Settings

LayerClass = Callable[..., Any]
Similarity = Callable[..., Any]


def own_stack(cls: LayerClass, settings: Settings) -> list[nn.Module]:
    """Build the learner's layers, give them the reference's weights.

    Args:
        cls: called as `cls(d_model, nhead, dim_feedforward, dropout=..., norm_first=...)`.
        settings: residuals and layer norms are on.

    Raises:
        OwnFailed: the class raised, gave no module, or does not take the weights.
    """
    made = _made_before(cls, settings)
    for number in range(settings.depth):
        if number == len(made):
            made.append(_make(cls, settings))
        try:
            made[number].load_state_dict(weights_of(settings, number))
        except Exception as error:
            raise OwnFailed(
                "Your layer does not take the weights of torch.nn.TransformerEncoderLayer: "
                f"{told(error, lines=2)}"
            ) from error
        made[number].train(settings.dropout > 0)
    return made[: settings.depth]


_MADE: list[tuple[LayerClass, tuple[Any, ...], list[nn.Module]]] = []


def _made_before(cls: LayerClass, settings: Settings) -> list[nn.Module]:
    """The layers of this class and form that there are already, for more to be added.

    Making twelve takes as long as a walk through them: torch draws weights for each, which are
    replaced at once. Only the last two forms are kept.
    """
    form = (settings.d_model, settings.heads, settings.dropout, settings.norm_first)
    for known, of_form, layers in _MADE:
        if known is cls and of_form == form:
            return layers
    _MADE.append((cls, form, []))
    del _MADE[:-2]
    return _MADE[-1][2]


def _make(cls: LayerClass, settings: Settings) -> nn.Module:
    sizes = (settings.d_model, settings.heads, 4 * settings.d_model)
    try:
        layer = cls(*sizes, dropout=settings.dropout, norm_first=settings.norm_first)
    except Exception as error:
        raise OwnFailed(f"Your layer could not be made: {told(error)}") from error
    if not isinstance(layer, nn.Module):
        raise OwnFailed(
            f"Your layer is of type {type(layer).__name__}; expected a torch.nn.Module."
        )
    return layer


def own_step(layer: nn.Module, x: Tensor, number: int) -> Tensor:
    """Call the learner's layer `number`, from 1, and check what comes.

    Raises:
        OwnFailed: it raised, or returned another type or shape.
    """
    try:
        output: Any = layer(x)
    except Exception as error:
        raise OwnFailed(f"Your layer raised in layer {number}: {told(error)}") from error
    if not isinstance(output, Tensor):
        raise OwnFailed(f"Your layer returned {type(output).__name__}; expected a tensor.")
    if output.shape != x.shape:
        raise OwnFailed(
            f"Your layer returned the shape {tuple(output.shape)}; expected that of its input, "
            f"{tuple(x.shape)}: batch, tokens, d_model."
        )
    return output


def own_similarity(function: Similarity, states: Tensor) -> Tensor:
    """Ask the learner's `token_similarity` about all states at once, as a batch.

    Args:
        function: `(hidden, padding_mask=None) -> (B,)`.
        states: `(N + 1, S, D)`.

    Returns:
        `(N + 1,)`.

    Raises:
        OwnFailed: it raised, or returned another type or shape.
    """
    try:
        result: Any = function(states.clone())
    except Exception as error:
        raise OwnFailed(f"Your token_similarity raised: {told(error)}") from error
    if not isinstance(result, Tensor) or tuple(result.shape) != (len(states),):
        what = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        raise OwnFailed(
            f"Your token_similarity returned {what}; expected one number a text: "
            f"{(len(states),)} for {tuple(states.shape)}."
        )
    return result.detach().to(torch.float64)


def told(error: Exception, lines: int = 1) -> str:
    """An error in a line: its type, and the first lines of what it says.

    >>> told(ValueError("no"))
    'ValueError: no.'
    """
    text = " ".join(line.strip() for line in str(error).strip().split("\n")[:lines])
    sentence = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
