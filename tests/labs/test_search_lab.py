"""The search lab: two rankings, the learner's own search and folder, and what is wrong said plainly."""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from course import labs
from course.datasets import passages
from course.labs.pieces import SPECIAL, UNKNOWN
from course.labs.search import reading as reading_module
from course.labs.search.view import parts
from course.labs.search.widget import SearchLab
from course.system.outputs import with_page
from encoder_core import sentence_embedding
from tests.labs.front import Front
from tests.typed import TYPED, fits_a_notebook

TEXTS = (
    "Copy a file to another folder.",
    "Wait until a thread ends.",
    "Sort a list of numbers in place.",
    "Send a message over a socket.",
    "Remove a directory and all that is in it.",
    "Parse a date; a file may hold several.",
    "The constant EBADF is raised for a file that was closed.",
)
SHELF = tuple(passages.Passage(f"note {i}", text) for i, text in enumerate(TEXTS))


@pytest.fixture(scope="module")
def index() -> passages.Index:
    return passages.Index(SHELF, passages.embed(SHELF, lambda *_: None))


@pytest.fixture
def lab(index: passages.Index) -> Iterator[SearchLab]:
    made = labs.SearchLab(index, text="erase a folder", name="notes")
    yield made
    made.close()


def ids(front: Front, panel: str) -> list[int]:
    return [entry["id"] for entry in front.panels[panel]["entries"]]


def test_both_rankings_with_scores_shared_words_and_places(
    lab: SearchLab, index: passages.Index
) -> None:
    front = Front(lab).ready()
    found = index.search("erase a folder", 5)
    by_meaning = front.panels["by_meaning"]["entries"]
    assert [entry["title"] for entry in by_meaning] == [each.title for each in found.passages]
    assert [entry["score"] for entry in by_meaning] == pytest.approx(found.similarities, abs=1e-6)
    assert by_meaning[0]["id"] == 4  # "Remove a directory": no word in common
    assert (by_meaning[0]["note"], by_meaning[0]["parts"]) == ("no shared word", [TEXTS[4]])
    words = passages.WordIndex(index.texts)
    by_words = front.panels["by_words"]["entries"]
    assert [entry["id"] for entry in by_words] == [0]  # the only one with a word of the question
    assert by_words[0]["score"] == pytest.approx(float(words.scores("folder")[0]))
    assert by_words[0]["parts"] == ["Copy a file to another ", "folder", "."]
    place = 1 + ids(front, "by_meaning").index(0)
    assert by_words[0]["note"] == f"no. {place} by meaning"
    assert front.panels["words"]["pieces"] == ["erase", "a", "folder"]
    assert list(front.data["words"]["marks"]) == [UNKNOWN, SPECIAL, 0]
    np.testing.assert_array_equal(front.floats("words", 1)[:, 0], [0, np.nan, 1])
    told = front.last["summary"]
    assert "“note 4: Remove a directory" in told
    assert "it shares no word" in told
    assert "In no passage: “erase”." in told
    assert front.last["choices"]["shelf"] == [[0, "notes (7 passages)"]]


def test_what_each_word_adds_to_the_chosen_passage(lab: SearchLab) -> None:
    front = Front(lab).ready()
    assert front.panels["by_words"]["chosen"] == 4  # the first by meaning, until another is chosen
    front.move(text="copy the file of a list", passage=5)
    assert front.panels["by_meaning"]["chosen"] == front.panels["by_words"]["chosen"] == 5
    assert front.panels["added"]["row_labels"][0] == "file"
    numbers = front.floats("added", 2)
    assert numbers[:-1, 1].sum() == pytest.approx(numbers[-1, 1])
    assert front.panels["both"]["series"][0]["count"] == len(TEXTS)
    front.move(text="sort numbers", shown=1)
    assert ids(front, "by_meaning") == ids(front, "by_words") == [2]
    assert front.panels["by_words"]["chosen"] == 2  # 5 is no longer shown


def test_words_are_marked_whatever_their_case_and_long_texts_are_cut() -> None:
    assert parts("File\n  x file-name", frozenset({"file"})) == ["", "File", " x ", "file", "-name"]
    cut = "".join(parts("ab " * 1000, frozenset()))
    assert cut.endswith("…")
    assert len(cut) < 1000


