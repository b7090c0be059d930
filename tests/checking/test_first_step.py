"""The general search names the first wrong step, on the learner's own line, and claims nothing unverified."""

from __future__ import annotations

import time

import pytest

from course.checking import checks
from course.checking.exercise import build
from course.checking.explain import compared, first_step
from course.checking.trials import running
from course.content import exercises

TOLD = {
    "a softmax over the queries": (
        "attention.scaled_dot_product",
        """\
def scaled_dot_product(q, k, v, mask=None):
    raw = scores(q, k)
    if mask is not None:
        raw = raw.masked_fill(mask, float("-inf"))
    weights = raw.softmax(-2).nan_to_num(0.0)
    return weights @ v, weights
""",
        "line 5, `raw.softmax(-2).nan_to_num(0.0)`",
    ),
    "another input": (
        "attention.softmax",
        "def softmax(x, dim):\n    return torch.softmax(x / 2, dim).nan_to_num(0)\n",
        "line 2, `x / 2`, is where it goes wrong: your result is the right one for that in place of `x`",
    ),
    "right, then changed": (
        "attention.scores",
        "def scores(q, k):\n    r = q @ k.mT / math.sqrt(q.shape[-1])\n    return r.relu()\n",
        "line 2, `q @ k.mT / math.sqrt(q.shape[-1])`, makes the right result, and what follows, from line 3, ",
    ),
    "a helper of its own": (
        "attention.scores",
        """\
def scores(q, k):
    def product(a, b):
        return a @ b.mT * 3
    return product(q, k) / math.sqrt(q.shape[-1])
""",
        "line 3, `a @ b.mT * 3`, is where it goes wrong",
    ),
    "a factor on the way": (
        "attention.multi_head",
        """\
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    q, k, v = (split_heads(p, nhead) for p in (x @ w_in.T + b_in).chunk(3, -1))
    q = q * 2
    return merge_heads(scaled_dot_product(q, k, v, mask)[0]) @ w_out.T + b_out
""",
        "line 3, `q * 2`, is where it goes wrong: `query` (a `split_heads`) is right before it, and this",
    ),
    "values that were wrong before": (
        "stacking.layer_norm",
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    mean = x.mean(-2, keepdim=True)
    variance = (x - mean).square().mean(-2, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps) * weight + bias
""",
        "all that follows fits. The first value on the way to it that the right solution never makes is that "
        "of line 2, `x.mean(-2, ",
    ),
    "a value that was wrong before, and how the later one relates": (
        "stacking.layer_norm",
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    wide = 2 * x + 1
    spread = wide - wide.mean(-1, keepdim=True)
    variance = spread.square().mean(-1, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / torch.sqrt(variance + eps) * weight + bias
""",
        "and all that follows fits. Compared with what belongs there: every number is 2 times what it should "
        "be. The first value on the way to it that the right solution never makes is that of line 2, `2 * x`",
    ),
    "a step that is missing": (
        "feed_forward.ffn",
        "def ffn(x, w1, b1, w2, b2):\n    inner = x @ w1 + b1\n    return inner @ w2 + b2\n",
        "line 2, `x @ w1 + b1`, is where it goes wrong: it stands in the place of `inner` (a clamping), "
        "and all that follows fits. It is `inner` (a sum): the clamping is missing",
    ),
    "a bend that the next step keeps": (
        "feed_forward.ffn",
        "def ffn(x, w1, b1, w2, b2):\n    return F.relu6(x @ w1 + b1) @ w2 + b2\n",
        "in the place of `inner` (a clamping), and all that follows fits. Compared with what belongs there: "
        "it is cut off above 6",
    ),
    "a number beside lengths": (
        "start_here.best_match",
        """\
def best_match(question, passages):
    lengths = passages.norm(dim=-1) * question.norm() + 0.1
    return int((passages @ question / lengths).argmax())
""",
        "a multiple of what it should be, plus 0.1",
    ),
    "an input added too often": (
        "feed_forward.ffn",
        """\
def ffn(x, w1, b1, w2, b2):
    inner = torch.relu(x @ w1 + b1)
    return sum(inner[..., i : i + 1] * w2[i] + b2 for i in range(len(w2)))
""",
        "`b2` is added F times in place of once",
    ),
    "two changes that give the same": (
        "feed_forward.count_parameters",
        "def count_parameters(d, h, f):\n    return 4 * d * d + (d + 1) * f + (f + 1) * d + 4 * d\n",
        "the sum with `norms` is missing, or else in what makes `attention`, the sum with `d_model` is",
    ),
    "no tensor at all": (
        "feed_forward.count_parameters",
        "def count_parameters(d, h, f):\n    return 4 * (d * d + d) + d * f + f + f * d + d + 2 * d\n",
        "the right solution gives your results with one change: in what makes `norms`",
    ),
}

