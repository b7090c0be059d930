"""The frozen documentation: what is prose, how it is split, and that it can be made again."""

from __future__ import annotations

import gzip
import tomllib
from collections import defaultdict
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch

from course import datasets
from course.datasets.python_docs import build, corpus, snapshot, splits
from course.datasets.python_docs.prose import paragraphs
from tests.sampled import at_night

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Join two\n  or more paths.", ["Join two or more paths."]),
        ("join(a, *p) -> str\nJoin two or more paths.", ["Join two or more paths."]),
        ("Return the mean of data.\n>>> mean([1, 2])\n1.5", ["Return the mean of data."]),
        ("Write it so::\n\n    for x in y:\n        total = x", []),
        ("It is written like this::\n\n    print(x, y, z)", ["It is written like this:"]),
        ("for x in y: print(x) or return it", ["for x in y: print(x) or return it"]),
        ("The first of them:\n- one of the things\n- another of the things",
         ["The first of them:", "one of the things", "another of the things"]),
        ("Title\n*****\n\nA sentence of five words.", ["A sentence of five words."]),
        ("with_stmt ::= the with of the item", []),
        ("name    size    use of it\nalpha   1       the first of them", []),
        ("Written by A. Person <person@example.org> in one day.", []),
        ("Three words only.", []),
        ("The result of it is a == b, c += d, e -> f, g * h / 2", []),
        ("The ß stands for two letters.", []),
        ("See :class:`~a.b.Name` and ``code`` for *more* of it.",
         ["See a.b.Name and code for more of it."]),
        ("It’s “so” – and … so on.", ["It's \"so\" - and ... so on."]),
        ("Optional args lo (default 0) and hi bound it.",
         ["Optional args lo (default 0) and hi bound it."]),
    ],
)  # fmt: skip
def test_prose_is_kept_and_the_rest_is_not(text: str, kept: list[str]) -> None:
    assert paragraphs(text) == kept


def test_a_source_goes_to_a_split_by_its_name_alone_while_there_is_room() -> None:
    sizes = {f"module{i}": 10 + i for i in range(200)}
    chosen = splits.assign(sizes, lambda source: "all")
    assert splits.assign(dict(reversed(sizes.items())), lambda source: "all") == chosen
    whole = sum(sizes.values())
    for split, share in splits.SHARES.items():
        size = sum(sizes[source] for source in sizes if chosen[source] == split)
        assert share * whole - min(sizes.values()) < size <= share * whole
    assert splits.assign({"large": 99, "small": 1}, lambda source: "all")["large"] == "train"


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("Return the name of the file.", "return the NAME, of the file", True),
        ("Return the name of the file.", "First, return the name of the file or None.", True),
        ("Return the name of the file.", "Return the name of an open file.", False),
        ("Return it.", "Return it.", True),
        ("Return it.", "Return them.", False),
        ("a b c d e f g h i j", "a b c d e 1 2 3 4 5", False),
        ("a b c d e f g h i j", "a b c d e f g 1 2 3", True),
    ],
)
def test_near_duplicates_share_half_of_their_shingles(one: str, other: str, near: bool) -> None:
    assert splits.near_duplicates([one], [other]) == ({0} if near else set())
    assert splits.near_duplicates([other], [one]) == ({0} if near else set())


def test_a_paragraph_is_kept_once_and_out_of_training_where_it_is_tested() -> None:
    names = [f"module{i}" for i in range(40)]
    raw = [build.Raw(name, "", f"This is all about {name}, and nothing more.") for name in names]
    chosen = {document.source: document.split for document in build.documents(raw)}
    held_out = next(name for name in names if chosen.get(name) == "test")
    training = next(name for name in names if chosen.get(name) == "train")
    copied = "\n\n".join(
        [
            "Whoever copies this sentence of seventeen words takes most of it, or all, from here to there.",
            "Whoever keeps to words of their own is left alone by all of this.",
        ]
    )
    first = copied.partition("\n\n")[0].replace("seventeen", "many")
    changed = [
        text._replace(text={held_out: first, training: copied}.get(text.source, text.text))
        for text in raw
    ]
    found = {document.source: document for document in build.documents(changed)}
    assert "sentence of many words" in found[held_out].text
    assert found[training].text == copied.partition("\n\n")[2]


def test_no_source_and_no_paragraph_is_in_two_splits() -> None:
    sources: dict[str, set[str]] = defaultdict(set)
    seen: dict[tuple[str, ...], str] = {}
    for document in snapshot.documents():
        sources[document.source].add(document.split)
        for paragraph in document.text.split("\n"):
            assert seen.setdefault(splits.words_of(paragraph), document.source) == document.source
    assert {len(found) for found in sources.values()} == {1}


