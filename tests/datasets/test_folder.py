"""A folder of the learner's own: what is read, where it stands, what is skipped and counted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from course.datasets import passages
from course.datasets.passages import folder as folder_module
from course.datasets.passages.passage import MOST_WORDS


def test_each_kind_of_file_is_read_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\nOne line.\n\nAnother.\n")
    (tmp_path / "b.md").write_bytes(b"\xef\xbb\xbf# Title\r\n\r\nText.\r\n")
    (tmp_path / "c.py").write_text(
        'x = "no docstring"\n\n\ndef f():\n    """Add things.\n\n    More.\n    """\n'
    )
    cells = [
        {"cell_type": "code", "source": "print()"},
        {"cell_type": "markdown", "source": ["# Head\n", "\n", "Body."]},
        {"cell_type": "markdown", "source": "Last."},
    ]
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.ipynb").write_text(json.dumps({"cells": cells}))
    found = passages.read_folder(tmp_path)
    assert [(passage.title, passage.text) for passage in found.passages] == [
        ("a.txt:2", "One line.\n\nAnother."),
        ("b.md:1", "# Title\n\nText."),
        ("c.py:5", "Add things.\n\nMore."),
        ("sub/d.ipynb, cell 2", "# Head\n\nBody."),
        ("sub/d.ipynb, cell 3", "Last."),
    ]
    assert found.passages[2].file == tmp_path / "c.py"
    assert found.passages[2].line == 5
    assert repr(found) == "5 passages of 4 files; nothing was skipped"


def test_long_texts_are_cut_between_lines_and_keep_every_word(tmp_path: Path) -> None:
    lines = [" ".join(f"w{i}.{j}" for j in range(i % 9 + 1)) for i in range(200)]
    lines[50] = lines[51] = lines[120] = ""
    (tmp_path / "long.rst").write_text("\n".join(lines))
    found = passages.read_folder(tmp_path).passages
    assert len(found) > 5
    assert " ".join(passage.text for passage in found).split() == " ".join(lines).split()
    for passage in found:
        assert len(passage.text.split()) <= MOST_WORDS
        assert passage.text.split("\n")[0] == lines[passage.line - 1]


def test_what_is_not_read_is_counted(tmp_path: Path) -> None:
    for name in (".git", "__pycache__", "environment"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "hidden.txt").write_text("not seen")
    (tmp_path / "environment" / "pyvenv.cfg").write_text("")
    (tmp_path / ".hidden.txt").write_text("not seen")
    (tmp_path / "good.txt").write_text("Seen.")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "zero.txt").write_bytes(b"a\0b")
    (tmp_path / "large.txt").write_text("x " * (folder_module.LARGEST // 2 + 1))
    (tmp_path / "wrong.py").write_text("def f(:\n")
    (tmp_path / "wrong.ipynb").write_text("{}")
    (tmp_path / "list.ipynb").write_text("[1]")
    (tmp_path / "text.ipynb").write_text("not JSON")
    found = passages.read_folder(tmp_path)
    assert [passage.text for passage in found.passages] == ["Seen."]
    assert found.files == 1
    assert found.skipped == {
        "files of another kind": 1,
        "binary files": 2,
        "files over 1 MB": 1,
        "unreadable files": 4,
    }
    assert "2 binary files" in repr(found)


@pytest.mark.skipif(os.name == "nt", reason="Windows makes links for administrators only")
def test_links_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "dangling.txt").symlink_to(tmp_path / "missing.txt")
    found = passages.read_folder(tmp_path)
    assert (found.passages, found.skipped) == ((), {"unreadable files": 1})


def test_it_stops_at_most_and_says_so(tmp_path: Path) -> None:
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text(f"Text {i}.")
    found = passages.read_folder(str(tmp_path), most=3)
    assert [passage.text for passage in found.passages] == ["Text 0.", "Text 1.", "Text 2."]
    assert found.skipped == {"passages after the first 3": 2}


def test_what_is_no_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A file.")
    for wrong in (tmp_path / "a.txt", tmp_path / "missing"):
        with pytest.raises(NotADirectoryError, match="is no folder; give the path of one"):
            passages.read_folder(wrong)


def test_ones_own_files_can_be_searched(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Bread is baked of flour, water and salt.")
    (tmp_path / "b.txt").write_text("The train to Vienna leaves in the morning.")
    found = passages.read_folder(tmp_path).passages
    vectors = passages.embed(found, lambda done, of: None)
    assert vectors.dtype == torch.float32
    answer = passages.Index(found, vectors).search("How do I travel by rail?", 1)
    assert answer.passages[0].title == "b.txt:1"
