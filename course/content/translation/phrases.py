"""The training of chapter 08: an encoder-decoder translates dates, amounts and lists, character by character."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course import datasets, use
from course.content.translation.experiments import baselines, characters, lists, model, recipe
from course.content.translation.experiments.characters import BOS, batch, encode
from course.datasets.phrases import corpus, kinds
from course.datasets.phrases.card import LANGUAGES
from course.datasets.phrases.kinds import Phrase
from course.training import (
    Answer,
    HeadPicture,
    Settings,
    Training,
    first_looks,
    own_cross_attention,
)
from course.training.own_parts import any_is_the_learners, fitting_positions, key_of, whose_parts
from encoder_core.generation.decoding import shift_right as standard_shift
from encoder_core.inspect.recording import record

__all__ = [
    "DATE", "KINDS", "SHOWN", "as_in_the_chapter", "looks", "looks_at_names", "phrase_translation", "plain_baselines",
    "read", "translate",
]  # fmt: skip

# Phrases of validation.
SHOWN = (
    Phrase("date", "full", (1995, 4, 28)),
    Phrase("interval", "yMMMd", (1970, 4, 23, 5, 14)),
    Phrase("time", "day and time", (5, 29, 22, 39)),
    Phrase("amount", "long", (26.9, "mass-kilogram")),
    Phrase("list", "or", ("CH", "SG", "ES", "LT")),
)
DATE = SHOWN[0].write("en")  # Friday, April 28, 1995

translate = recipe.translate


def phrase_translation(
    language: str = "zh",
    layer: Callable[..., nn.Module] | None = None,
    shift_right: Callable[[Tensor, int], Tensor] | None = None,
    cross_attention: Callable[..., Tensor] | None = None,
    label_smoothed_loss: recipe.Smoothed | None = None,
    positions: str | None = None,
    *,
    joined: bool = True,
    reach: tuple[int, int] | None = recipe.REACH,
    smoothing: float = 0.1,
) -> Training:
    """Describe the training.

    Args:
        language: one of `course.datasets.phrases.card.LANGUAGES`.
        layer: a class of encoder layers, such as the learner's; `encoder_core`'s if None.
        shift_right: makes the decoder's input; `encoder_core`'s if None.
        cross_attention: the decoder's look at the memory; `encoder_core`'s if None.
        label_smoothed_loss: the loss; PyTorch's if None.
        positions: see `encoder_core.models.position_choice`; what `layer` can take if None.
        joined: put several phrases of a kind in a row; else one.
        reach: how far a layer of the encoder sees to each side, and one of the decoder to the left, where
            positions are relative; everywhere if None.
        smoothing: of the loss.
    """
    own = {
        "EncoderLayer": layer,
        "shift_right": shift_right,
        "cross_attention": cross_attention,
        "label_smoothed_loss": label_smoothed_loss,
    }
    settings = Settings(
        **recipe.SETTINGS,
        d_model=64,
        nhead=4,
        num_layers=2,
        dim_feedforward=128,
        dropout=0.0,
        positions=positions or fitting_positions(layer),
        more={"near": True, "copies": True, "reach": reach and list(reach)},
    )
    choices = f"{language} {joined} {smoothing}".encode()
    variant = "" if joined else "_alone"
    return Training(
        name=f"translation.phrases_{language}{variant}",
        title=f"A small encoder-decoder translates phrases to {LANGUAGES[language]}",
        settings=settings,
        build=functools.partial(_build, language, layer, cross_attention),
        data=recipe.trained_on(language),
        collate=functools.partial(recipe.collate, joined=recipe.JOINED if joined else 0),
        loss=functools.partial(
            recipe.loss,
            shift_right=shift_right or standard_shift,
            label_smoothed_loss=label_smoothed_loss,
            smoothing=smoothing,
        ),
        evaluate=functools.partial(recipe.evaluate, language=language),
        figure="exact",
        baselines={
            name: found["exact"] for name, found in plain_baselines(language=language).items()
        },
        test=functools.partial(recipe.evaluate, split="test", language=language),
        examples=functools.partial(answer_the_shown, language=language),
        head=functools.partial(look_at_the_date, language=language),
        parts=whose_parts(own),
        key=key_of(
            (characters, corpus, first_looks, kinds, lists, model, own_cross_attention, recipe),
            own.values(),
            choices,
        ),
        reference=functools.partial(_build, language, None, None)
        if any_is_the_learners(own)
        else None,
    )


def as_in_the_chapter(language: str = "zh", **how: Any) -> Training:
    """Describe the training with the parts of the course's exercises, as it runs in the chapter."""
    return phrase_translation(
        language,
        layer=use("stacking.EncoderLayer"),
        shift_right=use("generation.shift_right"),
        cross_attention=use("generation.cross_attention"),
        label_smoothed_loss=use("translation.label_smoothed_loss"),
        **how,
    )


