"""The attention lab's picture in words: for screen readers, and for places without a front end."""

from __future__ import annotations

import numpy as np

from course.labs.attention.compute import Arrays
from course.labs.attention.measures import changes, row_steps
from course.labs.attention.settings import Selection, Settings
from course.labs.checkpoints import checkpoint
from course.labs.quoting import quoted

ALIKE = 1e-3  # weights further than this from the softmax of the scores are told of


def summary(arrays: Arrays, chosen: Selection) -> str:
    """What the picture shows, in a few sentences.

    Args:
        arrays: what was computed.
        chosen: a selection within it.
    """
    sentences = [looks(arrays, chosen), cell(arrays, chosen), *differs(arrays, chosen)]
    if arrays.off:
        sentences.append(effect(arrays))
    return " ".join(sentences)


def looks(arrays: Arrays, chosen: Selection) -> str:
    """Whom the chosen query looks at most."""
    labels = arrays.tokens.labels
    row = arrays.weights[chosen.layer, chosen.head, chosen.query]  # (L,)
    place = f"Layer {chosen.layer}, head {chosen.head}:"
    query = f"{quoted(labels[chosen.query])} (position {chosen.query})"
    if not row.any():
        return f"{place} {query} may look at nothing, so its weights and its output are zeros."
    first, *others = [
        f"{quoted(labels[i])} ({row[i]:.2f})"
        for i in np.argsort(-row, kind="stable")[:3]
        if row[i] > 0
    ]
    then = f", then at {' and '.join(others)}" if others else ""
    return f"{place} {query} looks most at {first}{then}."


def cell(arrays: Arrays, chosen: Selection) -> str:
    """What becomes of the chosen query and key."""
    product, scaled, masked, weight = row_steps(arrays, chosen)[chosen.key, :4]
    key = arrays.tokens.labels[chosen.key]
    if masked == -np.inf:
        return f"Its key {quoted(key)} is blocked."
    sentence = (
        f"With the key {{}} its product is {product:.2f}, divided by {1 / arrays.factor:.3g} "
        f"it is {scaled:.2f}, and after the softmax the weight is {weight:.3f}."
    )
    return sentence.replace("-", "−").format(quoted(key))


def differs(arrays: Arrays, chosen: Selection) -> list[str]:
    """A sentence where the weights are not the softmax of the scores, as they should be."""
    masked = row_steps(arrays, chosen)[:-1, 2].astype(np.float64)
    if not np.isfinite(masked).any():
        expected = np.zeros_like(masked)
    else:
        powers = np.exp(masked - masked.max())
        expected = powers / powers.sum()
    given = arrays.weights[chosen.layer, chosen.head, chosen.query]
    distance = float(np.abs(given - expected).max())
    if distance < ALIKE:
        return []
    return [
        "Note: the weights that this attention gave are not the softmax of these scores; the "
        f"largest difference in this row is {distance:.2f}."
    ]


def effect(arrays: Arrays) -> str:
    """What the heads that are switched off change in the output."""
    names = ", ".join(f"layer {layer} head {head}" for layer, head in arrays.off)
    cosine, moved = changes(arrays)[: arrays.tokens.real].T
    most = int(moved.argmax())
    return (
        f"Switched off: {names}. The output vector of {quoted(arrays.tokens.labels[most])} moves most, "
        f"by {moved[most]:.0%} of its length (cosine with before {cosine[most]:.3f}); the mean "
        f"over the tokens is {moved.mean():.0%}."
    )


def title(settings: Settings, attention: str | None) -> str:
    """Which encoder, mask and attention the picture is of; `attention` names the one given."""
    if settings.encoder == "pretrained":
        encoder = f"the pretrained {checkpoint(settings.checkpoint).name}"
    else:
        encoder = (
            f"a fresh encoder (heads {settings.heads}, d_model {settings.d_model}, "
            f"layers {settings.layers}, seed {settings.seed})"
        )
    parts = [f"Every head of {encoder}"]
    parts.append(f"mask: {settings.mask}")
    if settings.temperature != 1 or not settings.scaled:
        scaled = "" if settings.scaled else ", not scaled by the root of d_k"
        parts.append(f"temperature {settings.temperature:g}{scaled}")
    if attention is not None:
        parts.append(f"computed by {attention}")
    return "; ".join(parts) + "."