RIGHT = {
    "attention.scores": "def scores(q, k): return (q / math.sqrt(q.shape[-1])) @ k.mT\n",
    "feed_forward.ffn": "def ffn(x, w1, b1, w2, b2): return torch.relu(x @ w1 + b1) @ w2 + b2\n",
}


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_step, "SECONDS", 10.0)


def searched(exercise_id: str, source: str) -> list[str]:
    """What the search says of an answer."""
    exercise, answer = exercises.get(exercise_id), build(exercise_id, source)
    trials = checks.tried(exercise, answer, 0)
    assert trials is not None
    return first_step.describe(exercise, answer, trials)


@pytest.mark.parametrize("name", TOLD)
def test_the_first_wrong_step_is_named(name: str) -> None:
    exercise_id, source, words = TOLD[name]
    assert words in " ".join(searched(exercise_id, source))


@pytest.mark.parametrize("exercise_id", RIGHT)
def test_a_right_answer_has_no_wrong_step(exercise_id: str) -> None:
    assert searched(exercise_id, RIGHT[exercise_id]) == []


def test_the_code_of_the_model_solution_is_not_given_away() -> None:
    for exercise_id, source, _ in TOLD.values():
        body = exercises.get(exercise_id).model_source.splitlines()[2:]
        code = [line.partition("  # ")[0].partition(" = ")[2].strip() for line in body]
        said = " ".join(searched(exercise_id, source))
        assert not any(len(right) > 12 and right in said for right in code if right not in source)


def test_a_value_that_fits_one_input_by_chance_is_not_named() -> None:
    """At scores of -inf alone, x and x.clamp(-1) give the same; elsewhere they do not."""
    source = (
        "def softmax(x, dim):\n    y = x.clamp(max=0)\n    return torch.softmax(x, dim) + 0 * y\n"
    )
    assert not any("in place of `x`" in says for says in searched("attention.softmax", source))


def test_a_tensor_that_holds_one_number_is_not_named() -> None:
    """The largest of the same numbers is the first, which may be the answer's index by chance."""
    source = """\
def best_match(question, passages):
    lengths = passages.norm(dim=-1)
    lengths = torch.where(lengths > 0, lengths, torch.ones_like(lengths))
    return int((passages @ question / lengths).argmin())
"""
    (says,) = searched("start_here.best_match", source)
    assert "lengths > 0" not in says
    assert ".argmin()`, is where it goes wrong" in says


def test_what_is_alike_at_the_smallest_sizes_alone_is_not_told() -> None:
    """Of a single feature the mean is the vector, so that x / root is 0 as (x - mean) / root is."""
    source = """\
def layer_norm(x, weight, bias, eps=1e-5):
    mean = x.mean(-1, keepdim=True)
    root = torch.sqrt((x - mean).square().mean(-1, keepdim=True) + eps)
    return x / root * weight + bias
"""
    (says,) = searched("stacking.layer_norm", source)
    assert "line 4, `x / root`" in says
    assert "right before" not in says


def test_a_step_that_adds_next_to_nothing_is_not_called_missing() -> None:
    source = """\
def layer_norm(x, weight, bias, eps=1e-12):
    variance = x.var(-1, correction=0, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / torch.sqrt(variance + eps) * weight + bias
"""
    (says,) = searched("stacking.layer_norm", source)
    assert "the sum is missing" not in says


@pytest.mark.parametrize("name", TOLD)
def test_the_search_itself_raises_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in the search would be taken for the answer's, and end it without a word."""
    monkeypatch.setattr(first_step, "_contained", running.contained)
    monkeypatch.setattr(compared, "_safely", lambda relation, *args: relation(*args, 0) or "")
    assert searched(*TOLD[name][:2])


def test_a_call_that_does_not_fit_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "process_time", lambda: now)
    clock = first_step._Clock(ends=1.0)
    for _ in range(3):
        with clock.timed("model"):
            now += 0.3
    with pytest.raises(first_step._Late), clock.timed("model"):
        pass
    with clock.timed("variant"):  # of another kind, of which nothing is known
        now += 0.05


def test_it_is_part_of_the_report() -> None:
    exercise_id, source, words = TOLD["another input"]
    report = checks.judge(exercises.get(exercise_id), build(exercise_id, source))
    assert words[:20].lower() in report.message.lower()
