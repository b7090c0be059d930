"""Training a WordPiece vocabulary: equal to counting anew each time, and near to the library's."""

from __future__ import annotations

import itertools
import sysconfig
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece as TheirModel
from tokenizers.trainers import WordPieceTrainer

from encoder_core.text.tokenizer import WordPiece
from encoder_core.text.wordpiece_training import count_words, train_wordpiece

SPECIALS = list(WordPiece.specials)


def by_counting_anew(counts: Counter[str], vocab_size: int, min_count: int) -> list[str]:
    """Algorithm 1 of Sennrich et al. 2016, word for word: every pair counted at every step."""
    words = {word: [word[0], *(f"##{letter}" for letter in word[1:])] for word in counts}
    letters: Counter[str] = Counter()
    for word, pieces in words.items():
        for piece in pieces:
            letters[piece] += counts[word]
    kept = sorted(letters, key=lambda piece: (-letters[piece], piece))[: vocab_size - 5]
    vocabulary = SPECIALS + sorted(kept, key=lambda piece: (piece.startswith("##"), piece))
    while len(vocabulary) < vocab_size:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, pieces in words.items():
            for pair in itertools.pairwise(pieces):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], *map(vocabulary.index, pair)))
        if pairs[best] < min_count:
            break
        new = best[0] + best[1].removeprefix("##")
        if new not in vocabulary:
            vocabulary.append(new)
        for word, pieces in words.items():
            joined: list[str] = []
            for piece in pieces:
                if joined and (joined[-1], piece) == best:
                    joined[-1] = new
                else:
                    joined.append(piece)
            words[word] = joined
    return vocabulary


@given(
    words=st.dictionaries(
        st.text("abc", min_size=1, max_size=9), st.integers(1, 5), min_size=1, max_size=12
    ),
    vocab_size=st.integers(5, 60),
    min_count=st.integers(1, 4),
)
def test_equals_counting_every_pair_at_every_step(
    words: dict[str, int], vocab_size: int, min_count: int
) -> None:
    counts = Counter(words)
    trained = train_wordpiece(counts, vocab_size, min_count=min_count)
    assert list(trained.vocabulary) == by_counting_anew(counts, vocab_size, min_count)
    assert list(trained.vocabulary.values()) == list(range(len(trained.vocabulary)))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    library = Path(sysconfig.get_paths()["stdlib"])
    return [
        path.read_text(encoding="utf-8", errors="replace") for path in library.glob("[a-d]*.py")
    ]


def test_is_near_to_the_librarys_on_real_text(texts: list[str]) -> None:
    ours = train_wordpiece(texts, 3000)
    theirs = Tokenizer(TheirModel(unk_token="[UNK]"))
    theirs.normalizer = normalizers.BertNormalizer()
    theirs.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = WordPieceTrainer(
        vocab_size=3000, special_tokens=SPECIALS, min_frequency=2, show_progress=False
    )
    theirs.train_from_iterator(texts, trainer)
    shared = ours.vocabulary.keys() & theirs.get_vocab().keys()
    assert len(ours.vocabulary) == theirs.get_vocab_size() == 3000
    assert len(shared) > 2980  # among equals the library does not always take the same
    length = sum(len(ours.encode(text)) - 2 for text in texts[:5])
    their_length = sum(len(theirs.encode(text).ids) for text in texts[:5])
    assert abs(length - their_length) < 0.01 * their_length


def test_a_larger_vocabulary_begins_with_the_smaller_one_and_cuts_less(texts: list[str]) -> None:
    counts = count_words(texts)
    sizes = [300, 1000, 2000]
    trained = [train_wordpiece(counts, size) for size in sizes]
    for small, large in itertools.pairwise(trained):
        assert list(large.vocabulary)[: len(small.vocabulary)] == list(small.vocabulary)
    lengths = [len(tokenizer.encode(texts[0])) for tokenizer in trained]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1]
    assert "[UNK]" not in trained[0].encode(texts[0]).tokens


def test_special_tokens_come_first_and_every_piece_is_told_as_it_is_found() -> None:
    told: list[tuple[str, int]] = []
    tokenizer = train_wordpiece(
        ["aaab aaab aab"], 12, on_merge=lambda piece, count: told.append((piece, count))
    )
    assert list(tokenizer.vocabulary)[:5] == SPECIALS
    assert told[0] == ("aa", 3)
    assert [count for _, count in told] == sorted((count for _, count in told), reverse=True)
    assert all(piece in tokenizer.vocabulary for piece, _ in told)


def test_chinese_words_are_single_letters_and_rare_letters_are_left_out() -> None:
    tokenizer = train_wordpiece(["编码器 编码器 编码", "ab ab"], 100, limit_alphabet=4)
    assert tokenizer.encode("编码器").tokens == ["[CLS]", "编", "码", "[UNK]", "[SEP]"]
    assert "ab" in tokenizer.vocabulary
    assert not any(piece.startswith("##编") for piece in tokenizer.vocabulary)


def test_case_and_accents_are_kept_where_asked() -> None:
    cased = train_wordpiece(["Élan Élan"], 50, lowercase=False)
    assert cased.encode("Élan élan").tokens == ["[CLS]", "Élan", "[UNK]", "[SEP]"]
    bare = train_wordpiece(["Élan Élan"], 50)
    assert bare.encode("ELAN").tokens == ["[CLS]", "elan", "[SEP]"]


def test_an_empty_word_among_counted_ones_is_left_out() -> None:
    words = ["low", "", "lower", "low"]  # as of "low  lower low".split(" ")
    vocabulary = train_wordpiece(Counter(words), 30).vocabulary
    assert vocabulary == train_wordpiece(Counter(filter(None, words)), 30).vocabulary


def test_no_room_is_said_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="vocab_size=4 has no room"):
        train_wordpiece(["a"], 4)
    assert list(train_wordpiece([""], 9).vocabulary) == SPECIALS
