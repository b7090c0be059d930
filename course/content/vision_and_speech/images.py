"""The trainings of chapter 09 that see: a Vision Transformer reads handwritten digits, and others beside it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course import use
from course.content.vision_and_speech.experiments.images import (
    baselines,
    distort,
    looks,
    model,
    recipe,
    views,
)
from course.datasets.digits import card, corpus
from course.datasets.digits.corpus import load
from course.labs import with_standard_layers
from course.training import Answer, HeadPicture, Settings, Training
from course.training.own_parts import any_is_the_learners, key_of, whose_parts

__all__ = [
    "KINDS",
    "as_in_the_chapter",
    "as_the_model_takes",
    "digit_reader",
    "named",
    "plain_baselines",
    "prepare",
    "read",
    "shown",
]

ASKED = 6  # held-out images that the theatre shows
GUESSES = 3  # of each

prepare = model.prepare


def digit_reader(
    split: str = "writers",
    layer: Callable[..., nn.Module] | None = None,
    patchify: Callable[[Tensor, int], Tensor] | None = None,
    *,
    network: str = "Transformer",
    per_class: int | None = None,
    seed: int = 0,
    distorted: bool = True,
    mixed: bool = False,
    borders: bool = True,
    positions: str = "learned",
    often: bool = True,
) -> Training:
    """Describe the training.

    Args:
        split: of "digits": "writers" or "random".
        layer: a class of encoder layers, such as the learner's; `encoder_core`'s if None.
        patchify: cuts the images; `encoder_core`'s if None.
        network: "Transformer", or "CNN".
        per_class: how many images of each digit are learned from; all if None.
        seed: draws these, and is the settings' seed.
        distorted: distort each image whenever it is learned from.
        mixed: put the pixels of all images in another order, the same one for all.
        borders: let a patch see the pixels around it.
        positions: "learned" or "none".
        often: tell, too, what is right if each image is read more than once (`views.read_often`); only where
            images are distorted and their pixels are in order.
    """
    often = often and distorted and not mixed
    own = {"EncoderLayer": layer, "patchify": patchify}
    steps = recipe.SETTINGS["steps"] if distorted else recipe.UNDISTORTED
    if per_class is not None:
        steps = recipe.FEWER[per_class]
    choices = {
        "per_class": per_class or 0,
        "distorted": distorted,
        "mixed": mixed,
        "borders": borders,
    }
    sizes = recipe.SETTINGS if network == "Transformer" else recipe.CNN
    settings = Settings(
        **{
            **sizes,
            "steps": steps,
            "positions": positions,
            "seed": seed,
            "more": {"network": network, **choices},
        }
    )
    scored: Callable[..., dict[str, float]] = (
        functools.partial(views.evaluate, split=split)
        if often
        else functools.partial(recipe.evaluate, split=split, mixed=mixed)
    )
    return Training(
        name=f"vision.digits_{split}",
        title="A small Vision Transformer reads handwritten digits",
        settings=settings,
        build=functools.partial(_build, layer, patchify),
        data=recipe.digits(split, per_class, seed),
        collate=functools.partial(recipe.collate, distorted=distorted, mixed=mixed),
        loss=recipe.loss,
        evaluate=functools.partial(scored, name="validation"),
        figure="accuracy",
        baselines={
            name: found["validation"]["accuracy"] for name, found in plain_baselines(split).items()
        },
        test=functools.partial(scored, name="test"),
        examples=functools.partial(answer_the_shown, split=split),
        head=functools.partial(look_at_the_first, split=split),
        parts=whose_parts(own),
        key=key_of(
            (card, corpus, distort, model, recipe, *([views] if often else [])),
            own.values(),
            f"{split} {choices}".encode(),
        ),
        reference=functools.partial(_build, None, None) if any_is_the_learners(own) else None,
    )


def as_in_the_chapter(split: str = "writers", **how: Any) -> Training:
    """Describe the training with the parts of the course's exercises, as it runs in the chapter."""
    return digit_reader(
        split, layer=use("stacking.EncoderLayer"), patchify=use("vision.patchify"), **how
    )


