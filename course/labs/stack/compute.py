"""A text walks up a stack of layers, and a gradient walks down: what each layer makes of both.

Nothing here knows of widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from course.labs.attention.encoders import Tokens, embed_fresh, tokens_of
from course.labs.checkpoints import checkpoint
from course.labs.faults import InvalidSetting
from course.labs.stack.layers import stack_of
from course.labs.stack.own import LayerClass, Similarity, own_similarity, own_stack, own_step
from course.labs.stack.settings import LONGEST, Settings, check_settings
from course.system.threads import one_thread

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Walk:
    """What one encoder of N layers did with a text of S tokens.

    Attributes:
        name: which encoder.
        labels: the tokens.
        gradients: `(N,)`, of each layer's matrices together, the norm of the loss's gradient.
        similarity: `(N + 1,)`, the mean cosine of two different tokens: input, then each layer.
        norms: `(N + 1,)`, the mean length of a token's vector.
        cosines: `(N + 1, S, S)`, of every two tokens; NaN where the numbers overflowed.
        root: the root of d_model: the length that a layer norm gives each vector.
        differs: how far the learner's own similarity is from the mean of `cosines`; None where
            there is none of their own.
    """

    name: str
    labels: tuple[str, ...]
    gradients: Floats
    similarity: Floats
    norms: Floats
    cosines: Floats
    root: float
    differs: float | None = None

    @property
    def depth(self) -> int:
        """N, the number of layers."""
        return len(self.gradients)


def compute(
    settings: Settings,
    layer: LayerClass | None = None,
    similarity: Similarity | None = None,
) -> list[Walk]:
    """Send the text up the stack and a gradient down.

    The loss is the mean over the tokens of the last output times a random direction, one for each
    token; of a pre-norm stack, the output is normalised first, as its final norm does.

    Args:
        settings: what was set.
        layer: the learner's own layer class, in place of the reference; it has residuals and norms,
            so that it is not asked where one of them is off.
        similarity: the learner's own `token_similarity`.

    Returns:
        The fresh stack, and the pretrained encoder where it is asked for.

    Raises:
        InvalidSetting: the settings cannot be; the text says why.
        OwnFailed: what is the learner's own raised or returned something else.

    >>> (walk,) = compute(Settings("A cat.", depth=3, d_model=8, heads=2))
    >>> walk.gradients.shape, walk.similarity.shape, walk.cosines.shape
    ((3,), (4,), (4, 5, 5))
    """
    check_settings(settings)
    tokens = tokens_of(settings.text, "", 0, settings.checkpoint)
    if len(tokens.ids) > LONGEST:
        raise InvalidSetting(
            f"The text has {len(tokens.ids)} tokens; the lab draws at most {LONGEST}. "
            "Shorten it, and the picture follows."
        )
    walks = [_fresh(settings, tokens, layer, similarity)]
    if settings.minilm:
        walks.append(_pretrained(tokens, settings.checkpoint))
    return walks


def takes_own(settings: Settings) -> bool:
    """Whether a learner's own layer can be asked: it has residuals and norms, always."""
    return settings.residual and settings.layer_norm


def _fresh(
    settings: Settings, tokens: Tokens, layer: LayerClass | None, similarity: Similarity | None
) -> Walk:
    x = embed_fresh(tokens, settings.d_model, settings.seed)  # (1, S, D)
    with one_thread(), torch.random.fork_rng(devices=()):
        layers: Sequence[nn.Module]
        step: Callable[[nn.Module, Tensor, int], Tensor]
        if layer is not None and takes_own(settings):
            layers, step = own_stack(layer, settings), own_step
        else:
            layers, step = stack_of(settings), lambda module, state, _: module(state)
        # Of dropout, on the CPU; now, because layers that had to be made have drawn from it.
        torch.default_generator.manual_seed(settings.seed)
        states = _up(layers, x, step)
        normed = settings.norm_first and settings.layer_norm
        gradients = _down(layers, states[-1], normed)
    walk = _measure("this stack", tokens, states, gradients)
    if similarity is None:
        return walk
    own = own_similarity(similarity, torch.cat(states).detach()).numpy().astype(np.float32)
    with np.errstate(invalid="ignore"):
        apart = np.abs(own - walk.similarity)
    return replace(walk, similarity=own, differs=float(np.nanmax([0.0, *apart])))


@lru_cache(maxsize=4)
def _pretrained(tokens: Tokens, source: str) -> Walk:
    known = checkpoint(source)
    layers = known.layers()
    with one_thread():
        x = known.embed(tokens.ids, tokens.type_ids)  # (1, S, D)
        states = _up(layers, x, lambda module, state, _: module(state))
        gradients = _down(layers, states[-1], normed=known.pre_norm)
    return _measure(known.short, tokens, states, gradients)


def _up(
    layers: Sequence[nn.Module] | nn.ModuleList,
    x: Tensor,
    step: Callable[[nn.Module, Tensor, int], Tensor],
) -> list[Tensor]:
    """The input, then what comes out of each layer: N + 1 times `(1, S, D)`."""
    states = [x]
    with torch.enable_grad():
        for number, layer in enumerate(layers, 1):
            states.append(step(layer, states[-1], number))
    return states


def _down(layers: Sequence[nn.Module] | nn.ModuleList, output: Tensor, normed: bool) -> Tensor:
    """The norm of the loss's gradient for each layer's matrices together, `(N,)` float64."""
    generator = torch.Generator().manual_seed(0)
    direction = F.normalize(torch.randn(output.shape, generator=generator), dim=-1)  # (1, S, D)
    matrices = [[p for p in layer.parameters() if p.dim() == 2] for layer in layers]
    flat = [matrix for of_layer in matrices for matrix in of_layer]
    with torch.enable_grad():
        last = F.layer_norm(output, output.shape[-1:]) if normed else output
        loss = (last * direction).sum(-1).mean()
        slopes = iter(torch.autograd.grad(loss, flat, allow_unused=True))
    sizes = torch.zeros(len(matrices), dtype=torch.float64)
    for i, of_layer in enumerate(matrices):
        found = [slope for slope in (next(slopes) for _ in of_layer) if slope is not None]
        # float64: the squares of small gradients are nothing in float32
        norms = [torch.linalg.vector_norm(slope, dtype=torch.float64) for slope in found]
        sizes[i] = torch.stack(norms).square().sum().sqrt() if norms else 0.0
    return sizes


def _measure(name: str, tokens: Tokens, states: Sequence[Tensor], gradients: Tensor) -> Walk:
    hidden = torch.cat([state.detach() for state in states]).double()  # (N + 1, S, D)
    norms = hidden.norm(dim=-1)  # (N + 1, S)
    units = hidden / norms.clamp(min=1e-300)[..., None]
    cosines = units @ units.transpose(-2, -1)  # (N + 1, S, S)
    count = cosines.shape[-1]
    others = cosines.sum((-2, -1)) - cosines.diagonal(dim1=-2, dim2=-1).sum(-1)  # (N + 1,)
    return Walk(
        name=name,
        labels=tokens.labels,
        gradients=_numbers(gradients),
        similarity=_numbers(others / max(1, count * (count - 1))),
        norms=_numbers(norms.mean(-1)),
        cosines=_numbers(cosines),
        root=hidden.shape[-1] ** 0.5,
    )


def _numbers(tensor: Tensor) -> Floats:
    numbers: Floats = tensor.detach().numpy().astype(np.float32)
    return numbers
