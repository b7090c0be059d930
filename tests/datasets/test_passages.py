"""Search in the installed documentation: what is cut, what is found, what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from course import learner
from course.datasets import passages
from course.datasets.passages import Found, Index, Passage, SearchBox, docstrings, index, topics
from course.datasets.passages.passage import MOST_WORDS, cut
from encoder_core import sentence_embedding

FEW = [
    Passage("heapq.nlargest", "Find the n largest elements in a dataset."),
    Passage("shutil.copy", "Copy data and mode bits."),
    Passage("time.sleep", "Delay execution for a given number of seconds."),
    Passage("random.choice", "Choose a random element from a non-empty sequence."),
]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[Passage]:
    """Four passages in the place of the documentation."""
    monkeypatch.setattr(index, "topic_passages", lambda found: FEW[:2])
    monkeypatch.setattr(index, "docstring_passages", lambda: FEW[2:])
    return FEW


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many passages were embedded, each time that it was done."""
    counts: list[int] = []
    original = index.embed

    def counted(found: list[Passage], on_batch: Any = None) -> Tensor:
        counts.append(len(found))
        return original(found, on_batch)

    monkeypatch.setattr(index, "embed", counted)
    return counts


def test_headings_paragraphs_and_code_are_told_apart() -> None:
    text = (
        'The "with" statement\n********************\n\nIt wraps\na block:\n\n   with x:\n       y\n\n'
        "   with_stmt ::= 'with' x\n\nNothing\n\nBelow\n=====\n\nAnd here is more of it.\n"
    )
    assert topics.sections(text) == [
        ("The with statement", ["It wraps\na block:\n\n    with x:\n        y"]),
        ("Below", ["And here is more of it."]),
    ] or topics.sections(text)[1] == ("Below", ["And here is more of it."])


def test_a_paragraph_that_two_topics_share_is_given_once() -> None:
    shared = "One thought that stands in both of them."
    found = {
        "long": f"Long\n****\n\n{shared}\n\nSomething else that is only here.\n",
        "short": f"Short\n*****\n\n{shared}\n",
    }
    passages_found = topics.topic_passages(found)
    assert [(p.title, p.text) for p in passages_found] == [
        ("Short", shared),
        ("Long", "Something else that is only here."),
    ]


def test_a_method_and_what_it_does_stay_together() -> None:
    text = (
        "Methods\n*******\n\nstr.lower()\n\n   Return a lowercase copy.\n\n"
        "str.split(sep=None)\n\n   Return a list of the words.\n"
    )
    assert [p.text for p in topics.topic_passages({"m": text})] == [
        "str.lower()\n\nReturn a lowercase copy.",
        "str.split(sep=None)\n\nReturn a list of the words.",
    ]


def test_pieces_keep_all_words_in_their_order() -> None:
    paragraphs = [f"{i} " * (7 * i % 60 + 1) for i in range(1, 30)]
    pieces = cut(paragraphs)
    assert " ".join(pieces).split() == " ".join(paragraphs).split()
    assert all(len(piece.split()) <= MOST_WORDS for piece in pieces)


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("join(a, *p)\n\nJoin two paths.", "Join two paths."),
        ("D.reverse() -- reverse *IN PLACE*", "D.reverse() -- reverse *IN PLACE*"),
        ("The result of re.match() and re.search().", "The result of re.match() and re.search()."),
        ("f(x) -> int\nf(x, y) -> int\n\nAdd.", "Add."),
        (None, ""),
        (property(), ""),
    ],
)
def test_the_beginning_of_a_docstring(docstring: Any, expected: str) -> None:
    assert docstrings.beginning(docstring) == expected


def test_this_pythons_documentation_is_cut_into_passages() -> None:
    found = [*topics.topic_passages(topics.topics()), *docstrings.docstring_passages()]
    titles = {passage.title for passage in found}
    assert {"The try statement", "heapq.nlargest", "os.path.join", "str.split", "len"} <= titles
    assert 1000 < len(found) < 4000
    assert all(passage.text.strip() and passage.title for passage in found)
    assert len({passage.embedded for passage in found}) > 0.99 * len(found)


def test_without_topics_there_are_docstrings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pydoc_data.topics", None)
    assert topics.topics() == {}
    assert topics.topic_passages({}) == []


def test_a_question_finds_the_passage_that_answers_it_without_sharing_a_word() -> None:
    found = Index(FEW, index.embed(FEW, lambda done, of: None)).search("wait a moment, please", 2)
    assert found.passages[0].title == "time.sleep"
    assert found.similarities[0] > found.similarities[1]
    assert "time.sleep" in repr(found)
    assert "<details open>" in found._repr_html_()


