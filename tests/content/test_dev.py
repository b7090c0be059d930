"""The skeleton of a new exercise, and the quick proof of one that is there."""

import importlib.util
import shutil

import pytest

from course import content
from course.checking.exercise import text, wrong
from course.checking.exercise.wrong import Wrong
from course.content import dev, exercises


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    folder = tmp_path / "course" / "content"
    (folder / "attention").mkdir(parents=True)
    shutil.copy(content.file("attention", "chapter.py"), folder / "attention" / "chapter.py")
    monkeypatch.setattr(content, "FOLDER", folder)
    return folder


def test_a_new_exercise_can_be_read(elsewhere, capsys):
    assert dev.main(["new", "attention.MyThing"]) == 0
    folder = elsewhere / "attention" / "exercises" / "my_thing"
    assert "## cut-from-the-gradient" in (folder / "mistakes.txt").read_text()
    assert text.read(folder / "mistakes.txt").mistakes[1].wrapped
    answers = wrong.read(folder / "wrong.txt", "def MyThing(x):\n    return x\n")[1]
    assert "return x + 1" in answers[0].source
    for file in ("exercise.py", "right.py"):
        spec = importlib.util.spec_from_file_location("made", folder / file)
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        if file == "exercise.py":
            assert made.EXERCISE.id == "attention.MyThing"
            assert [sorted(case.tags) for case in made.EXERCISE.cases(0)] == [[], ["a single row"]]
    out = capsys.readouterr().out
    assert 'check("attention.MyThing", MyThing)' in out
    assert "course/content/attention/chapter.py" in out


@pytest.mark.parametrize(
    ("exercise_id", "says"),
    [
        ("attention.softmax", "File exists"),
        ("attention.not-a-name", "a chapter, a point and a name"),
        ("nowhere.thing", "there is no chapter 'nowhere'"),
    ],
)
def test_what_cannot_be_made_is_said(elsewhere, capsys, exercise_id, says):
    if exercise_id == "attention.softmax":
        (elsewhere / "attention" / "exercises" / "softmax").mkdir(parents=True)
    assert dev.main(["new", exercise_id]) == 1
    assert says in capsys.readouterr().err


def tried(kind, place, exercise_id="attention.merge_heads"):
    return dev._tried(float("inf"), dev.Trial(exercise_id, kind, place, ""))


def test_the_proof_finds_nothing_amiss_where_all_is_well():
    for kind in ("model", "start", "right", "mistake", "wrong"):
        assert tried(kind, 0) == ""


def test_the_proof_says_what_is_amiss(monkeypatch):
    exercise = exercises.get("attention.merge_heads")
    first, second = exercise.mistakes[:2]
    wrong = [
        ((first.__class__("none", (("batch", "batch"),), "", ""),), "it passes"),
        (
            (first.__class__("gone", (("nothing like it", ""),), "", ""),),
            "finds no 'nothing like it'",
        ),
        ((first.__class__("twin", first.edits, "", ""), second), "it is named"),
    ]
    for mistakes, says in wrong:
        changed = exercise.__class__(**{**vars_of(exercise), "mistakes": mistakes})
        if says == "it is named":  # by its twin, which comes first
            changed = exercise.__class__(**{**vars_of(exercise), "mistakes": (first, *mistakes)})
        monkeypatch.setattr(exercises, "get", lambda _, made=changed: made)
        place = 1 if says == "it is named" else 0
        assert says in tried("mistake", place)
    monkeypatch.setattr(exercises, "right_answers", lambda _: (lambda x: x,))
    assert tried("right", 0).startswith(
        "it is turned down:\nNot yet: attention.merge_heads is wrong"
    )


WRONG = "def merge_heads(x):\n    return x.flatten(1)\n"
AS_MERGED = "def merge_heads(x):\n    return x.transpose(1, 2).flatten(2)\n"
SUM = "def merge_heads(x):\n    return x.sum(1)\n"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Wrong("right", AS_MERGED), "its report is 'passed'"),
        (Wrong("a sum", SUM, names=("batch-lost",)), "not batch-lost"),
        (Wrong("a sum", SUM, names=("nothing",)), "it is named sum-of-the-heads, not nothing"),
        (Wrong("flat", WRONG, says=("cut from the gradient",)), "nothing says 'cut from the"),
        (Wrong("flat", WRONG, near="sum-of-the-heads"), "nothing says '"),
        (Wrong("flat", WRONG, never=("merge_heads",)), "it says 'merge_heads'"),
    ],
)
def test_what_a_report_should_not_say_or_does_not_say_is_told(answer, says):
    assert says in dev.report_faults("attention.merge_heads", answer)


def test_what_is_told_no_more_than_that_it_is_wrong_is_told(monkeypatch):
    monkeypatch.setattr(dev, "_EMPTY", ("",))
    told = dev.report_faults("attention.merge_heads", Wrong("flat", WRONG))
    assert told.startswith("it is told no more than that it is wrong")


def test_what_is_found_in_a_layer_s_plain_cases_is_told():
    layer = dev.wrong_answers("stacking.EncoderLayer")[0]
    assert dev.report_faults("stacking.EncoderLayer", layer) == ""
    started = Wrong("the start", dev.start("stacking.EncoderLayer"), says=("the sum",))
    assert dev.report_faults("stacking.EncoderLayer", started) == "its report is 'passed'"


def vars_of(exercise):
    return {name: getattr(exercise, name) for name in exercise.__dataclass_fields__}


def test_no_time_is_not_a_verdict():
    assert dev._tried(0.0, dev.Trial("attention.merge_heads", "model", 0, "")) is None


def test_an_unknown_exercise_is_named(capsys):
    assert dev.main(["check", "attention.sofmax"]) == 1
    assert "did you mean attention.softmax" in capsys.readouterr().err


def test_a_whole_exercise_is_tried(capsys):
    assert dev.check("attention.merge_heads", 60.0) == 0
    count = 2 + len(exercises.right_answers("attention.merge_heads"))
    count += len(dev.wrong_answers("attention.merge_heads"))
    count += len(exercises.get("attention.merge_heads").mistakes)
    assert f"{count} of {count} are as they should be" in capsys.readouterr().out
