"""What a report points at is what it says: lines, indices, steps, and the part that is drawn."""

import linecache
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from course.checking import checks
from course.checking.exercise import build
from course.checking.explain import errors, findings, pictures, relations
from course.checking.explain.naming import Names
from course.checking.explain.relations import Pair
from course.checking.explain.tracing import Step
from course.content import exercises

FROM_64_ON = """\
def causal_mask(length):
    ahead = torch.arange(length)[None] - torch.arange(length)[:, None]
    return (ahead >= 1) & (ahead < 64)
"""


def run_as_a_cell(text, name):
    """The function that a cell defines; Python knows the cell's text, as in a notebook."""
    file = "<a cell of the learner's>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names = {"torch": torch, "Tensor": torch.Tensor}
    exec(compile(text, file, "exec"), names)
    return names[name]


def test_a_line_is_counted_from_the_first_of_the_cell():
    exercise = exercises.get("attention.softmax")
    mistake = next(m for m in exercise.mistakes if m.id == "overflow")
    for above in (0, 3):
        text = "\n" * above + exercise.model_source.replace(
            "torch.exp(x - largest)", "torch.exp(x)"
        )
        line = next(i for i, line in enumerate(text.splitlines(), 1) if "torch.exp(x)" in line)
        says = checks._with_line(mistake, exercise, run_as_a_cell(text, "softmax"))
        assert f"line {line}:" in says


def test_a_large_result_is_drawn_where_it_is_wrong():
    exercise = exercises.get("attention.causal_mask")
    report = checks.judge(exercise, build(exercise.id, FROM_64_ON))
    (shown,) = [one for one in report.shown if isinstance(one, pictures.Shown)]
    difference = dict(shown.matrices)["difference"]
    assert difference.abs().max() == 1
    row, column = pictures.first_shown((300, 300), (0, 64))
    assert f"rows from {row}, columns from {column}" in shown.caption


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (4, 40, 50), (0, 3, 4), (3, 0)])
def test_the_part_that_is_drawn_holds_the_place(shape):
    numbers = torch.arange(torch.Size(shape).numel()).reshape(shape)
    for place in torch.ones(shape).nonzero().tolist() if shape else [[]]:
        drawn = pictures.matrix_of(numbers, tuple(place))
        assert max(drawn.shape) <= pictures.LARGEST
        assert numbers[tuple(place)] in drawn
    assert pictures.matrix_of(numbers).dim() == 2


def test_a_list_of_wrong_indices_is_whole_or_none():
    exercise = exercises.get("attention.softmax")
    expected, few, many = (torch.zeros(2, 9) for _ in range(3))
    few[:, 2:5], many[:, 1:8] = 1.0, 1.0
    pairs = [Pair(cast(Any, None), expected, came) for came in (few, many)]  # no trial is asked for
    says = [relations._index(exercise, [pair], 0) for pair in pairs]
    assert says[0] == "along columns only the indices 2, 3, 4 (of 0 to 8) are wrong"
    assert says[1] == "along columns 7 of 9 indices are wrong"


def test_a_line_that_the_right_solution_has_is_no_mistakes():
    """The mistake leaves `dtype=` out of randint; `ids.shape, generator=..., device=...` is in rand too."""
    source = exercises.get("bert.mask_tokens").mistaken_source("random-ids-int64")
    report = checks.judge(exercises.get("bert.mask_tokens"), build("bert.mask_tokens", source))
    assert report.mistakes == ("random-ids-int64",)
    assert "Look at line" not in report.message


def test_several_results_and_a_list_of_some_are_asked_for_differently():
    source = "def clip_norm(gradients, max_norm):\n    return gradients[0].sum()\n"
    report = checks.judge(exercises.get("bert.clip_norm"), build("bert.clip_norm", source))
    assert "asks for a list of" in report.message
    source = "def nearest(query, documents, count):\n    return query @ documents.T\n"
    report = checks.judge(
        exercises.get("classification.nearest"), build("classification.nearest", source)
    )
    assert "asks for 2 results: similarities, indices" in report.message


def test_two_single_numbers_stand_in_no_relation():
    """Each is a multiple of the other, and another multiple in each trial."""
    source = "def masked_lm_loss(logits, labels):\n    return logits.square().sum()\n"
    report = checks.judge(
        exercises.get("bert.masked_lm_loss"), build("bert.masked_lm_loss", source)
    )
    assert "a factor away" not in report.message
    assert " comes out in place of " in report.message


def test_an_error_in_another_memory_layout_is_told_beside_wrong_numbers():
    source = """\
def masked_lm_loss(logits, labels):
    return F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))
"""
    report = checks.judge(
        exercises.get("bert.masked_lm_loss"), build("bert.masked_lm_loss", source)
    )
    assert "not contiguous in memory: it raised RuntimeError: view size is not" in report.message


