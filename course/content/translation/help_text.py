"""Real text in chapter 08: an encoder-decoder translates the help of LibreOffice from English to Chinese.

`python -m course.content.translation.help_text [UPDATES]` makes the recorded model of a long run again; it
can be interrupted and goes on where it was.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from course import use
from course.content.translation.experiments.help_text import (
    dictionary,
    first_vectors,
    long,
    measures,
    model,
    neighbours,
    recipe,
    rows,
    tokens,
)
from course.datasets.help_pages.corpus import TABLE
from course.training import Answer, Settings, Training, first_looks, own_cross_attention
from course.training.own_parts import any_is_the_learners, fitting_positions, key_of, whose_parts
from encoder_core.generation.decoding import shift_right as standard_shift

__all__ = [
    "KINDS", "SHOWN", "as_in_the_chapter", "help_translation", "long_run", "nearest_translations",
    "plain_baselines", "ten_minutes", "translate_help",
]  # fmt: skip

# Texts of validation.
SHOWN = (
    "Runs the macro and stops it after the next procedure.",
    "Week 1 is the first week containing four or more days of that year",
    "Standard size program window, without focus.",
)

long_run = long.long_run
plain_baselines = recipe.plain


def help_translation(
    layer: Callable[..., nn.Module] | None = None,
    shift_right: Callable[[Tensor, int], Tensor] | None = None,
    cross_attention: Callable[..., Tensor] | None = None,
    label_smoothed_loss: Callable[[Tensor, Tensor, float, int], Tensor] | None = None,
    beside: int = 0,
) -> Training:
    """Describe the training of a minute.

    Args:
        layer: a class of encoder layers, such as the learner's; `encoder_core`'s if None.
        shift_right: makes the decoder's input; `encoder_core`'s if None.
        cross_attention: the decoder's look at the memory; `encoder_core`'s if None.
        label_smoothed_loss: the loss; PyTorch's if None.
        beside: so many of the most similar training pairs are read with the English text.
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
        positions=fitting_positions(layer),
        more={"near": True, "dictionary": True},
    )
    return Training(
        name="translation.help_text" if not beside else "translation.help_text_beside",
        title="A small encoder-decoder translates the help of LibreOffice to Chinese",
        settings=settings,
        build=functools.partial(_build, layer, cross_attention),
        data=rows.groups(recipe.SIZE, beside),
        collate=recipe.collate,
        loss=functools.partial(
            recipe.loss,
            shift_right=shift_right or standard_shift,
            label_smoothed_loss=label_smoothed_loss,
        ),
        evaluate=functools.partial(recipe.evaluate, beside=beside),
        figure="bleu",
        baselines={name: found["bleu"] for name, found in plain_baselines("validation").items()},
        test=functools.partial(recipe.evaluate, split="test", beside=beside),
        examples=functools.partial(answer_the_shown, beside=beside),
        parts=whose_parts(own),
        key=key_of(
            (
                dictionary,
                first_looks,
                first_vectors,
                measures,
                model,
                neighbours,
                own_cross_attention,
                recipe,
                rows,
                tokens,
            ),
            own.values(),
            tokens.VOCABULARY.read_bytes(),
            TABLE.read_bytes(),
            str(beside).encode(),
        ),
        reference=functools.partial(_build, None, None) if any_is_the_learners(own) else None,
    )


def as_in_the_chapter() -> Training:
    """Describe the training with the parts of the course's exercises, as it runs in the chapter."""
    return help_translation(
        layer=use("stacking.EncoderLayer"),
        shift_right=use("generation.shift_right"),
        cross_attention=use("generation.cross_attention"),
        label_smoothed_loss=use("translation.label_smoothed_loss"),
    )


def ten_minutes() -> Training:
    """Describe a training of ten times as many updates, with dropout: it sees each pair some twenty times."""
    training = help_translation()
    settings = training.settings.changed(steps=10 * training.settings.steps, dropout=0.1)
    return replace(training, name="translation.help_text_ten", settings=settings)


KINDS: dict[str, Callable[[], Training]] = {
    "a minute": help_translation,
    "a minute, with the nearest pair beside": functools.partial(help_translation, beside=1),
    "ten minutes": ten_minutes,
}


def _build(
    layer: Callable[..., nn.Module] | None,
    cross_attention: Callable[..., Tensor] | None,
    settings: Settings,
) -> nn.Module:
    return model.build(
        **settings.arguments(layer=layer),
        positions=settings.positions,
        near=settings.more["near"],
        dictionary=settings.more["dictionary"],
        cross_attention=cross_attention,
    )


def translate_help(model: Any, texts: Sequence[str], beam: int = 1) -> list[str]:
    """Translate English texts, greedily or with a beam. The model is in eval mode."""
    return recipe.translate(model, texts, beam)


def nearest_translations(texts: Sequence[str]) -> list[str]:
    """Return for each English text the Chinese one of the most similar pair of training."""
    return [found[0].target for found in neighbours.nearest(texts)]


@torch.no_grad()
def answer_the_shown(net: Any, beside: int = 0) -> Sequence[Answer]:
    """Translate each of `SHOWN`, with the probability of what was written."""
    right = {example.text: example.target for example in recipe.validation()}
    found = []
    for text, written in zip(SHOWN, recipe.translate(net, SHOWN, beside=beside), strict=True):
        guess = (written, probability(net, text, written, beside))
        found.append(Answer(text, (guess,), right[text]))
    return found


@torch.no_grad()
def probability(net: Any, source: str, target: str, beside: int = 0) -> float:
    """Return how likely the model finds each piece of a translation, in the geometric mean."""
    row = rows.Row(rows.sources([source], beside)[0], tuple(tokens.encode(target)))
    return float(torch.exp(-recipe.loss(net, recipe.collate([[row]]), smoothing=0.0)))


if __name__ == "__main__":
    long.main()
