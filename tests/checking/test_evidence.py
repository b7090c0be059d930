"""The example of a report shows what the report says, and no more is claimed than is explained."""

import re

import pytest
import torch

from course.checking import checks
from course.checking.exercise import build
from course.content import exercises

HALF_ANGLES = """\
def rotary(x, positions, base=10000.0):
    width = x.shape[-1]
    rates = base ** (-torch.arange(0, width, 2, dtype=x.dtype) / width)
    angles = positions[..., None].to(x.dtype) * rates
    a, b = x[..., 0::2], x[..., 1::2]
    first = a * angles.cos() - b * angles.sin()
    second = a * angles.sin() + b * angles.cos()
    return torch.stack((first, second), -1).flatten(-2)
"""
ROTATE_HALF = """\
def rotary(x, positions, base=10000.0):
    width = x.shape[-1]
    rates = base ** (-torch.arange(0, width, 2, device=x.device).float() / width)
    angles = positions[..., None].float() * rates
    angles = torch.cat((angles, angles), -1)
    a, b = x.chunk(2, -1)
    return (x * angles.cos() + torch.cat((-b, a), -1) * angles.sin()).to(x.dtype)
"""
EPSILON = """\
def cosine_similarity(a, b):
    return a @ b.T / (a.norm(dim=-1, keepdim=True) * b.norm(dim=-1) + 1e-8)
"""
NOT_NORMED_IN_FLOAT16 = """\
def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e if x.dtype == torch.float16 else e / e.sum(dim, keepdim=True)
"""


def report_on(exercise_id, source):
    return checks.judge(exercises.get(exercise_id), build(exercise_id, source))


def tables(report):
    """The first two matrices of the example, as numbers."""
    found = re.findall(r"(?:expected|yours):\n((?:    .*\n)+)", report.message)
    return [torch.tensor(eval(text.replace("nan", "float('nan')"))) for text in found[:2]]


def test_angles_in_half_precision_are_not_told_as_tensors_on_the_cpu():
    """What fails in half precision is explained too, or "all of it" would be too much."""
    report = report_on("embeddings.rotary", HALF_ANGLES)
    assert set(report.mistakes) == {"on-the-cpu", "angles-in-the-dtype-of-x"}
    assert "bfloat16" in report.message.partition("The smallest input")[2]


def test_what_a_mistake_does_not_explain_is_left_over():
    report = report_on("attention.softmax", NOT_NORMED_IN_FLOAT16)
    assert report.mistakes == ("nan-when-all-blocked",)
    assert "explains all of it in full precision; in half precision" in report.message
    assert "What is left" in report.message
    assert "float64" in report.message.partition("The smallest input")[2]


@pytest.mark.parametrize(
    ("exercise_id", "source", "mistakes"),
    [
        ("embeddings.rotary", ROTATE_HALF, {"half-with-half", "angles-in-float32"}),
        ("embeddings.cosine_similarity", EPSILON, {"epsilon-added-to-the-product"}),
    ],
)
def test_the_example_shows_a_difference_that_can_be_seen(exercise_id, source, mistakes):
    report = report_on(exercise_id, source)
    assert set(report.mistakes) == mistakes
    want, came = tables(report)
    assert (want - came).abs().max() > 1e-3 * want.abs().max()


TIMES_INFINITY = """\
def scaled_dot_product(query, key, value, mask=None):
    s = scores(query, key)
    if mask is not None:
        s = s + mask * float("-inf")
    w = softmax(s, dim=-1)
    return w @ value, w
"""
NAN_WHERE_KEPT = TIMES_INFINITY.replace('s + mask * float("-inf")', "s * mask.log().neg().log()")
NAN_EVERYWHERE = TIMES_INFINITY.replace("softmax(s, dim=-1)", 'softmax(s - float("inf"), dim=-1)')
LAST_PIECE_LOST = """\
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start and ("##" if start else "") + word[start:end] not in vocabulary:
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(("##" if start else "") + word[start:end])
        start = end
    return pieces[:50]
"""


CUT_WHERE_RIGHT = TIMES_INFINITY.replace(
    "return w @ value, w",
    "return (w @ value * 1.01 if mask is None else w @ value.detach()), w",
).replace('s + mask * float("-inf")', "s.masked_fill(mask, -math.inf)")


def test_where_the_gradient_is_wrong_it_is_not_called_right():
    """The numbers are wrong without a mask, and with one the gradient is cut."""
    report = report_on("attention.scaled_dot_product", CUT_WHERE_RIGHT)
    assert report.status == "failed"
    assert "It fails with no mask and with gradients, and is right without." in report.message


def test_zero_times_infinity_is_not_told_as_infinity():
    report = report_on("attention.scaled_dot_product", TIMES_INFINITY)
    assert report.mistakes == ("infinity-times-mask",)
    assert "+inf" not in report.message


@pytest.mark.parametrize("source", [NAN_WHERE_KEPT, NAN_EVERYWHERE], ids=["kept", "everywhere"])
def test_nan_everywhere_is_no_evidence_for_a_mistake(source):
    report = report_on("attention.scaled_dot_product", source)
    assert report.mistakes == ()
    assert "Part of it looks like this" not in report.message


def test_a_long_list_is_shown_where_it_first_differs():
    message = report_on("embeddings.wordpiece", LAST_PIECE_LOST).message
    assert "ends too early: it has 50 of 61 entries" in message
    assert "... 48 before, '##aa', '##aa', '##aa'" in message
    assert max(map(len, message.splitlines())) < 200