@pytest.mark.slow  # three seconds
def test_nothing_in_training_nearly_equals_what_is_tested() -> None:
    parts: dict[str, list[str]] = defaultdict(list)
    for document in snapshot.documents():
        parts[document.split] += document.text.split("\n")
    held_out = parts["test"] + parts["validation"]
    assert not splits.near_duplicates(parts["train"], held_out)
    assert not splits.near_duplicates(parts["validation"], parts["test"])
    assert splits.near_duplicates(
        parts["train"][:5], [text + " So." for text in parts["train"][:2]]
    )


@at_night  # the whole standard library is read
def test_the_same_sources_make_the_same_snapshot() -> None:
    raw = build.raw_texts()
    if build.fingerprint(raw) != snapshot.origin().sha256:
        pytest.skip(f"this is not the library of Python {snapshot.origin().python}")
    unpacked = gzip.decompress(snapshot.TABLE.read_bytes())
    made = build.table(raw)
    assert made.partition(b"\n")[2] == unpacked.partition(b"\n")[2]
    training = [document.text for document in build.documents(raw) if document.split == "train"]
    assert build.vocabulary(training) == snapshot.VOCABULARY.read_text("utf-8")


def test_the_files_are_small_licensed_and_shipped() -> None:
    assert snapshot.TABLE.stat().st_size < 1_000_000
    licence = snapshot.LICENCE.read_text("utf-8")
    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in licence
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["course"]
    for file in (snapshot.TABLE, snapshot.VOCABULARY, snapshot.LICENCE):
        name = file.relative_to(ROOT / "course").as_posix()
        assert any(fnmatch(name, pattern) for pattern in patterns), name


def test_the_card_is_true() -> None:
    data = datasets.load("python-docs")
    card = data.card
    assert card.examples == len(data.train) + len(data.validation) + len(data.test)
    assert card.size == snapshot.TABLE.stat().st_size
    assert f"Python {snapshot.origin().python}" in card.about
    assert (corpus.snapshot.LICENCE.parent.parent / "python_docs/LICENSE-python.txt").is_file()
    every = [*data.train, *data.validation, *data.test]
    assert {example.source.partition("/")[0] for example in every} > {"topics", "email.message"}
    assert all(example.text.isascii() and example.label is None for example in every)
    characters = sum(len(example.text) for example in data.train)
    assert 0.7 < characters / sum(len(example.text) for example in every) < 0.8


def test_the_vocabulary_has_two_thousand_pieces() -> None:
    tokens = list(datasets.tokenizer().vocabulary)
    assert len(tokens) == 2000
    assert tokens[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert all(token == token.lower() for token in tokens[5:])


def paragraphs_of(split: str) -> list[str]:
    examples = getattr(datasets.load("python-docs"), split)
    return [paragraph for example in examples for paragraph in example.text.split("\n")]


def test_packed_rows_continue_the_text() -> None:
    rows = datasets.pieces("validation", length=32)
    cls, sep = (datasets.tokenizer().vocabulary[token] for token in ("[CLS]", "[SEP]"))
    assert rows.dtype == torch.int64
    assert rows.shape[1] == 32
    assert (rows[:, 0] == cls).all()
    assert (rows[:, 1:] != cls).all()
    stream = [
        number
        for text in paragraphs_of("validation")
        for number in (*datasets.tokenizer().encode(text).ids[1:-1], sep)
    ]
    assert rows[:, 1:].flatten().tolist() == stream[: len(rows) * 31]
    assert len(stream) - len(rows) * 31 < 31
    assert datasets.pieces("validation", length=32) is rows


def test_padded_rows_hold_one_paragraph() -> None:
    rows = datasets.pieces("validation", length=16, packed=False)
    tokenizer = datasets.tokenizer()
    cls, sep, pad = (tokenizer.vocabulary[token] for token in ("[CLS]", "[SEP]", "[PAD]"))
    assert rows.shape[1] == 16
    expected = []
    for text in paragraphs_of("validation"):
        ids = tokenizer.encode(text).ids[1:-1]
        for start in range(0, len(ids), 14):
            row = [cls, *ids[start : start + 14], sep]
            expected.append(row + [pad] * (16 - len(row)))
    assert rows.tolist() == expected


def test_hardly_a_piece_is_unknown_and_wrong_arguments_are_explained() -> None:
    unknown = datasets.tokenizer().vocabulary["[UNK]"]
    assert not (datasets.pieces("test", length=48) == unknown).any()
    with pytest.raises(ValueError, match="'train', 'validation' or 'test'"):
        datasets.pieces("dev")
    with pytest.raises(ValueError, match="at least 3"):
        datasets.pieces("test", length=2)
