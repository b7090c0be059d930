"""The tokenizer lab: what it cuts, counts, tells, and does with the learner's own function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from course import labs
from course.labs.pieces import CONTINUES, UNKNOWN
from course.labs.tokenizer.compute import SIZES, Cutter, Settings, compute, history
from course.labs.tokenizer.vocabularies import corpora, text_of, trained, words_of
from encoder_core.pretrained.minilm import load_minilm
from encoder_core.text.tokenizer import wordpiece
from encoder_core.text.wordpiece_training import count_words, train_wordpiece
from tests.labs.front import Front

TEXT = "Tokenization of unbelievable words."


def texts(asked: Settings) -> list[str]:
    return [token.text for token in compute(asked, Cutter()).tokens]


@pytest.mark.parametrize("size", [60, 115, 400, 2200])
def test_a_smaller_vocabulary_is_what_training_to_its_size_gives(size: int) -> None:
    small = train_wordpiece(count_words([text_of("english")]), size).vocabulary
    assert tuple(small) == trained("english", size)


def test_minilm_cuts_as_its_tokenizer_does() -> None:
    text = "Zürich's café, 我喜欢 antidisestablishmentarianism ☃"
    expected = load_minilm()[1].encode(text)
    tokens = compute(Settings(text, "minilm"), Cutter()).tokens
    assert [token.id for token in tokens] == expected.ids[1:-1]
    shown = [piece for piece in expected.tokens[1:-1] if piece != "[UNK]"]
    assert [token.text for token in tokens if not token.unknown] == shown


def test_whole_words_are_known_or_lost() -> None:
    tokens = compute(Settings("The class zzyzx 我喜欢", "words", 1000), Cutter()).tokens
    assert [token.unknown for token in tokens] == [False, False, True, True]
    assert [token.text for token in tokens] == ["the", "class", "zzyzx", "我喜欢"]
    assert tokens[0].id == words_of("english").index("the")
    assert {token.id for token in tokens if token.unknown} == {1}


def test_more_entries_never_need_more_tokens_where_all_letters_are_known() -> None:
    counts = compute(Settings(TEXT), Cutter()).counts["wordpiece"]
    known = [tokens for tokens, unknown in counts if not unknown]
    assert len(known) > 5
    assert known[0] > 2 * known[-1]
    assert compute(Settings(TEXT, size=800), Cutter()).counts["wordpiece"] == counts


@pytest.mark.skipif(len(corpora()) < 2, reason="no Chinese text is installed")
def test_chinese_is_known_to_who_has_read_it() -> None:
    text = "文件"
    assert compute(Settings(text), Cutter()).unknown == 2
    assert texts(Settings(text, corpus="chinese too", size=1100)) == ["文", "件"]
    assert compute(Settings(text, corpus="chinese too", size=1100), Cutter()).unknown == 0


def test_the_history_of_a_word_ends_with_how_it_is_cut_at_the_largest_size() -> None:
    steps = history("tokenization", Settings(TEXT), Cutter())
    assert [size for size, _ in steps] == sorted({size for size, _ in steps})
    assert steps[-1][1] == Cutter().cut("tokenization", "wordpiece", "english", SIZES[-1])
    pieces = [len(cut) for size, cut in steps if cut != ("[UNK]",)]
    assert pieces[0] > pieces[-1]


def test_panels_hold_pieces_ids_and_marks() -> None:
    front = Front(labs.TokenizerLab(text="the 雪 xylophones", size=400)).ready()
    pieces = front.panels["pieces"]["pieces"]
    assert pieces[:2] == ["the", "雪"]
    marks = list(front.data["pieces"]["marks"])
    assert marks[:3] == [0, UNKNOWN, 0]
    assert set(marks[3:]) == {CONTINUES}
    ids = np.frombuffer(front.data["pieces"]["numbers"], "<f4")
    assert [trained("english")[int(i)] for i in ids] == ["the", "[UNK]", *pieces[2:]]
    lines = front.panels["counts"]["series"]
    assert [line["count"] for line in lines] == [len(SIZES)] * 2
    assert "1 token unknown: “雪”" in front.last["summary"]


def test_what_is_moved_is_answered() -> None:
    front = Front(labs.TokenizerLab(text=TEXT)).ready()
    before = len(front.panels["pieces"]["pieces"])
    answer = front.move(step=len(SIZES) - 1)
    assert answer["values"]["size"] == SIZES[-1]
    assert len(front.panels["pieces"]["pieces"]) < before
    assert front.move(point="100")["values"]["step"] == SIZES.index(100)  # a point of a plot
    front.move(piece=3)
    assert front.drawn() == ["pieces"]  # another piece of the same word
    answer = front.move(kind="words", text="one two")
    assert front.panels["pieces"]["pieces"] == ["one", "two"]
    assert answer["values"]["piece"] == 1  # the nearest that there is
    assert front.move(example="A cat.")["values"]["text"] == "A cat."
    assert front.size < 20_000


def test_what_cannot_be_is_told_and_the_picture_stays() -> None:
    front = Front(labs.TokenizerLab(text=TEXT)).ready()
    answer = front.move(text="  ")
    assert answer["notice"].startswith("There is no text")
    assert answer["notice"].endswith("Until then the last value that fits holds.")
    assert answer["panels"] == []
    assert "at most 1,000" in front.move(text="a" * 1001)["notice"]
    assert front.move(text="!")["notice"] == ""
    assert front.move(kind="words")["summary"].endswith("this text has no words.")
    with pytest.raises(ValueError, match="from 50 to 4000"):
        labs.TokenizerLab(size=10)
    with pytest.raises(ValueError, match="must be one of wordpiece"):
        labs.TokenizerLab(kind="letters")
    with pytest.raises(TypeError, match="no setting 'sizes'"):
        labs.TokenizerLab(sizes=3)
    with pytest.raises(TypeError, match="must be a function, not int"):
        labs.TokenizerLab(wordpiece=3)  # type: ignore[arg-type]


def test_the_learners_function_cuts() -> None:
    asked: list[str] = []

    def mine(word: str, vocabulary: set[str]) -> list[str]:
        assert isinstance(vocabulary, set)
        asked.append(word)
        return wordpiece(word, vocabulary)

    lab = labs.TokenizerLab(wordpiece=mine, text=TEXT)
    assert set(asked) == {"tokenization", "of", "unbelievable", "words", "."}
    assert "Computed by your own mine." in lab.still()["text/plain"]
    asked.clear()
    front = Front(lab).ready()
    front.move(text=TEXT + " x")
    assert set(asked) == {"x"}  # what was cut before is remembered
    assert repr(lab) == f"TokenizerLab(wordpiece=mine, text={TEXT + ' x'!r})"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda word, _: None, "returned None"),
        (lambda word, _: [], "returned no piece"),
        (lambda word, _: [*word], "which the vocabulary does not have"),
        (lambda word, _: 1 / 0, "raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_function_that_fails_is_told_and_the_reference_stands_in(
    answer: object, told: str
) -> None:
    lab = labs.TokenizerLab(wordpiece=answer, text="雪 ☃")  # type: ignore[arg-type]
    shown = lab.still()["text/plain"]
    assert told in shown
    assert "the picture is the reference's" in shown
    assert len(Front(lab).ready().panels["pieces"]["pieces"]) == 2


def test_the_still_picture_is_the_same_each_time() -> None:
    first, second = (labs.TokenizerLab(text="<b> & 雪").still() for _ in range(2))
    assert first == second
    assert "雪" in first["image/svg+xml"]
    assert "&lt;" in first["image/svg+xml"]
    assert repr(labs.TokenizerLab(text="a", size=70)) == "TokenizerLab(text='a', size=70)"


@pytest.mark.parametrize("kind", ["wordpiece", "minilm"])
def test_a_word_of_more_than_100_letters_is_unknown_as_in_the_tokenizer(kind: str) -> None:
    front = Front(labs.TokenizerLab(text="a" * 100, kind=kind)).ready()
    assert "unknown, as in BERT" not in front.last["summary"]
    cut = front.panels["pieces"]["pieces"]
    assert len(cut) > 1
    summary = front.move(text="a" * 985)["summary"]
    assert "A word of more than 100 letters is unknown, as in BERT." in summary
    assert len(front.panels["pieces"]["pieces"]) == 1
    assert "a" * 50 not in summary
    assert load_minilm()[1].encode("a" * 101).tokens[1:-1] == ["[UNK]"]


def test_a_word_without_end_is_cut_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    from course.labs.tokenizer import compute

    asked: list[str] = []

    def counted(word: str, vocabulary: Any) -> list[str]:
        asked.append(word)
        return wordpiece(word, vocabulary)

    monkeypatch.setattr(compute, "wordpiece", counted)
    front = Front(labs.TokenizerLab()).ready()
    asked.clear()
    front.move(text="ab" * 490)
    assert asked == []