def _build(
    layer: Callable[..., nn.Module] | None,
    patchify: Callable[[Tensor, int], Tensor] | None,
    settings: Settings,
) -> nn.Module:
    if settings.more["network"] == "CNN":
        return model.convolutional(settings.d_model)
    return model.DigitReader(
        **settings.arguments(layer=layer, cut=patchify),
        positions=settings.positions,
        borders=settings.more["borders"],
    )


# Rows of the recording: what each change does, and what a convolutional network does on the same images.
_CNN: Mapping[str, Any] = {"network": "CNN"}
_ONCE: Mapping[str, Any] = {"often": False}
_PLAIN: Mapping[str, Any] = {**_ONCE, "borders": False}
KINDS: dict[str, Mapping[str, Any]] = {
    "Transformer": {},
    "CNN": _CNN,
    "Transformer, writers known": {"split": "random"},
    "CNN, writers known": {**_CNN, "split": "random"},
    "Transformer, no distortions": {"distorted": False},
    "CNN, no distortions": {**_CNN, "distorted": False},
    "Transformer, pixels mixed": {"distorted": False, "mixed": True},
    "CNN, pixels mixed": {**_CNN, "distorted": False, "mixed": True},
    "Transformer, plain patches": _PLAIN,
    "Transformer, plain patches, no positions": {**_PLAIN, "positions": "none"},
    "Transformer, 100 images": {**_ONCE, "per_class": 10},
    "CNN, 100 images": {**_CNN, **_ONCE, "per_class": 10},
    "Transformer, 300 images": {**_ONCE, "per_class": 30},
    "CNN, 300 images": {**_CNN, **_ONCE, "per_class": 30},
}


def as_the_model_takes(pixels: Tensor) -> Tensor:
    """Make of pixels `(B, 1, 8, 8)` from 0, paper, to 1, ink, what a model takes: the same shape."""
    return prepare(pixels.squeeze(1))


@functools.cache
def plain_baselines(split: str = "writers") -> dict[str, dict[str, dict[str, float]]]:
    """Return what needs no network: name -> validation and test -> accuracy."""
    return {name: baselines.score(name, split) for name in baselines.METHODS}


@torch.no_grad()
def read(net: nn.Module, images: Tensor) -> Tensor:
    """Return the probabilities `(N, 10)` that a model gives the digits for images `(N, 8, 8)` from 0 to 1."""
    probabilities: Tensor = net(prepare(images)).softmax(dim=-1)
    return probabilities


@functools.cache
def shown(split: str) -> tuple[Tensor, Tensor]:
    """Return the images and labels that the theatre asks for: of validation, the hardest for the SVM first."""
    images, labels = recipe.part(load(split), "validation")
    read = baselines.predicted(baselines.fitted("SVM", split), images)
    hard_first = (read == labels).int().argsort(stable=True)[:ASKED]
    return images[hard_first], labels[hard_first]


def answer_the_shown(net: nn.Module, split: str) -> Sequence[Answer]:
    """Read the images of `shown`."""
    images, labels = shown(split)
    chances, digits = read(net, images).topk(GUESSES)  # (N, 3) each
    return [
        Answer(
            f"image {number}",
            tuple((str(digit), chance) for digit, chance in zip(*pair, strict=True)),
            str(label),
        )
        for number, (pair, label) in enumerate(
            zip(zip(digits.tolist(), chances.tolist(), strict=True), labels.tolist(), strict=True),
            1,
        )
    ]


def named() -> tuple[str, ...]:
    """Name the patches by row and column, in their order."""
    places = range(looks.ACROSS)
    return tuple(f"{row},{column}" for row in places for column in places)


def look_at_the_first(net: nn.Module, split: str) -> HeadPicture:
    """Record the attention at the first of the images shown."""
    return HeadPicture(named(), looks.looks(with_standard_layers(net), shown(split)[0][0]))