def test_the_second_time_nothing_is_embedded(few: list[Passage], embedded: list[int]) -> None:
    said: list[tuple[int, int]] = []
    first = passages.load(lambda done, of: said.append((done, of)))
    second = passages.load()
    assert embedded == [4]
    assert said[-1] == (4, 4)
    assert torch.equal(first.vectors, second.vectors)
    expected = sentence_embedding([p.embedded for p in few])
    torch.testing.assert_close(first.vectors, expected, atol=1e-3, rtol=0)
    assert first.passages == tuple(few)


def test_the_solved_chapter_uses_what_the_chapter_computed(
    few: list[Passage], embedded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    passages.load()
    monkeypatch.setenv("COURSE_HOME", str(learner.home()))  # undone after the test
    learner.set_apart("solutions")
    passages.load()
    assert embedded == [4]


@pytest.mark.parametrize("damage", [b"", b"\xff" * 64, b'{"x"'])
def test_a_damaged_file_is_made_anew(
    few: list[Passage], embedded: list[int], damage: bytes
) -> None:
    passages.load()
    (path,) = (learner.home() / "passages").glob("*")
    whole = path.read_bytes()
    for content in (damage, whole[: len(whole) // 2]):
        path.write_bytes(content)
        passages.load()
        assert path.read_bytes() == whole
    assert embedded == [4, 4, 4]


def test_another_python_or_model_or_way_of_cutting_gets_another_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {index.key()}
    monkeypatch.setattr(index, "MAX_LENGTH", 99)
    names.add(index.key())
    monkeypatch.setattr(index, "MINILM_SHA256", "0" * 64)
    names.add(index.key())
    monkeypatch.setattr(index.platform, "python_version", lambda: "3.99.0")
    names.add(index.key())
    monkeypatch.setattr(index, "topics_module", index)
    names.add(index.key())
    assert len(names) == 5


def test_passages_are_read_from_disk_with_their_vectors(
    few: list[Passage], embedded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is imported meanwhile may change what docstrings there are; the pairs stay pairs."""
    passages.load()
    monkeypatch.setattr(index, "docstring_passages", lambda: [])
    assert passages.load().passages == tuple(few)
    assert embedded == [4]


def test_a_folder_that_cannot_be_written_stops_nothing(
    few: list[Passage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file"))
    assert len(passages.load().passages) == 4
    assert "cannot be written" in capsys.readouterr().out


def small() -> Index:
    return Index(FEW, torch.nn.functional.normalize(torch.randn(4, 384), dim=1))


def test_a_function_of_ones_own_chooses() -> None:
    seen: list[tuple[Any, ...]] = []

    def last(question: Tensor, vectors: Tensor) -> int:
        seen.append((tuple(question.shape), tuple(vectors.shape)))
        return len(vectors) - 1

    found = small().search("anything", 3, best_match=last)
    assert [p.title for p in found.passages] == ["random.choice", "time.sleep", "shutil.copy"]
    assert seen == [((384,), (4, 384)), ((384,), (3, 384)), ((384,), (2, 384))]


@pytest.mark.parametrize("wrong", [-1, 4, None, 1.0, True])
def test_a_function_that_gives_no_index_is_told_so(wrong: Any) -> None:
    with pytest.raises(ValueError, match="index from 0 to 3"):
        small().search("anything", best_match=lambda question, vectors: wrong)


def test_what_cannot_be_searched_is_said() -> None:
    with pytest.raises(ValueError, match="question is empty"):
        small().search("  ")
    with pytest.raises(ValueError, match=r"4 passages need \(4, D\)"):
        Index(FEW, torch.zeros(3, 384))
    assert len(small().search("more than there are", 9).passages) == 4


def test_the_box_answers_what_is_typed() -> None:
    box = SearchBox(small(), "first")
    view = box._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]
    widget = box._widget
    assert view["model_id"] == widget.model_id
    before = widget.answer
    assert "<details open>" in before

    def typed(number: int, question: str) -> str:
        message = {"type": "ask", "number": number, "question": question}
        widget._handle_custom_msg(message, [])
        assert widget.answered == number
        return str(widget.answer)

    after = typed(1, "something else entirely")
    assert after != before
    assert typed(2, "   ") == after
    assert box.question == "   "
    widget._handle_custom_msg({"type": "there"}, [])
    assert widget.answered == 2


def test_without_a_front_end_the_box_is_a_text_that_stays_the_same() -> None:
    index_of_few = Index(FEW, index.embed(FEW, lambda done, of: None))
    box = SearchBox(index_of_few)
    assert repr(box) == repr(box)
    assert "heapq.nlargest" in repr(box)
    assert isinstance(box.ask("copy"), Found)
    assert box.ask("") is None
