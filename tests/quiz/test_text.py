"""Questions are read from text; what is malformed there is named by file and line."""

import pytest

from course.content import CHAPTERS, FOLDER, questions, topic
from course.quiz.question import Option, Question
from course.quiz.text import parse, read
from course.system.sections import TextError

TEXT = """\
## predict c.alike

How alike
are they?

+ Equal.

Both are read
- from one table.

- Different.

They share a row.

## quiz c.other

Which?

- This.

No.

+ That.

Yes.
"""


def test_paragraphs_become_questions_with_their_lines_joined():
    assert parse(TEXT, "c/questions.txt") == (
        Question(
            "c.alike",
            "How alike are they?",
            (
                Option("Equal.", "Both are read - from one table.", right=True),
                Option("Different.", "They share a row."),
            ),
            kind="predict",
        ),
        Question(
            "c.other", "Which?", (Option("This.", "No."), Option("That.", "Yes.", right=True))
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("## predict c.alike", "## c.alike", 1, "headed `## quiz chapter.name`"),
        ("## predict c.alike", "## guess c.alike", 1, "headed `## quiz chapter.name`"),
        ("## predict c.alike", "above\n## predict c.alike", 1, "text before the first"),
        ("c.other", "c.alike", 15, "stands twice"),
        ("How alike\nare they?\n\n", "", 1, "asks nothing"),
        ("\nNo.\n", "", 19, "nothing explains this option"),
        ("\nYes.\n", "", 23, "nothing explains this option"),
        ("They share a row.", "They share.\n\nA row.", 15, "begins with `+ ` or `- `"),
        ("+ Equal.", "Equal.", 6, "begins with `+ ` or `- `"),
        ("+ Equal.", "- Equal.", 1, "exactly one right option"),
        ("- Different.", "+ Different.", 1, "exactly one right option"),
    ],
)
def test_what_is_malformed_is_named_with_file_and_line(old, new, line, problem):
    assert old in TEXT
    with pytest.raises(TextError) as caught:
        parse(TEXT.replace(old, new, 1), "c/questions.txt")
    assert str(caught.value).startswith(f"c/questions.txt:{line}: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_asks_under_its_own_name(chapter):
    asked = read(FOLDER / chapter / "questions.txt")
    assert asked
    assert all(topic(question.id) == chapter for question in asked)
    assert {question.id for question in asked} <= set(questions.all_ids())
