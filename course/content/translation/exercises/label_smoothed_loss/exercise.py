"""translation.label_smoothed_loss: the cross entropy against a target of which a little is spread over all tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import FULL, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "one sentence": "B = 1",
    "as many places as tokens in the vocabulary": "T = V",
    "as many sentences as places": "B = T",
}


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(
        says: str,
        sizes: tuple[int, int, int],
        lengths: list[int],
        smoothing: float,
        pad_id: int,
        *names: str,
        scale: float = 1.0,
        first: bool = False,
        likeliest: bool = False,
        **more: Any,
    ) -> Case:
        """`lengths` are the numbers of real tokens; padding comes last, or `first`."""
        batch, length, words = sizes
        logits = scale * draw.normal(*sizes)
        targets = torch.randint(words - 1, (batch, length), generator=draw.generator)
        if likeliest:
            targets = logits[..., 1:].argmax(dim=-1)
        targets += targets >= pad_id  # no real token is pad_id
        padding = torch.arange(length) >= torch.tensor(lengths)[:, None]
        padding = padding.flip(1) if first else padding
        targets[padding] = pad_id
        named = dict(zip("BTV", sizes, strict=True))
        names = (*names, *holding(_OF_SIZES, named))
        names = (*names, "padding" if padding.any() else "no padding")
        names = (*names, *(["a smoothing of 0"] if smoothing == 0 else []))
        names = (*names, *(["a smoothing of 1"] if smoothing == 1 else []))
        names = (*names, *(["a sentence that is all padding"] if 0 in lengths else []))
        if padding.any():
            changed = logits.masked_fill(padding.unsqueeze(-1), 3.0)
            other = (changed, targets, smoothing, pad_id)
            more["same"] = [("the logits at the padding were changed", other)]
        return Case((logits, targets, smoothing, pad_id), says, named, tags(*names), **more)

    far = "large logits"
    return [
        case("one sentence of 2 tokens, 3 words, smoothing 0.1", (1, 2, 3), [2], 0.1, 0),
        case("2 sentences of 4 and 2 tokens, smoothing 0.1", (2, 4, 6), [4, 2], 0.1, 0),
        case("3 sentences of 5, 1 and 3 tokens, smoothing 0.3", (3, 5, 7), [5, 1, 3], 0.3, 0),
        case("no padding, smoothing 0.2", (2, 3, 5), [3, 3], 0.2, 1),
        case("no smoothing", (2, 4, 5), [3, 2], 0.0, 0),
        case("no smoothing and no padding", (2, 3, 4), [3, 3], 0.0, 3),
        case("all of it smoothing", (2, 3, 5), [3, 1], 1.0, 0),
        case("smoothing 0.9", (2, 5, 4), [4, 2], 0.9, 0),
        case("a pad_id in the middle of the vocabulary", (3, 4, 6), [2, 4, 1], 0.1, 3, "a pad_id that is not 0"),
        case("a pad_id at the vocabulary's end", (2, 5, 4), [3, 5], 0.25, 3, "a pad_id that is not 0"),
        case("padding first", (2, 4, 5), [3, 1], 0.1, 0, "padding first", first=True),
        case("a sentence that is all padding", (3, 4, 5), [2, 0, 3], 0.1, 0),
        case("as many places as tokens", (2, 5, 5), [5, 2], 0.1, 0),
        case("as many sentences as places", (4, 4, 3), [4, 1, 3, 2], 0.1, 0),
        case("a single real token", (2, 3, 6), [0, 1], 0.1, 2, "a single real token"),
        case("logits in the hundreds", (2, 3, 5), [3, 1], 0.1, 0, far, scale=300.0, **FULL),
        case("logits in the hundreds, each target the likeliest, smoothing 1e-3", (2, 3, 5), [2, 3], 1e-3, 0,
             far, scale=300.0, likeliest=True, **FULL),
        case("4 sentences of up to 9 tokens, 40 words", (4, 9, 40), [9, 3, 6, 1], 0.1, 0),
    ]  # fmt: skip


def _each(logits: Tensor, targets: Tensor, smoothing: float, pad_id: int) -> Tensor:
    """The loss at each place, padding included, (B, T)."""
    log_p = logits.log_softmax(-1)
    nll = -log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return (1 - smoothing) * nll - smoothing * log_p.mean(-1)


def _over(count: int, logits: Tensor, targets: Tensor, smoothing: float, pad_id: int) -> Tensor:
    return _each(logits, targets, smoothing, pad_id)[targets != pad_id].sum() / count


def _mean(logits: Tensor, targets: Tensor, smoothing: float, pad_id: int) -> Tensor:
    return _each(logits, targets, smoothing, pad_id)[targets != pad_id].mean()


def _share(others: int, logits: Tensor, targets: Tensor, smoothing: float, pad_id: int) -> Tensor:
    """The loss where the smoothed share is spread over all tokens but the target and `others` more."""
    log_p = logits.log_softmax(-1)
    target = log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    rest = log_p.sum(-1) - target
    if others:
        rest = rest - log_p[..., pad_id]
    each = -(1 - smoothing) * target - smoothing * rest / (logits.shape[-1] - 1 - others)
    return each[targets != pad_id].mean()


EXERCISE = Exercise(
    id="translation.label_smoothed_loss",
    signature="(logits, targets, smoothing, pad_id)",
    minutes=12,
    difficulty=1,
    cases=_cases,
    landmarks=(
        Landmark("the sum over the tokens, not their mean", lambda *a: _over(1, *a)),
        Landmark("the sum divided by the number of sentences", lambda *a: _over(len(a[1]), *a)),
        Landmark(
            "the mean over all places, padding included", lambda *a: _each(*a).mean()
        ),
        Landmark(
            "the sum over the real tokens divided by the number of all places",
            lambda *a: _over(a[1].numel(), *a),
        ),
        Landmark(
            "the loss without smoothing", lambda x, y, smoothing, pad: _mean(x, y, 0.0, pad)
        ),
        Landmark(
            "the loss with smoothing and 1 - smoothing exchanged",
            lambda x, y, smoothing, pad: _mean(x, y, 1 - smoothing, pad),
        ),
        Landmark(
            "the loss whose smoothed share is spread over all tokens but the target",
            lambda *a: _share(0, *a),
        ),
        Landmark(
            "the loss whose smoothed share is spread over all tokens but the target and the padding",
            lambda *a: _share(1, *a),
        ),
        Landmark("the loss with its sign turned round", lambda *a: -_mean(*a)),
        Landmark("the exponential of the loss", lambda *a: _mean(*a).exp()),
        Landmark(
            "the loss of a softmax of the softmax (`log_softmax` takes logits, not probabilities)",
            lambda x, *a: _mean(x.softmax(-1), *a),
        ),
    ),
    axes=((),),
)  # fmt: skip
