"""Characters as tokens, and pairs of sentences."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from encoder_core.text.characters import CharacterTokenizer
from encoder_core.text.pairs import next_sentence_pairs, sentence_pair

IDS = st.lists(st.integers(5, 99), max_size=12)


def by_hand(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    first, second = list(first), list(second)
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


@given(first=IDS, second=IDS, max_length=st.integers(3, 30))
def test_a_pair_is_cut_one_token_at_a_time(
    first: list[int], second: list[int], max_length: int
) -> None:
    one, two = by_hand(first, second, max_length - 3)
    ids, types = sentence_pair(first, second, 2, 3, max_length)
    assert ids == [2, *one, 3, *two, 3]
    assert types == [0] * (len(one) + 2) + [1] * (len(two) + 1)


def test_a_pair_needs_room_for_its_special_tokens() -> None:
    with pytest.raises(ValueError, match="max_length=2 has no room"):
        sentence_pair([5], [6], 2, 3, 2)


def test_half_of_the_pairs_are_consecutive_and_the_others_of_another_document() -> None:
    documents = [[(number, place) for place in range(300)] for number in range(4)]
    pairs = next_sentence_pairs(documents, torch.Generator().manual_seed(0))
    assert [first for first, _, _ in pairs] == [at for d in documents for at in d[:-1]]
    for (number, place), second, follows in pairs:
        assert (second == (number, place + 1)) == follows
        assert follows or second[0] != number
    share = sum(follows for _, _, follows in pairs) / len(pairs)
    assert abs(share - 0.5) < 6 * 0.5 / math.sqrt(len(pairs))
    assert pairs == next_sentence_pairs(documents, torch.Generator().manual_seed(0))


def test_one_document_gives_other_sentences_of_its_own() -> None:
    for first, second, follows in next_sentence_pairs([list(range(50))]):
        assert follows == (second == first + 1)
        assert second != first
    with pytest.raises(ValueError, match="at least three sentences"):
        next_sentence_pairs([["a", "b"]], torch.Generator().manual_seed(1))


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_known_text_comes_back_whole(text: str, pair: str) -> None:
    tokenizer = CharacterTokenizer.from_texts([text, pair])
    encoding = tokenizer.encode(text, pair)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert tokenizer.decode(encoding.ids) == text + pair
    assert len(encoding) == len(text) + len(pair) + 3
    for token, kind, (start, end) in zip(
        encoding.tokens, encoding.type_ids, encoding.offsets, strict=True
    ):
        assert (start, end) == (0, 0) or (text, pair)[kind][start:end] == token


def test_frequent_characters_come_first_and_the_rest_is_unknown() -> None:
    tokenizer = CharacterTokenizer.from_texts(["bbb aa", "c"], size=7)
    assert list(tokenizer.vocabulary) == [*CharacterTokenizer.specials, "b", "a"]
    assert tokenizer.encode("abc").ids == [2, 6, 5, 1, 3]
    assert len(CharacterTokenizer.from_texts(["aab"], min_count=2)) == 6
    with pytest.raises(ValueError, match="size=4 has no room"):
        CharacterTokenizer.from_texts(["a"], size=4)
    for wrong in (["ab"], ["a", "a"], [""]):
        with pytest.raises(ValueError, match="single and different"):
            CharacterTokenizer(wrong)


def test_batches_are_padded_and_cut_as_those_of_wordpiece() -> None:
    tokenizer = CharacterTokenizer("ab")
    batch = tokenizer.batch(["a", "abab"], max_length=5)
    assert batch.ids.tolist() == [[2, 5, 3, 0, 0], [2, 5, 6, 5, 3]]
    assert batch.padding_mask.tolist() == [[False] * 3 + [True] * 2, [False] * 5]
    paired = tokenizer.batch(["aa"], ["b"])
    assert paired.type_ids.tolist() == [[0, 0, 0, 0, 1, 1]]
    with pytest.raises(ValueError, match=r"pass \[text\]"):
        tokenizer.batch("ab")
    with pytest.raises(ValueError, match="2 texts and 1 second"):
        tokenizer.batch(["a", "b"], ["a"])