def test_the_learners_search_is_used_and_its_faults_are_told(index: passages.Index) -> None:
    def nearest(query: Tensor, documents: Tensor, count: int) -> Any:
        return returned(query, documents, count)

    def last(query: Tensor, documents: Tensor, count: int) -> Any:
        best = (query @ documents.T).topk(count, largest=False)
        return best.values, best.indices

    returned = last
    front = Front(labs.SearchLab(index, nearest=nearest, text="erase a folder", shown=2)).ready()
    worst = index.vectors @ sentence_embedding("erase a folder")
    assert ids(front, "by_meaning") == worst.topk(2, largest=False).indices.tolist()
    assert front.last["summary"].endswith("Computed by your own nearest.")
    kept = ids(front, "by_meaning")
    for wrong in (
        lambda q, d, c: None,
        lambda q, d, c: (q @ d.T).topk(c).values,
        lambda q, d, c: (q @ d.T).topk(c + 1),
        lambda q, d, c: (torch.zeros(1, c), torch.full((1, c), len(d))),
        lambda q, d, c: (torch.zeros(1, c), torch.zeros(1, c)),
    ):
        returned = wrong
        told = front.move(text=f"{front.last['values']['text']} x")["notice"]
        assert told.startswith("Your nearest should return two tensors of the shape (1, 2)")
        assert ids(front, "by_meaning") == kept

    def raises(*_: Any) -> Any:
        raise KeyError("oops")

    returned = raises
    assert "Your nearest raised KeyError" in front.move(text="another question")["notice"]
    fresh = Front(labs.SearchLab(index, nearest=raises, text="erase a folder", shown=2)).ready()
    assert "Until it works, the picture is the reference's." in fresh.last["notice"]
    assert ids(fresh, "by_meaning")[0] == 4


def test_invalid_settings_are_told_and_keep_the_picture(
    lab: SearchLab, index: passages.Index
) -> None:
    front = Front(lab).ready()
    before = ids(front, "by_meaning")
    assert front.move(text="  ")["notice"].startswith("There is no question yet.")
    assert "at most 200" in front.move(text="a" * 201)["notice"]
    assert "from 1 to 10" in front.move(text="erase a folder", shown=11)["notice"]
    assert "has to be read first" in front.move(shown=5, shelf=1)["notice"]
    assert ids(front, "by_meaning") == before
    assert front.move(shelf=0)["notice"] == ""
    nothing = front.move(text="qqq")
    assert front.panels["by_words"]["entries"] == []
    assert front.panels["by_words"]["empty"] == "None of the 7 passages has a word of the question."
    assert "None of the 7 passages" in nothing["summary"]
    with pytest.raises(ValueError, match="no question"):
        labs.SearchLab(index, text="")
    with pytest.raises(ValueError, match="no passage to search"):
        labs.SearchLab(passages.Index([], torch.zeros(0, 384)))
    with pytest.raises(ValueError, match="7 passages need as many texts; got 1"):
        passages.Index(SHELF, index.vectors, ["one"])


def press(front: Front, folder: Path | str) -> dict[str, Any]:
    """Name a folder, press the button, and wait for the end."""
    front.move(folder=str(folder))
    front.move(begin=True)
    lab: Any = front.lab
    if lab._reading is not None:
        assert lab._reading.wait(60)
    return front.last


def test_a_folder_of_ones_own_is_read_told_and_searched(lab: SearchLab, tmp_path: Path) -> None:
    (tmp_path / "bread.txt").write_text("Bread is baked of flour, water and salt.")
    (tmp_path / "train.md").write_text("The train to Vienna leaves in the morning.")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "large.txt").write_text("x " * 600_000)
    (tmp_path / "no.py").write_text("def f(:")
    front = Front(lab).ready()
    front.move(text="travel by rail")
    ended = press(front, tmp_path)
    assert ended["notice"] == ""
    assert ended["values"]["shelf"] == 1
    assert ended["values"]["reading"] is True
    told = front.panels["reading"]["runs"][0]["words"]
    assert told.startswith("Read: 2 passages of 2 files; skipped: ")
    for left in ("1 binary file", "1 file over 1 MB", "1 unreadable file"):
        assert left in told
    assert front.panels["reading"]["said"] == told
    assert front.panels["reading"]["buttons"][0]["off"]
    assert front.panels["by_meaning"]["entries"][0]["title"] == "train.md:1"
    assert ended["choices"]["shelf"][1] == [1, f"{tmp_path.name} (2 passages)"]
    assert front.move(text="salt")["values"]["reading"] is False
    assert ids(front, "by_words") == [0]
    assert front.move(shelf=0)["values"]["shelf"] == 0
    lab.read_folder(str(tmp_path)).wait(60)  # from Python, and a second time
    assert lab.settings["shelf"] == 2
    with pytest.raises(ValueError, match="path of a folder first"):
        lab.read_folder(" ")


def test_a_search_of_ones_own_that_fails_on_the_new_folder_leaves_the_old_picture(
    index: passages.Index, tmp_path: Path
) -> None:
    def nearest(query: Tensor, documents: Tensor, count: int) -> Any:
        assert len(documents) == len(SHELF)
        return (query @ documents.T).topk(count)

    (tmp_path / "one.txt").write_text("One text.")
    front = Front(labs.SearchLab(index, nearest=nearest, text="erase a folder")).ready()
    before = ids(front, "by_meaning")
    assert "Your nearest raised AssertionError" in press(front, tmp_path)["notice"]
    assert ids(front, "by_meaning") == before
    front.lab.close()


