"""Makes the chapters' trainings once, with the reference's parts, into COURSE_HOME's cache.

A training in a notebook with the same parts takes its result from there; one with other parts trains.
With `--rehearsed` each training makes a few updates and is kept as if it had made all of them: the cells
that show a result run on it, and what they show is worth nothing. Where an evaluation takes long, figures
that nobody measured stand in its place.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import torch
from torch import nn

from course import datasets, use
from course.content.bert.pretraining import masked_words, recipe_changed
from course.content.classification.trainings import docstring_classifier, tuned_minilm
from course.content.generation.keywords import as_in_the_chapter
from course.content.translation import demonstrations, history, phrases
from course.content.translation.experiments import characters
from course.content.vision_and_speech import images, sounds
from course.training import Settings, Training, cache
from course.training import train as train_to_the_end
from encoder_core.models.encoder_decoder import EncoderDecoder

FEW = 8  # updates of a rehearsal
CHANGE = "BERT, a bias by distance"
_PHRASES = ("exact", "decades", "lists", "names", "first", "last", "after")
_OF_2015 = (
    "exact", "to 10", "11 to 20", "21 to 30", "over 30", "amount", "date", "interval", "list", "money", "time",
    "lists of two", "lists of three", "lists of four", "lists of five and six",
)  # fmt: skip
SPARED = {  # training -> names of its figures on validation and test
    "translation.phrases_zh": (_PHRASES, _PHRASES),
    "translation.lists_zh": (("exact",), ()),
    "translation.history_attention": (("exact",), _OF_2015),
    "classification.minilm": (("accuracy", "macro F1"),) * 2,
}
POSITIONS = ("none", "learned", "sinusoidal", "alibi", "relative")


def train(training: Training, settings: Settings | None = None, *, progress: bool) -> None:
    """Keep a training's result, or in a rehearsal what stands for it."""
    settings = settings or training.settings
    if "--rehearsed" in sys.argv:
        few = settings.changed(steps=FEW, warmup=1)
        found = train_to_the_end(_spared(training), few, cache=False, progress=progress)
        _end_at_once(found.model)
        cache.store(training, replace(found, settings=settings))
    else:
        train_to_the_end(training, settings, progress=progress)


def _spared(training: Training) -> Training:
    """The training with stand-ins for the evaluations that take long."""
    if training.name not in SPARED:
        return training
    validation, test = (dict.fromkeys(names, 0.5) for names in SPARED[training.name])
    return replace(training, evaluate=lambda _: validation, test=lambda _: test)


@torch.no_grad()
def _end_at_once(model: nn.Module) -> None:
    """Let a decoder end each text where it begins: it knows no end yet, and beams would go to the longest text."""
    if isinstance(model, EncoderDecoder) and isinstance(model.decoder.norm, nn.LayerNorm):
        end = model.embedding.weight[characters.EOS]  # (D,)
        model.decoder.norm.bias += 30 * end / end.square().sum()


def main() -> None:
    """Train as chapters 05 to 09 do."""
    chapter_05()
    chapter_06()
    chapter_07()
    chapter_08()
    chapter_09()


def chapter_05() -> None:
    """Masked words, with five kinds of positions; and BERT's recipe with one change."""
    own = {name: use(f"bert.{name}") for name in ("mask_tokens", "masked_lm_loss")}
    training = masked_words(layer=use("stacking.EncoderLayer"), **own)
    train(training, progress=False)
    for kind in POSITIONS:
        short = training.settings.changed(positions=kind, near=False, steps=400, warmup=40)
        train(training, short, progress=False)
    train(recipe_changed(CHANGE, **own), progress=False)


def chapter_06() -> None:
    """Docstrings: an encoder from scratch, and MiniLM's upper layers with 50 examples a class."""
    training = docstring_classifier(
        layer=use("stacking.EncoderLayer"), masked_mean=use("classification.masked_mean")
    )
    train(training, progress=False)
    train(tuned_minilm(datasets.load("docstring-families").few(50)), progress=False)


def chapter_07() -> None:
    """From keywords to a sentence."""
    train(as_in_the_chapter(), progress=False)


def chapter_08() -> None:
    """Phrases to Chinese; lists alone, one in a row; the translator of 2015."""
    train(phrases.as_in_the_chapter(), progress=False)
    train(demonstrations.lists_alone("zh"), progress=False)
    of_2015 = history.attention_of(use("translation.additive_attention"))
    train(of_2015, of_2015.settings.changed(steps=200), progress=False)


def chapter_09() -> None:
    """Handwritten digits, and spoken ones to words."""
    train(images.as_in_the_chapter(), progress=False)
    train(sounds.as_in_the_chapter(), progress=False)


if __name__ == "__main__":
    main()
