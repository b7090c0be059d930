"""What an exercise says is read from a text file; what is malformed there is named by file and line."""

import pytest

from course.checking.exercise import generated, text, wrong
from course.checking.exercise.cases import holding
from course.checking.exercise.mistake import Mistake
from course.checking.exercise.text import TextError, parse
from course.checking.exercise.wrong import Wrong
from course.content import exercises

HINTS = """\
# hints

## idea
Twice the number,
on two lines.

## shapes
As x.

## pseudo-code
    y <- 2 x
      deeper

## decisive line
    return 2 * x
"""
MISTAKES = """\

# clues

## right: a single head
look at the heads

## wrong: a single token
look at the values,
and at -inf

# mistakes

## added
- 2 * x
+ 2 + x

It adds.

? What is twice a number? Say
it aloud.

## two-edits
- return 2
+ return 3
- x
+ y

-inf stands at the beginning of this line, which is prose.

? Which?

## cut-out
- y = x
-
- z = y

Lines are missing.

? Which?

## detached
~ detach x
"""
GOOD = HINTS + MISTAKES


def test_all_parts_are_read():
    said = parse(GOOD, "double/mistakes.txt")
    assert said.hints == (
        "Twice the number, on two lines.",
        "As x.",
        "y <- 2 x\n  deeper",
        "return 2 * x",
    )
    assert said.clues == (("a single head", "look at the heads"),)
    assert said.clues_if_wrong == (("a single token", "look at the values, and at -inf"),)
    added, two, cut, detached = said.mistakes
    assert added == Mistake(
        "added", (("2 * x", "2 + x"),), "It adds.", "What is twice a number? Say it aloud."
    )
    assert two.edits == (("return 2", "return 3"), ("x", "y"))
    assert two.says == "-inf stands at the beginning of this line, which is prose."
    assert cut.edits == (("y = x\n\nz = y", ""),)
    assert detached.edits == ()
    assert detached.says == (
        "The result is cut off from x (`detach`, `.data`, `no_grad` or numpy), so nothing before it can learn."
    )
    assert detached.asks == "Which line leaves PyTorch's record of the computation?"


ALIKE = """\
## times-3 | times-4
- 2 * x
+ {3 | 4} * x  # {not | a | choice}

It is {three | four} times the number, not 2.

? What is twice a number?

## detached
~ as halved

## like-detached
~ as halved detached
- 2 * x
+ 2 * x.data

? What is cut off?
"""


def test_mistakes_that_differ_in_a_few_words_share_an_entry():
    three, four, *_ = parse(HINTS + "# mistakes\n" + ALIKE, "double/mistakes.txt", halved).mistakes
    assert three == Mistake(
        "times-3",
        (("2 * x", "3 * x  # {not | a | choice}"),),
        "It is three times the number, not 2.",
        "What is twice a number?",
    )
    assert (four.id, four.edits[0][1]) == ("times-4", "4 * x  # {not | a | choice}")
    assert four.says == "It is four times the number, not 2."


def test_what_an_entry_does_not_say_is_as_in_another_exercise():
    *_, same, like = parse(HINTS + "# mistakes\n" + ALIKE, "double/mistakes.txt", halved).mistakes
    assert same == halved("halved")["detached"]
    assert like == Mistake(
        "like-detached", (("2 * x", "2 * x.data"),), "It is cut off.", "What is cut off?"
    )


def halved(folder):
    assert folder == "halved"
    cut = Mistake("detached", (("x / 2", "x.detach() / 2"),), "It is cut off.", "Which line?")
    return {"detached": cut}


def test_a_mistake_that_no_other_exercise_has_is_named():
    with pytest.raises(TextError, match=r"txt:\d+: `~ as halved`: halved has no 'detached'"):
        parse(HINTS + "# mistakes\n" + ALIKE, "double/mistakes.txt")


