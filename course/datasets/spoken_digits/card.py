"""What there is in "spoken-digits", known without reading it. Standard library only."""

from __future__ import annotations

from course.datasets.dataset import Card

__all__ = ["CARD", "RATE", "WORDS"]

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE = 8000  # samples a second, as on a telephone

CARD = Card(
    name="spoken-digits",
    about="The ten English digits, each spoken once by every voice of a speech synthesiser.",
    origin="eSpeak NG 1.51, run by course/datasets/spoken_digits/build.py: synthetic voices, no person's. Split by "
    "voices; those that sound nearly alike are in one split. `accent` has voices of the test with a Scottish "
    "accent",
    licence="none claimed for the sounds; eSpeak NG itself, which is not part of the course, is under GPL-3.0",
    examples=790,
    size=2_586_213,
    classes=WORDS,
)
