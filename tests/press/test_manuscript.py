"""The manuscripts are read as jupytext reads them, and what is malformed is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import content
from course.content import manuscript
from course.content.manuscript import ManuscriptError, parse

EXERCISE = """\
# %% id="double-exercise" exercise="attention.double"
def double(x):
    \"\"\"Twice x.\"\"\"
    ### BEGIN SOLUTION
    return 2 * x  # the reason
    ### END SOLUTION
"""


@pytest.mark.parametrize("chapter", content.chapters())
def test_jupytext_finds_the_same_cells(chapter: str) -> None:
    import jupytext  # it takes two seconds, of which only this test has anything

    theirs = jupytext.read(content.file(chapter, "chapter.py")).cells
    ours = manuscript.read(chapter)
    assert [
        (c.cell_type, c.metadata.get("id"), c.metadata.get("exercise"), c.source) for c in theirs
    ] == [(cell.kind, cell.id, cell.exercise, cell.source) for cell in ours]


@pytest.mark.parametrize("chapter", content.chapters())
def test_a_chapter_begins_with_its_title(chapter: str) -> None:
    first = manuscript.read(chapter)[0]
    assert first.kind == "markdown"
    assert first.source.startswith("# ")


def test_a_solution_is_taken_out_and_put_in() -> None:
    (cell,) = parse(EXERCISE, "x.py")
    assert cell.unsolved == ('def double(x):\n    """Twice x."""\n    raise NotImplementedError')
    assert cell.solved == 'def double(x):\n    """Twice x."""\n    return 2 * x  # the reason'


def test_a_class_may_hold_several_solutions() -> None:
    text = (
        '# %% id="a" exercise="t.C"\nclass C:\n    def a(self):\n        ### BEGIN SOLUTION\n'
        "        return 1\n        ### END SOLUTION\n\n    def b(self):\n        ### BEGIN SOLUTION\n"
        "        x = 2\n\n        return x\n        ### END SOLUTION\n"
    )
    (cell,) = parse(text, "x.py")
    assert cell.unsolved.count("        raise NotImplementedError") == 2
    assert "return" not in cell.unsolved
    assert "END" not in cell.solved + cell.unsolved


GIVEN = """\
# %% id="mend" exercise="attention.Mend"
class Mend:
    ### BEGIN SOLUTION
    def a(self):
        return 1
    ### GIVEN
    # def a(self):
    #     raise NotImplementedError  # mend what follows

    #     # one comment
    #
    #     return 2
    ### END SOLUTION
