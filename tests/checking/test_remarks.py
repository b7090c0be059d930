"""A right answer with a trap in it passes, with a remark; other right answers get none."""

import dataclasses

import pytest
import torch

from course.checking import checks
from course.checking.exercise import Case, Remark, build, traps
from course.checking.explain import remarks
from course.content import exercises
from course.sandbox import guards

RIGHT = {exercise_id: exercises.right_answers(exercise_id) for exercise_id in exercises.ids()}
WITH_REMARKS = [one for one in map(exercises.get, exercises.ids()) if one.remarks]
IN_GRADIENTS = [
    (exercise, remark)
    for exercise in WITH_REMARKS
    for remark in exercise.remarks
    if remark.mode == "gradient" and not exercise.is_class and exercise.harness is None
]

SPRUNG = {
    "attention.softmax": """\
def softmax(x, dim):
    return torch.softmax(x, dim).nan_to_num(0.0)
""",
    "attention.entropy": """\
def entropy(weights):
    return -torch.where(weights > 0, weights * weights.log(), 0.0).sum(-1)
""",
    "feed_forward.dropout": """\
def dropout(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError("p is no probability")
    if not training:
        return x
    kept = torch.rand_like(x) >= p
    return torch.where(kept, x / (1 - p), torch.zeros_like(x))
""",
    "embeddings.cosine_similarity": """\
def cosine_similarity(a, b):
    lengths = a.norm(dim=-1)[:, None] * b.norm(dim=-1)
    return torch.nan_to_num(a @ b.T / lengths, nan=0.0)
""",
    "embeddings.sinusoidal_positions": """\
def sinusoidal_positions(length, d_model):
    column = torch.arange(d_model)
    angle = torch.arange(length)[:, None] / 10000 ** (2 * (column // 2) / d_model)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos()).float()
""",
    "attention.split_heads": """\
def split_heads(x, nhead):
    if x.shape[-1] % nhead:
        raise ValueError("the width must be divisible by the number of heads")
    return x.unflatten(-1, (nhead, -1)).transpose(1, 2)
""",
    "attention.scaled_dot_product": """\
def scaled_dot_product(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores + torch.zeros_like(scores).masked_fill(mask, -math.inf)
    weights = torch.softmax(scores, -1).nan_to_num(0.0)
    return weights @ value, weights
""",
    "attention.multi_head": """\
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    query, key, value = (split_heads(part, nhead) for part in F.linear(x, w_in, b_in).chunk(3, -1))
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores + torch.zeros_like(scores).masked_fill(mask, -math.inf)
    return F.linear(merge_heads(torch.softmax(scores, -1).nan_to_num(0.0) @ value), w_out, b_out)
""",
    "stacking.token_similarity": """\
def token_similarity(hidden, padding_mask=None):
    unit = F.normalize(hidden, dim=-1)
    count = torch.full((len(hidden),), hidden.shape[1], device=hidden.device)
    if padding_mask is not None:
        unit, count = unit.masked_fill(padding_mask[..., None], 0.0), (~padding_mask).sum(-1)
    pairs = unit.sum(1).square().sum(-1) - unit.square().sum((1, 2))
    return pairs / (count * (count - 1)).clamp(min=1)
""",
    "translation.bleu": """\
def bleu(candidates, references):
    logs = 0.0
    for n in range(1, 5):
        shared = total = 0
        for pair in zip(candidates, references):
            ours, theirs = (Counter(" ".join(t[i : i + n]) for i in range(len(t) - n + 1)) for t in pair)
            shared, total = shared + sum((ours & theirs).values()), total + sum(ours.values())
        if shared == 0:
            return 0.0
        logs += math.log(shared / total)
    lengths = [sum(map(len, side)) for side in (references, candidates)]
    return math.exp(logs / 4 + min(0, 1 - lengths[0] / lengths[1]))
""",
    "translation.additive_attention": """\
def additive_attention(query, memory, w_query, w_memory, v, memory_padding_mask=None):
    scores = torch.tanh((query @ w_query.T)[:, None] + memory @ w_memory.T) @ v
    if memory_padding_mask is not None:
        scores = scores + torch.zeros_like(scores).masked_fill(memory_padding_mask, -math.inf)
    weights = torch.softmax(scores, -1).nan_to_num(0.0)
    return (weights[..., None] * memory).sum(1), weights
""",
    "vision.patchify": """\
def patchify(images, patch):
    if images.shape[2] % patch or images.shape[3] % patch:
        raise ValueError("both sides must be multiples of the patch")
    return F.unfold(images, patch, stride=patch).mT
""",
    "speech.ctc_loss": """\
def ctc_loss(log_probs, target, blank):
    lengths = torch.tensor(len(log_probs)), torch.tensor(len(target))
    return F.ctc_loss(log_probs, torch.tensor(target, dtype=torch.long), *lengths, blank, "sum")
""",
}

