"""Makes the chapters' trainings once, with the reference's parts, into COURSE_HOME's cache.

A training in a notebook with the same parts takes its result from there; one with other parts trains.
"""

from __future__ import annotations

from course import use
from course.content.bert.pretraining import masked_words
from course.content.generation.keywords import as_in_the_chapter
from course.training import train

POSITIONS = ("none", "learned", "sinusoidal", "alibi", "relative")


def fill_in_words() -> None:
    """Train as chapter 05 does."""
    training = masked_words(
        layer=use("stacking.EncoderLayer"),
        mask_tokens=use("bert.mask_tokens"),
        masked_lm_loss=use("bert.masked_lm_loss"),
    )
    train(training, progress=False)
    for kind in POSITIONS:
        short = training.settings.changed(positions=kind, near=False, steps=400, warmup=40)
        train(training, short, progress=False)


def write_from_keywords() -> None:
    """Train as chapter 07 does."""
    train(as_in_the_chapter(), progress=False)


if __name__ == "__main__":
    fill_in_words()
    write_from_keywords()
