"""What any data set gives: its card, examples shown, few examples a class, one found by its name."""

from __future__ import annotations

import pytest

from course import datasets
from course.datasets.dataset import Card, Dataset, Example, fixed_order
from course.setup import commands

CARD = Card("toy", "A toy.", "here", "none", 9, 1500, classes=("low", "high"))
TRAIN = tuple(Example(f"text {i} <b>", int(i > 3), f"module{i}") for i in range(7))
TOY = Dataset(CARD, TRAIN, (Example("one", 0, "a"),), (Example("two", 1, "b"),))


def test_ten_examples_are_shown_of_each_class_in_turn() -> None:
    shown = TOY.show(6)
    assert [example.label for example in shown.examples] == [0, 1, 0, 1, 0, 1]
    assert shown.examples == TOY.show(10).examples[:6]
    assert "high | module" in repr(shown)
    html = shown._repr_html_()
    assert html.count("<tr>") == 7
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    with pytest.raises(ValueError, match="at least one"):
        TOY.show(0)


def test_long_texts_are_cut_where_they_are_shown() -> None:
    long = Dataset(CARD, (Example("word " * 500, 0, "m"),), (), ())
    assert len(repr(long.show())) < 400
    assert repr(long.show()).count("...") == 1


def test_few_examples_a_class_grow_with_their_number() -> None:
    two, three = TOY.few(2), TOY.few(3)
    assert [example.label for example in two.train] == [0, 0, 1, 1]
    assert set(two.train) < set(three.train) <= set(TRAIN)
    assert len(TOY.few(100).train) == len(TRAIN)
    assert {TOY.few(1, seed).train for seed in range(20)} != {TOY.few(1).train}
    assert two.test == TOY.test
    with pytest.raises(ValueError, match="at least one example"):
        TOY.few(0)
    with pytest.raises(ValueError, match="no classes"):
        datasets.load("python-docs").few(3)


def test_the_fixed_order_does_not_depend_on_what_else_is_there() -> None:
    few, more = ["a", "b", "c"], ["a", "x", "b", "y", "c"]
    assert [item for item in fixed_order(more, str) if item in few] == fixed_order(few, str)


def test_a_data_set_says_what_it_is() -> None:
    assert repr(TOY).splitlines()[0] == "toy: A toy."
    assert "9 examples, 2 kB here already. Licence: none." in repr(TOY)
    assert "7 train, 1 validation, 1 test" in repr(TOY)
    assert "Classes: low, high." in repr(TOY)


def test_all_are_listed_by_name_and_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    names = datasets.available().names
    offline = {
        "python-docs",
        "docstring-families",
        "cldr-phrases",
        "libreoffice-help",
        "spoken-digits",
        "read-aloud",
        "digits",
    }
    online = {
        "ag_news",
        "sst2",
        "imdb",
        "wikitext-2",
        "cifar-10",
        "free-spoken-digits",
        "speech-commands",
    }
    assert offline | online == set(names)
    assert {card.name for card in datasets.available().cards if not card.download} == offline
    assert commands.main(["datasets"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n{name}: " in f"\n{printed}" for name in names)
    assert "19.8 MB to download" in printed


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(KeyError) as caught:
        datasets.load("Python docs")
    assert str(caught.value).startswith(
        "There is no data set 'Python docs'; did you mean 'python-docs'? There are python-docs, "
    )
    with pytest.raises(KeyError, match="did you mean"):
        datasets.load(7)  # type: ignore[arg-type]
