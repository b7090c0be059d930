"""The training of chapter 09's second half: an encoder reads spoken digits, and what the chapter asks of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from course import datasets, use
from course.content.recorded import recording
from course.content.vision_and_speech.experiments.speech import batches, front, model, recipe
from course.content.vision_and_speech.experiments.speech.front import Frame
from course.content.vision_and_speech.experiments.speech.model import BLANK, DigitReader
from course.datasets.spoken_digits import corpus
from course.datasets.spoken_digits.card import WORDS
from course.labs.standard_layers import with_standard_layers
from course.training import Answer, HeadPicture, Settings, Training
from course.training.own_parts import any_is_the_learners, fitting_positions, key_of, whose_parts
from encoder_core.inspect.recording import record
from encoder_core.models.speech import ctc_collapse as standard_collapse

__all__ = [
    "KINDS", "as_in_the_chapter", "asked", "plain_baselines", "read", "recorded_rows", "spoken_digits", "symbol",
]  # fmt: skip

asked, read = recipe.asked, recipe.read

_SHOWN = 5  # utterances of validation that the theatre reads


def spoken_digits(
    layer: Callable[..., nn.Module] | None = None,
    frame: Frame | None = None,
    ctc_collapse: recipe.Collapse | None = None,
    word_error_rate: recipe.ErrorRate | None = None,
    positions: str | None = None,
    *,
    changes: batches.Changes = batches.CHANGED,
) -> Training:
    """Describe the training.

    Args:
        layer: a class of encoder layers, such as the learner's; `encoder_core`'s if None.
        frame: cuts signals into frames; `encoder_core`'s if None.
        ctc_collapse: makes a text of a path; `encoder_core`'s if None.
        word_error_rate: the figure.
        positions: see `encoder_core.models.position_choice`; what `layer` can take if None.
        changes: of the voices, in every batch.
    """
    own = {
        "frame": frame,
        "EncoderLayer": layer,
        "ctc_collapse": ctc_collapse,
        "word_error_rate": word_error_rate,
    }
    settings = Settings(
        **recipe.SETTINGS,
        d_model=64,
        nhead=4,
        num_layers=2,
        dim_feedforward=128,
        dropout=0.0,
        positions=positions or fitting_positions(layer),
    )
    score = functools.partial(
        recipe.evaluate,
        word_error_rate=word_error_rate,
        ctc_collapse=ctc_collapse or standard_collapse,
    )
    return Training(
        name="vision_and_speech.spoken_digits",
        title="A small encoder reads spoken digits",
        settings=settings,
        build=functools.partial(_build, layer, frame),
        data=batches.speakers(changes),
        collate=functools.partial(batches.collate, changes=changes, frame=frame),
        loss=recipe.loss,
        evaluate=score,
        figure="errors",
        baselines={name: found["errors"] for name, found in plain_baselines("validation").items()},
        test=functools.partial(score, split="test"),
        examples=functools.partial(read_the_shown, ctc_collapse=ctc_collapse or standard_collapse),
        head=None if layer is model.ConvLayer else look_at_the_first,
        parts=whose_parts(own),
        key=key_of((batches, corpus, front, model, recipe), own.values(), repr(changes).encode()),
        reference=functools.partial(_build, None, frame) if any_is_the_learners(own) else None,
    )


def _build(
    layer: Callable[..., nn.Module] | None, frame: Frame | None, settings: Settings
) -> nn.Module:
    return DigitReader(frame=frame, positions=settings.positions, **settings.arguments(layer=layer))


def as_in_the_chapter(**how: Any) -> Training:
    """Describe the training with the parts of the course's exercises, as it runs in the chapter."""
    own = {
        "layer": use("stacking.EncoderLayer"),
        "frame": use("speech.frame"),
        "ctc_collapse": use("speech.ctc_collapse"),
        "word_error_rate": use("speech.word_error_rate"),
    }
    return spoken_digits(**(own | how))


# The chapter's; and what each part adds.
KINDS: dict[str, Callable[[], Training]] = {
    "as in the chapter": as_in_the_chapter,
    "49 voices as they are": functools.partial(as_in_the_chapter, changes=batches.PLAIN),
    "sines, no bias": functools.partial(as_in_the_chapter, positions="sinusoidal"),
    "convolutions for attention": functools.partial(
        as_in_the_chapter, layer=model.ConvLayer, positions="none"
    ),
}


def recorded_rows() -> list[str]:
    """Return the names of the trainings that are recorded, in their order."""
    rows = recording("vision_and_speech.spoken").rows
    return [name for name in KINDS if name in rows]


@functools.cache
def plain_baselines(split: str = "validation") -> dict[str, dict[str, float]]:
    """Return what needs no network: the most similar training word, told where each word begins and ends."""
    examples = getattr(datasets.load("spoken-digits"), split)
    named = recipe.nearest_words(examples)
    wrong = sum(name != example.text for name, example in zip(named, examples, strict=True))
    return {"the nearest word, cut out": {"errors": wrong / len(examples)}}


def symbol(id: int) -> str:
    """Write a symbol of a path: a word, or a dot for the blank.

    >>> symbol(0), symbol(4)
    ('·', 'three')
    """
    return "·" if id == BLANK else WORDS[id - 1]


@torch.no_grad()
def read_the_shown(
    net: nn.Module, ctc_collapse: recipe.Collapse = standard_collapse
) -> Sequence[Answer]:
    """Read the first utterances of validation, with the probability of the path that was taken."""
    found = []
    for utterance in recipe.asked("validation")["errors"][:_SHOWN]:
        logits, _ = net(utterance.signal[None])  # (1, N', V)
        best, path = logits[0].log_softmax(dim=-1).max(dim=-1)  # (N',)
        text = " ".join(recipe.words(ctc_collapse(path.tolist(), BLANK)))
        right = " ".join(WORDS[digit] for digit in utterance.digits)
        guess = (text, float(best.mean().exp()))
        found.append(Answer(f"{len(utterance.digits)} words by {utterance.voice}", (guess,), right))
    return found


@torch.no_grad()
def look_at_the_first(net: nn.Module) -> HeadPicture:
    """Return where each step of the first utterance looks; a step is named by what it writes."""
    net = with_standard_layers(net)
    signal = recipe.asked("validation")["errors"][0].signal
    with record(net) as recording:
        logits, _ = net(signal[None])
    names = tuple(symbol(id) for id in logits[0].argmax(dim=-1).tolist())
    return HeadPicture(names, torch.stack([weights[0] for weights in recording.attention]))
