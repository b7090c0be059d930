"""What the stack lab's picture shows, in words: what is to be seen, and what it means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course.labs.checkpoints import checkpoint
from course.labs.packing import as_read
from course.labs.quoting import quoted
from course.labs.stack.compute import Walk, takes_own
from course.labs.stack.settings import INITIALISATIONS, Selection, Settings

ALIKE = 0.99  # a mean cosine from which tokens are called all alike
FAR = 1e3  # a ratio of gradients from which they are said to vanish or explode
NEAR = 3.0  # and one up to which they are called level
SLOW = 4e8  # multiplications from which a picture may take longer than a blink
MANY = 7e5  # and weights from which drawing them may


def summary(walks: Sequence[Walk], chosen: Selection, settings: Settings) -> str:
    """What there is to see, in a few sentences.

    Args:
        walks: this stack first.
        chosen: a selection within them.
        settings: what was set.
    """
    walk = walks[0]
    sentences = [gradients(walk), similarity(walk), norms(walk, settings)]
    sentences += [beside(other) for other in walks[1:]]
    sentences += [pair(walks[chosen.encoder], chosen), *slow(walk, settings)]
    if walk.differs is not None and walk.differs > 1e-3:
        sentences.append(
            "Note: your token_similarity is not the mean cosine of two different tokens; it "
            f"differs by up to {walk.differs:.2f}."
        )
    return " ".join(filter(None, sentences))


def overflow(walk: Walk) -> int | None:
    """The first layer after which there are numbers too large for float32; None where none is."""
    over = np.flatnonzero(~np.isfinite(walk.norms))
    return int(over[0]) if len(over) else None


def gradients(walk: Walk) -> str:
    """How the first layer's gradient compares with the last's."""
    over = overflow(walk)
    if over is not None:
        return (
            f"After layer {over} there are numbers larger than float32 can hold (3.4e38): the "
            "lines end there, and there is no gradient to learn from."
        )
    first, last = float(walk.gradients[0]), float(walk.gradients[-1])
    if not np.isfinite(walk.gradients).all():
        return "Gradients: they overflow, and there is nothing to learn from."
    if max(first, last) < 1e-12:
        return (
            f"Gradients: next to nothing reaches any layer's weights ({_short(last)} at the last): "
            "this stack cannot learn."
        )
    if walk.depth == 1:
        return f"Gradients: with one layer there is nothing to compare; its norm is {_short(last)}."
    ratio = first / last if last else float("inf")
    if ratio > FAR:
        told = f"they explode on the way back: layer 1's is {_short(ratio)} times the last layer's"
    elif ratio < 1 / FAR:
        told = (
            f"they vanish on the way back: layer 1's is {_short(ratio)} of the last layer's, so "
            "that the first layers would hardly learn"
        )
    else:
        level = 1 / NEAR <= ratio <= NEAR
        told = f"layer 1's is {_short(ratio)} times the last layer's" + (", about level" * level)
    return f"Gradients: {told}."


def similarity(walk: Walk) -> str:
    """How alike the tokens become, and from where on they are all alike."""
    if len(walk.labels) < 2:
        return "There is but one token."
    known = walk.similarity[np.isfinite(walk.similarity)]
    told = (
        f"Tokens: the mean cosine of two different ones goes from {_cosine(known[0])} at the input to "
        f"{_cosine(known[-1])}"
    )
    alike = np.flatnonzero(known >= ALIKE)
    if len(alike) and (known[alike[0] :] >= ALIKE).all():
        return (
            f"{told}: from layer {alike[0]} on they are all alike, and what comes later can no longer "
            "tell them apart."
        )
    return f"{told}."


def norms(walk: Walk, settings: Settings) -> str:
    """What happens to the vectors' lengths, and why."""
    finite = walk.norms[np.isfinite(walk.norms)]
    told = f"Lengths: from {_short(finite[0])} to {_short(finite[-1])}"
    if settings.layer_norm and not settings.norm_first:
        return (
            f"{told}: each layer ends with a norm, which sets them to √d_model = {walk.root:.3g}."
        )
    if settings.layer_norm and settings.residual:
        return (
            f"{told}: each layer adds to the sum of those before it, and nothing shortens it until "
            "the final norm that a pre-norm stack ends with."
        )
    if not settings.layer_norm and not settings.residual:
        if settings.initialisation == "xavier":
            return (
                f"{told}: of what came in less is left with each layer, and the biases add theirs."
            )
        return f"{told}: whatever the weights do to a length, each layer does again."
    return f"{told}."