# The chapter's; what each of two things does for lists longer than any seen; and other languages.
KINDS: dict[str, Callable[[], Training]] = {
    "as in the chapter": as_in_the_chapter,
    "one phrase a row": functools.partial(as_in_the_chapter, joined=False),
    "no bound on the look": functools.partial(as_in_the_chapter, reach=None),
    "neither": functools.partial(as_in_the_chapter, joined=False, reach=None),
    "sines, no bias": functools.partial(as_in_the_chapter, positions="sinusoidal", reach=None),
    "German": functools.partial(as_in_the_chapter, "de"),
    "Japanese": functools.partial(as_in_the_chapter, "ja"),
    "Arabic": functools.partial(as_in_the_chapter, "ar"),
}


def _build(
    language: str,
    layer: Callable[..., nn.Module] | None,
    cross_attention: Callable[..., Tensor] | None,
    settings: Settings,
) -> nn.Module:
    return model.build(
        len(characters.characters(language)),
        **settings.arguments(layer=layer),
        positions=settings.positions,
        near=settings.more["near"],
        copies=settings.more["copies"],
        reach=settings.more["reach"],
        cross_attention=cross_attention,
    )


@functools.cache
def plain_baselines(split: str = "validation", language: str = "zh") -> dict[str, dict[str, float]]:
    """Return what needs no network, scored on "validation" or "test" (items, decades and lists)."""
    asked = recipe.phrases(split, language)
    known = datasets.load("cldr-phrases", language=language).train
    nearest = baselines.Nearest([(phrase.text, phrase.target) for phrase in known])
    return {
        name: {
            figure: recipe.exact(answer([phrase.text for phrase in phrases]), phrases)
            for figure, phrases in asked.items()
        }
        for name, answer in (("the phrase itself", list), ("the most similar phrase's", nearest))
    }


@torch.no_grad()
def read(net: Any, text: str, language: str = "zh") -> tuple[Tensor, Tensor]:
    """Encode a phrase: the memory `(1, S, D)` and its padding mask `(1, S)`."""
    found: tuple[Tensor, Tensor] = net.encode(batch([encode(text, language)]))
    return found


@torch.no_grad()
def looks(net: Any, source: str, target: str, language: str = "zh") -> Tensor:
    """Return the cross-attention's weights `(layers, H, T, S)`.

    Row t is of the step that writes character t of the target, the last row of the one that ends it; column
    s is of character s of the source, the last of its end.
    """
    memory, padding = read(net, source, language)
    tokens = torch.tensor([[BOS, *encode(target, language)[:-1]]])  # (1, T)
    with record(net.decoder) as recording:
        net.step(tokens, memory, padding, net.empty_cache())
    kept = zip(recording.names, recording.attention, strict=True)
    return torch.stack([weights[0] for name, weights in kept if "multihead_attn" in name])


def looks_at_names(net: Any, length: int, language: str = "zh", count: int = 20) -> Tensor:
    """Return the mean weights `(layers, length, length)` of the looks when a name of a list begins.

    Row k is of the step that writes the first character of the right translation's name k, column j is all
    of the source's name j and the two characters after it. The lists are of validation.
    """
    found = recipe.phrases("validation", language)
    known = [phrase for phrase in found["exact"] if phrase.source.startswith("list")]
    right = [
        phrase
        for phrase in (*known, *found["lists"])
        if len(lists.names(phrase.target, language)) == length
    ]
    rows = []
    for phrase in right[:count]:
        weights = looks(net, phrase.text, phrase.target, language).mean(dim=1)  # (layers, T, S)
        begin = lists.starts(phrase.target, language)
        parts = zip(lists.starts(phrase.text, "en"), lists.names(phrase.text, "en"), strict=True)
        columns = [
            weights[:, begin, start : start + len(name) + 2].sum(dim=-1) for start, name in parts
        ]
        rows.append(torch.stack(columns, dim=-1))  # (layers, length, length)
    return torch.stack(rows).mean(dim=0)


@torch.no_grad()
def look_at_the_date(net: Any, language: str = "zh") -> HeadPicture:
    """Return the date and its translation in one row, with the looks of the second at the first."""
    target = SHOWN[0].write(language)
    tokens = [*DATE, "end", "start", *target]
    source = len(DATE) + 1  # S
    weights = looks(net, DATE, target, language)  # (layers, H, T, S)
    layers, heads = weights.shape[:2]
    whole = torch.zeros(layers, heads, len(tokens), len(tokens))
    whole[:, :, source:, :source] = weights
    return HeadPicture(tuple(tokens), whole)


@torch.no_grad()
def answer_the_shown(net: Any, language: str = "zh") -> Sequence[Answer]:
    """Translate each of `SHOWN`, with the probability of what was written."""
    asked, found = [phrase.write("en") for phrase in SHOWN], []
    for phrase, text, written in zip(SHOWN, asked, translate(net, asked, language), strict=True):
        guess = (written, probability(net, text, written, language))
        found.append(Answer(text, (guess,), phrase.write(language)))
    return found


@torch.no_grad()
def probability(net: Any, source: str, target: str, language: str = "zh") -> float:
    """Return how likely the model finds each character of a translation, in the geometric mean."""
    rows = recipe.Rows(batch([encode(source, language)]), batch([encode(target, language)]))
    return float(torch.exp(-recipe.loss(net, rows)))