def test_folders_that_give_nothing_are_told_and_nothing_changes(
    lab: SearchLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = Front(lab).ready()
    before = ids(front, "by_meaning")
    assert press(front, " ")["notice"].startswith("Type the path of a folder first")
    assert "is no folder" in press(front, tmp_path / "missing")["notice"]
    folder = tmp_path / "folder"
    folder.mkdir()
    told = press(front, folder)["notice"]
    assert "no text to read in this folder (it has no files)" in told
    (folder / "picture.png").write_bytes(b"\x89PNG")
    assert "(1 file of another kind)" in press(front, folder)["notice"]
    (folder / "blank.txt").write_text("\n \n")
    assert "(1 without text; 1 file of another kind)" in press(front, folder)["notice"]
    monkeypatch.setattr(reading_module.os, "access", lambda *_: False)
    assert "may not be read with your permissions" in press(front, folder)["notice"]
    for odd in ("\0", "a" * 999, "~nobody-of-this-name/x"):
        assert press(front, odd)["notice"]
    assert ids(front, "by_meaning") == before
    assert lab.settings["shelf"] == 0


def test_a_reading_can_be_stopped_and_questions_stay_live_meanwhile(
    lab: SearchLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(40):
        (tmp_path / f"{i:02}.txt").write_text(f"Text {i}.")
    begun, go_on = threading.Event(), threading.Event()
    embed = passages.embed

    def slowly(found: Any, on_batch: Any, size: int) -> Tensor:
        def report(done: int, total: int) -> None:
            on_batch(done, total)
            begun.set()
            assert go_on.wait(60)

        return embed(found, report, size)

    monkeypatch.setattr(reading_module, "embed", slowly)
    front = Front(lab).ready()
    front.move(folder=str(tmp_path))
    front.move(begin=True)
    reading: Any = lab._reading
    assert begun.wait(60)
    front.move(text="sort numbers")
    assert ids(front, "by_words") == [2]
    state = front.panels["reading"]["runs"][0]
    assert (state["words"], state["step"], state["total"]) == (
        "Embedding: 8 of 40 passages.",
        8,
        40,
    )
    assert front.panels["reading"]["said"] == f"Reading {tmp_path}."
    front.move(stop="stop")
    go_on.set()
    assert reading.wait(60)
    assert front.last["notice"] == "Stopped. What was searched before is searched on."
    assert front.move(text="a folder")["notice"] == ""
    assert lab.settings["shelf"] == 0


def reached(front: Front, *texts: str) -> set[str]:
    for text in texts:
        front.move(text=text)
    return {each["id"] for each in front.challenges if "why" in each}


def test_tasks_are_reached_by_what_they_ask_for_and_not_by_less(lab: SearchLab) -> None:
    front = Front(lab).ready()
    assert reached(front, "a file", "zzz", "delete", "folder", "never folder") == set()
    assert reached(front, "transmit messages through sockets") == {"no-shared-word"}
    assert reached(front, "copy a file, but not to a folder") == {"no-shared-word", "denied"}


def test_a_rare_word_is_a_task_only_in_a_whole_question() -> None:
    many = [f"How to copy a file, way {i}: duplicate it." for i in range(12)]
    texts = [*many, "Bread and EBADF are baked of flour."]
    shelf = [passages.Passage("", text) for text in texts]
    index = passages.Index(shelf, passages.embed(shelf, lambda *_: None), texts)
    front = Front(labs.SearchLab(index, text="copy a file")).ready()
    assert "rare-word" not in reached(front, "copy a file", "ebadf", "copy file eb")
    assert "rare-word" in reached(front, "copy file ebadf")


def test_the_still_picture_has_both_rankings(lab: SearchLab) -> None:
    still = lab.still()
    assert still["text/plain"].startswith("SearchLab(text='erase a folder'")
    assert "By words:\n  0." in still["text/plain"]
    drawn = "".join(ElementTree.fromstring(still["image/svg+xml"]).itertext())
    for words in ("By meaning", "By words", "Remove a directory", "Question: erase a folder"):
        assert words in drawn


@settings(max_examples=25)
@given(text=TYPED)
def test_what_is_typed_gives_a_valid_picture(index: passages.Index, text: str) -> None:
    front = Front(labs.SearchLab(index, text="erase a folder")).ready()
    fits_a_notebook(front.move(text=text, folder=text)["summary"])
    still = front.lab.still()
    ElementTree.fromstring(still["image/svg+xml"])
    for page in with_page(still).values():
        fits_a_notebook(page)
