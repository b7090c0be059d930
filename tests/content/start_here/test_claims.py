"""What the chapter's prose and its quiz say, held against what its own cells compute."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from course.content import manuscript
from course.datasets.passages import Index, bm25
from course.datasets.passages.box import EXAMPLE
from encoder_core import sentence_embedding
from tests.content import cells
from tests.content.said import right

pytestmark = pytest.mark.slow

ON_311 = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="which passage is found depends on Python's own texts"
)


@pytest.fixture(scope="module")
def chapter(computed: Path) -> SimpleNamespace:
    """All names of the chapter after its last cell, and what it printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(computed))
        return cells.run_all("00_start_here")


def titles(chapter: SimpleNamespace, question: str, count: int = 3) -> list[str]:
    return [passage.title for passage in chapter.index.search(question, count).passages]


def test_the_documentation_is_well_over_a_thousand_passages(chapter: SimpleNamespace) -> None:
    assert 1200 < len(chapter.index.passages) < 3000
    lengths = chapter.index.vectors.norm(dim=1)
    assert torch.allclose(lengths, torch.ones_like(lengths), atol=2e-3)
    assert right("start_here.length") == "<code>(passages @ question).argmax()</code> alone."


@ON_311
def test_the_first_question_finds_its_answer_without_its_words(chapter: SimpleNamespace) -> None:
    found = chapter.index.search(EXAMPLE, 1)
    assert found.passages[0].title == "heapq.nlargest"
    text = found.passages[0].text.lower()
    assert "the n largest elements in a dataset" in " ".join(text.split())
    assert not re.search(r"\b(three|numbers?|list)\b", text)


@ON_311
@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Which day of the week is it?", "calendar.weekday"),
        ("join two paths", "os.path.join"),
        ("mean of some numbers", "statistics.mean"),
    ],
)
def test_the_questions_to_try_find_their_answers(
    chapter: SimpleNamespace, question: str, title: str
) -> None:
    assert titles(chapter, question)[0] == title


@ON_311
def test_where_it_fails_is_where_the_prose_says(chapter: SimpleNamespace) -> None:
    france = chapter.index.search("What is the capital of France?", 3)
    assert max(france.similarities) < 0.25
    loop = chapter.index.search("How do I leave a loop early?", 12)
    assert min(loop.similarities[:3]) > 1.8 * max(france.similarities), "twice as high"
    assert {p.title for p in loop.passages[:3]} == {"StopIteration", "next", "itertools.cycle"}
    assert "str.capitalize" in [passage.title for passage in france.passages]
    assert "StopIteration" in titles(chapter, "How do I leave a loop early?")
    assert "The break statement" not in titles(chapter, "How do I leave a loop early?")
    assert any(p.title == "The break statement" for p in chapter.index.passages)


@ON_311
def test_each_search_finds_what_the_other_misses(chapter: SimpleNamespace) -> None:
    start = next(i for i, line in enumerate(chapter.printed) if "by meaning" in line)
    lines = chapter.printed[start + 1 : start + 4]
    assert [line[:50].strip() for line in lines] == list(chapter.answers)
    assert [line[50:].split() for line in lines] == [["1", "8"], ["1", "2"], ["13", "3"]]
    note = {cell.id: cell.source for cell in manuscript.read("00_start_here")}["both-searches-note"]
    for words in (
        "first and BM25 eighth",
        "first and BM25 second",
        "third and the encoder thirteen",
    ):
        assert words in note


@ON_311
@pytest.mark.parametrize("k1", [1.2, 1.5, 2.0])
def test_which_search_is_ahead_does_not_hang_on_the_constants(
    chapter: SimpleNamespace, k1: float
) -> None:
    ahead = []
    for question, title in chapter.answers.items():
        rows = [i for i, p in enumerate(chapter.index.passages) if p.title == title]
        by_meaning = chapter.index.vectors @ sentence_embedding(question)
        by_words = bm25(question, chapter.texts, k1=k1)
        meaning, words = ((x > x[rows].max()).sum().item() for x in (by_meaning, by_words))
        ahead.append("meaning" if meaning < words else "words")
    assert ahead == ["meaning", "meaning", "words"]


def test_where_a_python_lacks_the_passage_the_cell_still_runs(chapter: SimpleNamespace) -> None:
    cell = {c.id: c.source for c in manuscript.read("00_start_here")}["both-searches-run"]
    few = Index(chapter.index.passages[:3], chapter.index.vectors[:3])
    printed: list[str] = []
    exec(cell, {**vars(chapter), "index": few, "print": printed.append})
    assert len(printed) == 1


def test_the_encoder_is_as_large_as_the_prose_says(chapter: SimpleNamespace) -> None:
    assert f"{chapter.count / 1e6:.1f}" == "22.7"
    assert round(175e9 / chapter.count, -2) == 7700


def test_a_vector_for_each_token(chapter: SimpleNamespace) -> None:
    assert tuple(chapter.hidden.shape) == (1, 14, 384)
    assert right("start_here.what-comes-out").startswith("14 vectors of 384 numbers")
    assert "the search's vector: True" in chapter.printed


def test_meaning_counts_more_than_words_and_words_count_too(chapter: SimpleNamespace) -> None:
    first = chapter.similarities[0]
    assert first[1] > first[2] + 0.05
    assert first[2] > first[3] + 0.2
    words = [set(re.findall(r"\w+", text.lower())) for text in chapter.sentences]
    matter = {"find", "three", "largest", "numbers", "list"}
    assert words[0] & words[1] & matter == {"three"}
    assert words[0] & words[2] & matter == {"three", "largest", "list"}


def test_the_families_differ_in_who_may_look_at_whom(chapter: SimpleNamespace) -> None:
    assert chapter.every.all()
    assert not chapter.back.triu(1).any()
    assert chapter.both[:3, :3].all()
    assert not chapter.both[:3, 3:].any(), "the input never looks at the output"
    assert chapter.both[3:, :3].all()
    assert not chapter.both[3:, 3:].triu(1).any()


def test_the_model_solution_searches_as_the_search_does(chapter: SimpleNamespace) -> None:
    question = "mean of some numbers"
    own = chapter.index.search(question, best_match=chapter.best_match)
    assert own.passages == chapter.index.search(question).passages