def test_a_circumstance_of_nearly_every_trial_is_not_told():
    failed = [True, True, False, False, False, False, False]
    has = {
        "all": [True] * 7,
        "all but one": [True] * 6 + [False],
        "some": [True, True, True, True, False, False, True],
        "few": [True, True, True, False, False, False, False],
        "one that fails": [True] + [False] * 6,
    }
    assert findings._separating(has, failed, list(has)) == ["few", "some"]


def test_a_helpers_first_step_is_not_the_result():
    source = "def f(x):\n    return add(x, x)\n"
    names = Names(cast(Any, SimpleNamespace(model_source=source)))
    place, code, value = (2, 2, 11, 20), "add(x, x)", torch.zeros(2)
    first = Step(0, 0, place, 0, code, value, inner=False)
    assert names.of(first) == "a step on the way to the result"
    assert names.of(replace(first, last=True)) == "the result"


def test_whole_numbers_among_floats_are_not_told_as_two_kinds_of_floats():
    ids, floats, doubles = torch.zeros(2, 2).long(), torch.zeros(2, 2), torch.zeros(2, 2).double()
    for one, other, says in (
        (ids, floats, "an integer tensor meets"),
        (ids[None], floats[None], "an integer tensor meets"),
        (floats, doubles, "two floating dtypes meet"),
    ):
        with pytest.raises(RuntimeError) as raised:
            one @ other
        assert says in errors.in_words(raised.value)


RAISED = {  # by the words that explain it
    "take the numbers with `.values`": ("x - x.max(-1)", "x.max(-1).unsqueeze(0)", "x.max(-1) @ x"),
    "with `.values` or `.indices`": ("x / x.topk(2)",),
    "something is added to a tuple": ("x.max(-1) + 1e-5", "x.shape[:-1] + [2, 2]"),
    "the 0 is an axis": ("torch.max(0, x)", "torch.max(x, 0.0)", "torch.maximum(x, 0)"),
    "those of `math`": ("torch.sqrt(3)",),
    "makes one of it": ("x.index_select(0, 1)", "torch.bernoulli(0.5)", "torch.cat([x, 1.0])"),
    "copies its shape": ("torch.rand_like((2, 3))", "torch.zeros_like(3)"),
    "torch has functions of the same names": ("math.erf(x)", "float(x)"),
    "two kinds of whole numbers": ("ints.__setitem__(ints > 0, torch.arange(2))",),
    "joins tensors of one shape": ("torch.stack([x, x[0]])",),
    "the list is empty": ("torch.stack([])", "torch.cat([])"),
    "along which axis should it look": ("x.topk(4, dim=0)",),
    "`//` of two ints": (
        "x.view(2, 3, 4 / 2, 2)",
        "range(4 / 2)",
        "x[..., : 4 / 2]",
        "x.chunk(4 / 2)",
    ),
    "turns a mask round": ("x + (1 - mask) * -1e9", "x[-mask]", "~x"),
    "it does not broadcast": ("x[mask]", "x[:, :, mask]"),
    "fewer axes than the brackets": ("x[:, :, :, mask]", "x.sum()[0]"),
    "-1 is the last one": ("x.sum(3)", "x[0, 0].mean(-2)"),
    "0 to n - 1": ("x[5]", "[1, 2][2]"),
    "an index holds whole numbers": ("x[x.max(-1)]", "x[x[0, 0]]"),
    "floats, and the tensor holds": ("mask.mean()", "torch.softmax(torch.arange(3), -1)"),
    "logits (N, C)": ("F.cross_entropy(x, torch.zeros(2, 3).long())",),
    "a label is no class": ("F.cross_entropy(x[0], torch.tensor([0, 9, 1]))",),
    "the dict has no such key": ("{}['a']",),
    "a misspelling, or an import": ("np.sqrt(x)",),
}


def test_what_learners_make_torch_raise_is_told_in_words():
    x, mask = torch.randn(2, 3, 4), torch.zeros(3, dtype=torch.bool)
    ints = torch.ones(2, dtype=torch.int32)
    names = {
        "x": x,
        "ints": ints,
        "mask": mask,
        "torch": torch,
        "F": torch.nn.functional,
        "math": math,
    }
    for words, lines in RAISED.items():
        for line in lines:
            with pytest.raises(Exception) as raised:  # noqa: PT011 - each its own
                eval(line, names)
            assert words in errors.in_words(raised.value), (line, raised.value)
    assert errors.in_words(ValueError("p is a probability")) == ""
