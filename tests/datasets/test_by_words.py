"""BM25 against its formula, written out for a small case; the word index against scikit-learn."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from course.datasets import passages

TEXTS = ["the cat saw the dog", "A dog, a dog", "nothing here"]


def test_each_score_is_the_sum_over_the_shared_words() -> None:
    # N = 3 texts of 5, 4 and 2 words; "the" stands in one of them, twice, and "dog" in two.
    k1, b, mean = 1.2, 0.75, 11 / 3
    rare, usual = math.log(1 + 2.5 / 1.5), math.log(1 + 1.5 / 2.5)
    first = 1 - b + b * 5 / mean
    second = 1 - b + b * 4 / mean
    expected = [
        rare * 2 * (k1 + 1) / (2 + k1 * first) + usual * (k1 + 1) / (1 + k1 * first),
        usual * 2 * (k1 + 1) / (2 + k1 * second),
        0.0,
    ]
    found = passages.bm25("The DOG?", TEXTS)
    assert found.dtype == torch.float64
    assert found.tolist() == pytest.approx(expected, rel=1e-12)


def test_without_b_the_length_does_not_count_and_without_k1_nor_does_how_often() -> None:
    once_and_twice = passages.bm25("dog", ["dog", "dog dog and many more words"], k1=0.0)
    assert once_and_twice[0] == once_and_twice[1] > 0
    short_and_long = passages.bm25("dog", ["dog", "dog and many more words"], b=0.0)
    assert short_and_long[0] == short_and_long[1] > 0
    marked_down = passages.bm25("dog", ["dog", "dog and many more words"])
    assert marked_down[0] > marked_down[1]


def test_a_word_asked_twice_counts_twice_and_one_that_no_text_has_not_at_all() -> None:
    once = passages.bm25("dog", TEXTS)
    torch.testing.assert_close(passages.bm25("dog dog unicorn", TEXTS), 2 * once)


@pytest.mark.parametrize(("question", "texts"), [("", TEXTS), ("dog", []), ("dog", ["", ""])])
def test_where_there_is_nothing_to_compare_the_scores_are_zero(
    question: str, texts: list[str]
) -> None:
    assert passages.bm25(question, texts).tolist() == [0.0] * len(texts)


def test_the_word_index_scores_as_scikit_learn_does_and_says_what_each_word_adds() -> None:
    texts = [*TEXTS, "", "The dog's tail: a tail_end", "Café olé 9"]
    index = passages.WordIndex(texts)
    vectorizer = TfidfVectorizer()
    documents = vectorizer.fit_transform(texts)
    for question in ("The dog, the CAT", "unicorn tail tail", "café", "unicorn", "", "a ?"):
        expected = (documents @ vectorizer.transform([question]).T).toarray()[:, 0]
        scores = index.scores(question)
        assert scores.tolist() == pytest.approx(expected.tolist(), abs=1e-6)
        for row, score in enumerate(scores):
            assert sum(index.added(question, row).values()) == pytest.approx(float(score), abs=1e-6)
    assert set(index.added("unicorn tail", 0)) == {"tail"}
    assert [index.texts_with(word) for word in ("dog", "tail", "unicorn")] == [3, 1, 0]
    assert passages.WordIndex([]).scores("dog").tolist() == []
