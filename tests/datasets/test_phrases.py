"""Phrases of the locale data: one translation each, nothing raw, and what is held out is held out."""

from __future__ import annotations

import re

import pytest

from course import datasets
from course.datasets.phrases.card import LANGUAGES
from course.datasets.phrases.kinds import KINDS, LONGEST_LIST, UNSEEN_DECADES, Phrase, draw


def test_a_phrase_is_said_in_any_of_the_languages() -> None:
    said = {
        Phrase("date", "long", (1987, 3, 5)): ("March 5, 1987", "1987年3月5日"),
        Phrase("interval", "yMMMd", (1987, 3, 5, 3, 9)): ("Mar 5 – 9, 1987", "1987年3月5日至9日"),
        Phrase("time", "day and time", (3, 5, 16, 5)): ("March 5, 4:05 PM", "3月5日 16:05"),
        Phrase("amount", "long", (3, "length-kilometer")): ("3 kilometers", "3公里"),
        Phrase("money", "name", (1234.5, "EUR")): ("1,234.50 euros", "1,234.50欧元"),
        Phrase("list", "or", ("ES", "IR", "NP")): ("Spain, Iran, or Nepal", "西班牙、伊朗或尼泊尔"),
    }
    assert {phrase.kind for phrase in said} == set(KINDS)
    for phrase, (english, chinese) in said.items():
        assert (phrase.write("en"), phrase.write("zh")) == (english, chinese)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_raw_or_invisible(language: str) -> None:
    """Babel writes the id of a unit that a language has no name for, such as "volume-liter"."""
    for phrase in draw(300):
        text = phrase.write(language)
        assert text == text.strip() != ""
        assert not re.search("[\u00a0\u200e\u200f\u202f\u061c{}]", text), text
        assert phrase.kind != "amount" or str(phrase.values[1]) not in text


def test_the_draw_is_the_same_each_time_and_grows() -> None:
    assert draw(50) == draw(50) != draw(50, seed=1)
    assert len(set(draw(50))) == 50 * len(KINDS)
    by_kind = [phrase for phrase in draw(80) if phrase.kind == "list"]
    assert by_kind[:50] == [phrase for phrase in draw(50) if phrase.kind == "list"]


def test_every_text_has_one_translation_and_what_is_held_out_is_not_trained_on() -> None:
    tests = {
        name: datasets.load("cldr-phrases", test=name) for name in ("items", "decades", "lists")
    }
    data = tests["items"]
    assert all(other.train == data.train for other in tests.values())
    parts = [data.train, data.validation, *(other.test for other in tests.values())]
    texts = [example.text for part in parts for example in part]
    assert len(set(texts)) == len(texts)
    assert len(texts) == pytest.approx(data.card.examples, rel=0.05)  # locale data have versions
    decades = re.compile("|".join(f"{decade // 10}\\d" for decade in UNSEEN_DECADES))
    dated = ("date", "interval")
    for example in (*data.train, *data.validation, *data.test):
        kind = data.classes[example.label or 0]
        assert kind not in dated or not decades.search(example.text), example.text
        assert kind != "list" or example.target.count("、") <= LONGEST_LIST - 2
    assert all(decades.search(example.text) for example in tests["decades"].test)
    assert all(example.target.count("、") >= LONGEST_LIST - 1 for example in tests["lists"].test)


def test_a_wrong_setting_is_explained() -> None:
    with pytest.raises(ValueError, match=r"language='fi': take one of 'zh' \(Chinese\)"):
        datasets.load("cldr-phrases", language="fi")
    with pytest.raises(ValueError, match="'items', 'decades', 'lists'"):
        datasets.load("cldr-phrases", test="all")
