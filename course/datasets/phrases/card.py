"""What there is in "cldr-phrases", known without Babel. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping

from course.datasets.dataset import Card

__all__ = ["CARD", "LANGUAGES", "TESTS"]

LANGUAGES: Mapping[str, str] = {
    "zh": "Chinese",
    "ar": "Arabic",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "ja": "Japanese",
    "ko": "Korean",
    "ru": "Russian",
}
TESTS = ("items", "decades", "lists")

CARD = Card(
    name="cldr-phrases",
    about="Dates, intervals, times, amounts, sums of money and lists of places, in English and in one of ten "
    "languages: phrases with one right translation.",
    origin="the Unicode Common Locale Data Repository (CLDR), as the installed package Babel carries it; "
    'test="items" holds out phrases at random, test="decades" the 1950s and 1980s, test="lists" lists of '
    "five and six places, both absent from training",
    licence="Unicode License v3",
    examples=28_344,
    size=0,
    classes=("date", "interval", "time", "amount", "money", "list"),
)