"""


def test_a_hole_may_hold_given_code() -> None:
    (cell,) = parse(GIVEN, "x.py")
    assert cell.solved == "class Mend:\n    def a(self):\n        return 1"
    assert cell.unsolved == (
        "class Mend:\n    def a(self):\n        raise NotImplementedError  # mend what follows\n\n"
        "        # one comment\n\n        return 2"
    )


def test_every_exercise_has_its_solution() -> None:
    for chapter in content.chapters():
        topic = chapter.partition("_")[2]
        for exercise_id in manuscript.exercise_ids(topic):
            name = exercise_id.rpartition(".")[2]
            source = manuscript.solution(exercise_id)
            assert f"def {name}(" in source or f"class {name}" in source
            assert "SOLUTION" not in source
            assert content.chapter(content.topic(exercise_id)) == chapter


@pytest.mark.parametrize("exercise_id", ["attention.nothing", "nowhere.softmax", "", "../x"])
def test_an_unknown_exercise_is_named(exercise_id: str) -> None:
    with pytest.raises(LookupError, match=r"attention|chapters are"):
        manuscript.solution(exercise_id)


def test_an_unknown_chapter_is_named() -> None:
    with pytest.raises(LookupError, match="02_attention"):
        manuscript.read("99_nothing")


MALFORMED = {
    "no id": ("# %%\nx = 1", 1, "no good id"),
    "bad id": ('# %% id="Bad Id"', 1, "no good id"),
    "long id": (f'# %% id="{"a" * 65}"', 1, "no good id"),
    "same id": ('# %% id="a"\n\n# %% id="b"\n\n# %% id="a"', 5, "line 1"),
    "same exercise": (EXERCISE + EXERCISE.replace("double-ex", "other-ex"), 7, "line 1"),
    "unknown key": ('# %% id="a" name="b"', 1, "not name"),
    "marker without space": ('#%% id="a"', 1, "malformed"),
    "indented marker": ('# %% id="a"\nif x:\n    # %% id="b"', 3, "malformed"),
    "sub cell": ('# %%% id="a"', 1, "malformed"),
    "title on the marker": ('# %% Title id="a"', 1, "malformed"),
    "raw cell": ('# %% [raw] id="a"', 1, "malformed"),
    "single quotes": ("# %% id='a'", 1, "malformed"),
    "tags as text": ('# %% id="a" tags="b"', 1, "list of strings"),
    "tags malformed": ('# %% id="a" tags=[b]', 1, "malformed value"),
    "markdown without hash": ('# %% [markdown] id="a"\n# Text\ntext', 3, "does not begin"),
    "markdown exercise": ('# %% [markdown] id="a" exercise="t.a"\n# Text', 1, "code cell"),
    "text before": ('x = 1\n# %% id="a"', 1, "before the first cell"),
    "open header": ('# ---\n# jupyter:\n\n# %% id="a"', 3, "not closed"),
    "magic": ('# %% id="a"\n%matplotlib inline', 2, "no magics"),
    "commented magic": ('# %% id="a"\n# !pip install x', 2, "no magics"),
    "not closed": (EXERCISE.replace("    ### END SOLUTION\n", ""), 4, "not closed"),
    "not opened": (EXERCISE.replace("    ### BEGIN SOLUTION\n", ""), 5, "BEGIN SOLUTION` was"),
    "nested": (
        EXERCISE.replace("    ### END", "    ### BEGIN SOLUTION\n    ### END"), 6, "END SOLUTION` was"
    ),
    "given twice": (GIVEN.replace("    ### END", "    ### GIVEN\n    ### END"), 13, "stands once"),
    "given before": (GIVEN.replace("    ### BEGIN", "    ### GIVEN\n    ### BEGIN"), 3, "stands once"),
    "given as code": (GIVEN.replace("#     return 2", "    return 2"), 12, "in comments"),
    "no solution": ('# %% id="a" exercise="t.a"\ndef a(): ...', 1, "has no solution"),
    "solution elsewhere": (EXERCISE.replace(' exercise="attention.double"', ""), 4, "in no exercise"),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_is_named_with_its_line(case: str) -> None:
    text, line, says = MALFORMED[case]
    with pytest.raises(ManuscriptError, match=says) as raised:
        parse(text, "course/content/odd/chapter.py")
    assert (raised.value.path, raised.value.line) == ("course/content/odd/chapter.py", line)
    assert str(raised.value).startswith(f"course/content/odd/chapter.py:{line}: ")


ids = st.text("abcxyz019-", min_size=1, max_size=64)
# Whatever a person may type on a line, other than what a cell marker, a magic or a solution is.
prose = (
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)
    .map(str.rstrip)
    .filter(lambda text: not text.lstrip().startswith("%%"))
)
code = prose.map(lambda text: f"x = {text!r}" if text else "")


@given(
    st.lists(
        st.tuples(ids, st.booleans(), st.lists(st.one_of(prose), max_size=5), st.lists(code)),
        unique_by=lambda item: item[0],
        max_size=6,
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 3),
)
def test_any_text_comes_back_as_it_was(
    cells: list[tuple[str, bool, list[str], list[str]]], newline: str, gap: int
) -> None:
    text, expected = "", []
    for name, is_markdown, prose_lines, code_lines in cells:
        lines = prose_lines if is_markdown else code_lines
        text += f'# %%{" [markdown]" if is_markdown else ""} id="{name}"\n'
        text += "".join(f"# {line}\n" if is_markdown else f"{line}\n" for line in lines)
        text += "\n" * gap
        while lines and not lines[-1]:
            lines = lines[:-1]
        while lines and not lines[0]:
            lines = lines[1:]
        expected.append((name, "markdown" if is_markdown else "code", lines))
    found = parse(text.replace("\n", newline), "x.py")
    assert [(cell.id, cell.kind, cell.source) for cell in found] == [
        (name, kind, "\n".join(lines)) for name, kind, lines in expected
    ]


def test_an_empty_text_has_no_cells() -> None:
    assert parse("", "x.py") == []
    assert parse("# ---\n# jupyter:\n# ---\n", "x.py") == []


def test_the_standard_library_is_enough() -> None:
    program = (
        "from course import content, learner; from course.content import manuscript; "
        "from course.system import files; print(content.chapters()[0][:3])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(manuscript.__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout[2:3] == "_"
