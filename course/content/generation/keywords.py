"""The training of chapter 07: an encoder-decoder writes sentences of Python's documentation from keywords."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course import use
from course.content.generation.experiments import alone, baselines, measures, model, ordering, pairs
from course.content.generation.experiments import training as recipe
from course.datasets.python_docs import neighbour_vectors
from course.training import Answer, Settings, Training, first_looks, own_cross_attention
from course.training.own_parts import any_is_the_learners, fitting_positions, key_of, whose_parts
from encoder_core.generation.decoding import shift_right as standard_shift

__all__ = [
    "KINDS", "ORDERED", "SHOWN", "as_in_the_chapter", "keyword_sentences", "ordering_key", "plain_baselines",
    "probability", "sentences_alone",
]  # fmt: skip

# Keywords of held-out sentences, with the sentence.
SHOWN = (
    "Return a copy of the string with leading characters removed.",
    "The return value must be a string object.",
    "If the file does not exist, an exception is raised.",
    "This method returns the number of bytes written.",
    "The default is to use the value of the first argument.",
)


def keyword_sentences(
    layer: Callable[..., nn.Module] | None = None,
    shift_right: Callable[[Tensor, int], Tensor] | None = None,
    cross_attention: Callable[..., Tensor] | None = None,
    in_order: bool = True,
) -> Training:
    """Describe the training.

    Args:
        layer: a class of encoder layers, such as the learner's; `encoder_core`'s if None.
        shift_right: makes the decoder's input; `encoder_core`'s if None.
        cross_attention: the decoder's look at the memory; `encoder_core`'s if None.
        in_order: the keywords stand as in the sentence; else they are shuffled each time.
    """
    own = {"EncoderLayer": layer, "shift_right": shift_right, "cross_attention": cross_attention}
    settings = Settings(
        **recipe.SETTINGS,
        d_model=64,
        nhead=4,
        num_layers=2,
        dim_feedforward=128,
        dropout=0.05,
        positions=fitting_positions(layer),
        more={"near": True, "first_vectors": True, "copies": True},
    )
    return Training(
        name="generation.keywords" if in_order else "generation.shuffled_keywords",
        title="A small encoder-decoder writes Python's documentation from keywords",
        settings=settings,
        build=functools.partial(_build, layer, cross_attention),
        data=recipe.trained_on(),
        collate=functools.partial(recipe.collate, in_order=in_order),
        loss=functools.partial(recipe.loss, shift_right=shift_right or standard_shift),
        evaluate=functools.partial(recipe.evaluate, in_order=in_order),
        figure="bleu",
        baselines={
            name: found["bleu"] for name, found in plain_baselines(in_order=in_order).items()
        },
        test=functools.partial(recipe.evaluate, split="test", in_order=in_order),
        examples=answer_the_shown,
        parts=whose_parts(own),
        key=key_of(
            (first_looks, measures, model, neighbour_vectors, own_cross_attention, pairs, recipe),
            own.values(),
            json.dumps(pairs.pairs()).encode(),
        ),
        reference=functools.partial(_build, None, None) if any_is_the_learners(own) else None,
    )


def sentences_alone() -> Training:
    """Describe the same training of one causal encoder, which has no encoder beside it."""
    more = keyword_sentences()
    return Training(
        name="generation.alone",
        title="A decoder alone writes Python's documentation from keywords",
        settings=more.settings.changed(num_layers=alone.LAYERS),
        build=lambda settings: alone.build(),
        data=more.data,
        collate=alone.collate,
        loss=alone.loss,
        evaluate=alone.evaluate,
        figure="bleu",
        baselines=more.baselines,
        test=functools.partial(alone.evaluate, split="test"),
        key=key_of((alone, first_looks, measures, neighbour_vectors, pairs, recipe), ()),
    )


def as_in_the_chapter(in_order: bool = True) -> Training:
    """Describe the training with the parts of the course's exercises, as it runs in the chapter."""
    return keyword_sentences(
        layer=use("stacking.EncoderLayer"),
        shift_right=use("generation.shift_right"),
        cross_attention=use("generation.cross_attention"),
        in_order=in_order,
    )


KINDS: dict[str, Callable[[], Training]] = {
    "encoder-decoder": as_in_the_chapter,
    "keywords shuffled": functools.partial(as_in_the_chapter, in_order=False),
    "decoder alone": sentences_alone,
}

# The model of "keywords shuffled", written by `ordering`: whether the counts help.
ORDERED = {"keywords shuffled, each once": False, "keywords shuffled, each once, with counts": True}


def ordering_key() -> str:
    """Return what a score of `ORDERED` depends on beside its training."""
    training = as_in_the_chapter(in_order=False)
    return key_of((ordering,), (), training.key.encode())


def _build(
    layer: Callable[..., nn.Module] | None,
    cross_attention: Callable[..., Tensor] | None,
    settings: Settings,
) -> nn.Module:
    return model.build(
        **settings.arguments(layer=layer),
        positions=settings.positions,
        near=settings.more["near"],
        vectors=settings.more["first_vectors"],
        copies=settings.more["copies"],
        cross_attention=cross_attention,
    )


@functools.cache
def plain_baselines(
    split: str = "validation", in_order: bool = True
) -> dict[str, dict[str, float]]:
    """Return what needs no network, scored: bleu and exact of each."""
    asked = recipe.inputs(split, in_order)
    nearest = baselines.Nearest(pairs.pairs())
    return {
        "the keywords": recipe.score(asked, split),
        "the keywords and a full stop": recipe.score([baselines.copy(k) for k in asked], split),
        "the most similar pair's sentence": recipe.score([nearest(k) for k in asked], split),
    }


@torch.no_grad()
def answer_the_shown(net: Any) -> Sequence[Answer]:
    """Write a sentence from the keywords of each of `SHOWN`, with its probability."""
    found = []
    for sentence in SHOWN:
        right = pairs.split_words(sentence)
        keywords = pairs.keywords_of(right)
        written = recipe.write(net, [keywords])[0]
        guess = (" ".join(written), probability(net, keywords, written))
        found.append(Answer(" ".join(keywords), (guess,), " ".join(right)))
    return found


@torch.no_grad()
def probability(net: Any, keywords: Sequence[str], sentence: Sequence[str]) -> float:
    """Return how likely the model finds each piece of a sentence, in the geometric mean."""
    rows = recipe.Rows(pairs.batch([pairs.encode(keywords)]), pairs.batch([pairs.encode(sentence)]))
    return float(torch.exp(-recipe.loss(net, rows, weights=False)))
