"""Answers that an earlier version of the course saved still load, and still pass.

`saved_answers/<exercise>/<style>.py` are files that version 0.1.0 wrote into a learner's folder: `model.py`
from the solved notebooks, the others from answers in other styles.
"""

import shutil
from pathlib import Path

import pytest

from course import use
from course.checking import answers
from course.content import exercises
from tests.sampled import sampled, thinned

SAVED = Path(__file__).with_name("saved_answers")
FILES = sorted(SAVED.glob("*/*.py"))


@pytest.fixture(autouse=True)
def nothing_passed_yet():
    answers.forget()
    yield
    answers.forget()


def test_every_exercise_of_that_version_has_saved_answers():
    found = {path.parent.name for path in FILES}
    assert found <= set(exercises.ids())
    assert len(found) == 28
    assert all((SAVED / exercise_id / "model.py").is_file() for exercise_id in found)


@pytest.mark.parametrize(
    "path", sampled(thinned(FILES, 6), 3), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_saved_answer_is_used(path, course_home, capsys):
    folder = course_home / "answers"
    folder.mkdir(parents=True)
    shutil.copy(path, folder / f"{path.parent.name}.py")
    use(path.parent.name)
    assert "yours, passed earlier and saved" in capsys.readouterr().out