ONE_BY_ONE = """\
def entropy(weights):
    total = torch.zeros_like(weights[..., 0])
    for weight in weights.unbind(-1):
        total = total - weight * weight.log()
    return total
"""


@pytest.mark.parametrize("exercise_id", SPRUNG)
def test_the_trap_is_named_and_the_answer_passes(exercise_id):
    exercise = exercises.get(exercise_id)
    report = checks.judge(exercise, build(exercise_id, SPRUNG[exercise_id]))
    assert report.passed, report.message
    assert report.remarks == (exercise.remarks[0].id,)
    assert remarks.HEADING in [heading for heading, _ in report.sections]
    assert exercise.remarks[0].says in report.message
    assert remarks.HEADING in report._repr_html_()


@pytest.mark.parametrize("exercise", WITH_REMARKS, ids=lambda exercise: exercise.id)
def test_the_model_solution_gets_none(exercise):
    with guards.apart():
        assert remarks.deserved(exercise, exercise.model()) == []


@pytest.mark.parametrize(
    ("exercise", "remark"), IN_GRADIENTS, ids=[remark.id for _, remark in IN_GRADIENTS]
)
def test_right_answers_get_what_their_gradients_deserve(exercise, remark):
    """The remark against the gradients taken here, without the checker."""
    given = 0
    for answer in RIGHT[exercise.id]:
        args = [
            arg.clone().requires_grad_()
            if isinstance(arg, torch.Tensor) and arg.is_floating_point()
            else arg
            for arg in remark.case.args
        ]
        result = answer(*args)
        total = sum(one.cos().sum() for one in (result if isinstance(result, tuple) else (result,)))
        inputs = [arg for arg in args if isinstance(arg, torch.Tensor) and arg.requires_grad]
        found = torch.autograd.grad(total, inputs, allow_unused=True)
        broken = any(one is not None and not bool(one.isfinite().all()) for one in found)
        with guards.apart():
            assert (remark in remarks.deserved(exercise, answer)) == broken, answer.__name__
        given += broken
    assert given < len(RIGHT[exercise.id]), "no right answer without the trap: is it one?"


def test_an_error_that_names_a_number_gets_no_remark():
    exercise = exercises.get("attention.split_heads")
    source = SPRUNG[exercise.id].replace('"the width', 'f"the width {x.shape[-1]}')
    with guards.apart():
        assert remarks.deserved(exercise, build(exercise.id, source)) == []


def test_an_error_without_a_message_does_not_pass():
    exercise = exercises.get("attention.split_heads")
    source = SPRUNG[exercise.id].replace("unflatten(-1, (nhead, -1))", "unflatten(-1, (-1, nhead))")
    bare = SPRUNG[exercise.id].replace('("the width must be divisible by the number of heads")', "")
    assert checks.judge(exercise, build(exercise.id, bare)).mistakes == ("says-nothing",)
    both = checks.judge(
        exercise,
        build(
            exercise.id,
            source.replace('("the width must be divisible by the number of heads")', "()"),
        ),
    )
    assert set(both.mistakes) == {"says-nothing", "heads-and-width-exchanged"}


def test_no_remark_while_a_trial_fails():
    exercise = exercises.get("attention.softmax")
    report = checks.judge(exercise, lambda x, dim: torch.softmax(x, dim))
    assert (report.status, report.remarks) == ("failed", ())
    assert remarks.HEADING not in report.message


def test_digits_that_are_lost_in_half_precision_can_be_remarked_on():
    """As an exercise says it: a dtype, a case, and how far from the exact result is too far."""
    entropy = exercises.get("attention.entropy")
    remark = Remark(
        "half",
        Case((torch.linspace(0.1, 1.9, 40, dtype=torch.float64)[None] / 40,), "many keys"),
        lambda came, wanted: traps.loses_digits(came, wanted, 4e-3),
        "It loses digits.",
        dtype="bfloat16",
    )
    exercise = dataclasses.replace(entropy, remarks=(remark,))
    one_by_one = build("attention.entropy", ONE_BY_ONE)
    with guards.apart():
        assert remarks.deserved(exercise, one_by_one) == [remark]
        assert remarks.deserved(exercise, exercise.model()) == []


def test_what_the_remark_on_softmax_claims():
    """A mask that is added lets the NaN through to query and key; `masked_fill` stops it."""
    query, key = (torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    mask = torch.tensor([[False, True], [True, True]])
    trapped = build("attention.softmax", SPRUNG["attention.softmax"])
    filled = (query @ key.T).masked_fill(mask, -torch.inf)
    added = query @ key.T + torch.zeros(2, 2).masked_fill(mask, -torch.inf)
    for scores, broken in ((filled, False), (added, True)):
        for gradient in torch.autograd.grad(trapped(scores, -1)[:, 0].sum(), (query, key)):
            assert bool(gradient.isnan().any()) == broken