MALFORMED = {
    "an unknown part": ("# clues", "# clue", "the parts are hints, clues, mistakes", 17),
    "an unknown hint": ("## shapes", "## shape", "the hints are idea, shapes", 7),
    "a hint that says nothing": ("As x.\n", "", "says nothing", 7),
    "a clue of no kind": ("## right: a", "## perhaps: a", "a clue is headed", 19),
    "a mistake of no id": ("## added", "## It adds", "is no id", 28),
    "a mistake twice": ("## two-edits", "## added", "stands twice", 37),
    "no question": ("? What is twice a number? Say\nit aloud.", "", "asks nothing", 28),
    "an addition alone": ("- 2 * x\n", "", "without a `-` line", 29),
    "no edit": ("- 2 * x\n+ 2 + x\n", "", "edits nothing", 28),
    "nothing generated so": ("~ detach x", "~ detatch x", "one of detach, write, float32, as", 57),
    "no names": ("~ detach x", "~ detach", "names no argument", 57),
    "text before a heading": ("# hints\n", "# hints\nHello.\n", "text before the first", 2),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_is_named(case):
    old, new, says, line = MALFORMED[case]
    assert GOOD.count(old) >= 1
    with pytest.raises(TextError, match=rf"^double/mistakes\.txt:{line}: ") as raised:
        parse(GOOD.replace(old, new, 1), "double/mistakes.txt")
    assert says in str(raised.value)


def test_missing_hints_are_named():
    with pytest.raises(TextError, match="hints are missing: decisive line"):
        parse(GOOD.replace("## decisive line\n    return 2 * x\n", ""), "double/mistakes.txt")


def test_a_whole_line_is_cut_out_with_its_end():
    cut = Mistake("cut", (("    b = 2", ""),), "", "")
    assert cut.applied_to("def f():\n    a = 1\n    b = 2\n    return a") == (
        "def f():\n    a = 1\n    return a"
    )


SOURCE = "def double(x, times=2):\n    return times * x"


@pytest.mark.parametrize("kind", generated.GENERATED)
def test_a_generated_mistake_wraps_the_solution(kind):
    torch = pytest.importorskip("torch")
    says, asks, wrapped = generated.GENERATED[kind]("x")
    assert says.endswith(".")
    assert asks.endswith("?")
    names = {}
    exec(Mistake(kind, (), says, asks, wrapped=wrapped).applied_to(SOURCE), names)
    x = torch.ones(2, dtype=torch.float64, requires_grad=kind == "detach")
    result = names["double"](x, times=3)
    assert torch.equal(result.double(), torch.full((2,), 3.0, dtype=torch.float64))
    assert result.requires_grad is False
    assert (result.dtype == torch.float32) == (kind == "float32")
    assert torch.equal(x.detach(), torch.full((2,), 0.5 if kind == "write" else 1.0, dtype=x.dtype))


@pytest.mark.parametrize("exercise_id", exercises.ids())
def test_each_exercise_has_its_text_beside_it(exercise_id):
    said = text.read(exercises.path(exercise_id) / "mistakes.txt")
    exercise = exercises.get(exercise_id)
    assert (exercise.mistakes, exercise.hints) == (said.mistakes, said.hints)
    source = exercise.model_source
    assert all(mistake.applied_to(source) != source for mistake in said.mistakes)


ANSWERS = """\
## start
# A comment is no heading.
def double(x):
    return 2 * x

## added
names: added and cut-out
says: it adds
says: a number
never: it multiplies
- 2 * x
+ 2 + x

## whole
near: added
def double(x):
    return x
"""


def test_wrong_answers_are_edits_or_whole_sources():
    start, answers = wrong.parse(ANSWERS, "double/wrong.txt", SOURCE)
    assert start == "# A comment is no heading.\ndef double(x):\n    return 2 * x\n"
    assert answers == (
        Wrong(
            "added",
            start.replace("2 * x", "2 + x"),
            names=("added", "cut-out"),
            says=("it adds", "a number"),
            never=("it multiplies",),
        ),
        Wrong("whole", "def double(x):\n    return x\n", near="added"),
    )


def test_edits_start_from_the_model_solution_where_nothing_else_is_given():
    start, answers = wrong.parse("## three\n- times *\n+ 3 *\n", "double/wrong.txt", SOURCE)
    assert start == SOURCE
    assert answers[0].source == SOURCE.replace("times *", "3 *")


@pytest.mark.parametrize(
    ("old", "new", "says", "line"),
    [
        ("- 2 * x", "- 3 * x", "finds no '3 \\* x'", 6),
        ("## whole", "## added", "'added' stands twice", 14),
        ("## whole", "## start", "'start' stands twice, or too late", 14),
        ("- 2 * x\n", "", "without a `-` line", 11),
        ("- 2 * x\n+ 2 + x\n", "", "edits nothing", 6),
    ],
)
def test_a_malformed_wrong_answer_is_named(old, new, says, line):
    with pytest.raises(TextError, match=rf"^double/wrong\.txt:{line}: .*{says}"):
        wrong.parse(ANSWERS.replace(old, new, 1), "double/wrong.txt", SOURCE)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("L = 2", True),
        ("L = S", False),
        ("L < S", True),
        ("L > 1", True),
        ("dim < -1", True),
        ("L = 2; S = 3", True),
        ("L = 2; S = 2", False),
        ("H = 1", False),
    ],
)
def test_circumstances_follow_from_the_sizes(condition, holds):
    sizes = {"L": 2, "S": 3, "dim": -2}
    assert list(holding({"special": condition}, sizes)) == ["special"] * holds