def beside(walk: Walk) -> str:
    """Another encoder in a sentence."""
    finite = walk.similarity[np.isfinite(walk.similarity)]
    ratio = walk.gradients[0] / walk.gradients[-1] if walk.gradients[-1] else np.nan
    first = f"layer 1's gradient is {_short(ratio)} times the last's, " if ratio == ratio else ""
    return (
        f"{walk.name[0].upper()}{walk.name[1:]} beside it: {first}and the cosine goes from "
        f"{_cosine(finite[0])} to {_cosine(finite[-1])}."
    )


def pair(walk: Walk, chosen: Selection) -> str:
    """The chosen pair of tokens."""
    cosine = walk.cosines[chosen.layer_shown, chosen.row, chosen.column]
    if not np.isfinite(cosine):
        return ""
    at = f"after layer {chosen.layer_shown}" if chosen.layer_shown else "at the input"
    row, column = walk.labels[chosen.row], walk.labels[chosen.column]
    return f"Chosen: {at}, {quoted(row)} and {quoted(column)} have the cosine {_cosine(as_read(cosine, 1.0), 3)}."


def slow(walk: Walk, settings: Settings) -> list[str]:
    """Sentences where a picture may come later than a key press feels."""
    told = []
    # 12 D² weights a layer, each multiplied once a token on the way up and twice on the way back.
    weights = 12 * settings.d_model**2 * settings.depth
    work = 3 * weights * len(walk.labels)
    if work >= SLOW:
        told.append(f"This size takes {work / 1e6:.0f} million multiplications: it may lag.")
    if weights >= MANY:
        told.append(f"A new seed draws {weights / 1e6:.1f} million weights, which takes a moment.")
    if settings.minilm:
        name = checkpoint(settings.checkpoint).short
        told.append(f"{name}'s gradients of a new text take a moment, too.")
    return [f"({' '.join(told)})"] if told else []


def title(settings: Settings, whose: str | None) -> str:
    """Which stack the picture is of; `whose` names the learner's own parts."""
    place = "pre-norm" if settings.norm_first else "post-norm"
    layers = "1 layer" if settings.depth == 1 else f"{settings.depth} layers"
    parts = [
        f"{layers}, d_model {settings.d_model}, {settings.heads} heads, "
        f"{place if settings.layer_norm else 'no layer norms'}, "
        f"{'with' if settings.residual else 'no'} residual connections",
        f"first weights: {INITIALISATIONS[settings.initialisation]}, seed {settings.seed}",
    ]
    if settings.dropout:
        parts.append(f"dropout {settings.dropout:g}")
    if whose:
        parts.append(f"computed with {whose}")
    return "; ".join(parts) + "."


def explain_unused(settings: Settings, name: str) -> str:
    """Why the picture is not computed with the learner's own layer; empty where it is."""
    if takes_own(settings):
        return ""
    return (
        f"{name} always has residual connections and layer norms: without one of them, the picture "
        "is computed with this course's layer."
    )


def _short(number: float) -> str:
    """A number with two or three digits, as a person writes it.

    >>> _short(0.000012), _short(123.4), _short(2.345), _short(4321.9)
    ('1.2e-05', '123', '2.35', '4,320')
    """
    if number == 0 or not np.isfinite(number):
        return f"{number:g}"
    size = abs(number)
    if size >= 1e4 or size < 1e-3:
        return f"{number:.1e}"
    if size >= 1e3:
        return f"{round(number, -1):,.0f}"
    return f"{number:.3g}"


def _cosine(number: float, digits: int = 2) -> str:
    """A cosine with a real minus, and no minus before zeros."""
    return f"{number:z.{digits}f}".replace("-", "−")
