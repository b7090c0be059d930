"""Wrong softmaxes and wrong attention as people write them: none passes, each is told what is wrong."""

import pytest

from tests import unseen

pytestmark = pytest.mark.slow

WHOLE = """\
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    given = x
    query, key, value = (x @ w_in.T + b_in).chunk(3, dim=-1)
    query, key, value = (split_heads(part, nhead) for part in (query, key, value))
    output, _ = scaled_dot_product(query, key, value, mask)
    return merge_heads(output) @ w_out.T + b_out
"""
CALL = "output, _ = scaled_dot_product"
RETURN = "return merge_heads(output) @ w_out.T + b_out"

# Of each: what stands in the place of what, and what must be said.
EDITED = {
    "queries and keys normalised": (
        CALL,
        "query, key = (F.layer_norm(part, part.shape[-1:]) for part in (query, key))\n    " + CALL,
        "a softmax of scores in which queries and keys are layer-normalised",
    ),
    "the keys alone of length 1": (
        CALL,
        "key = F.normalize(key, dim=-1)\n    " + CALL,
        "a softmax of scores in which the keys are scaled",
    ),
    "normalised with what is added": (
        RETURN,
        RETURN.replace("return ", "return F.layer_norm(given + ") + ", x.shape[-1:])",
        "what comes is x + b_out after a layer normalisation",
    ),
    "x of length 1": (
        "given = x",
        "x = F.normalize(x, dim=-1)",
        "what comes is x scaled to length 1",
    ),
    "x times the root of D": (
        "given = x",
        "x = x * math.sqrt(x.shape[-1])",
        "it comes multiplied by sqrt(D)",
    ),
    "positive values alone": (
        CALL,
        "value = value.relu()\n    " + CALL,
        "what comes is the positive part of x",
    ),
}


@pytest.mark.parametrize("name", EDITED)
def test_it_does_not_pass_and_is_told_what_is_wrong(name, monkeypatch):
    unseen.quickly(monkeypatch)
    old, new, said = EDITED[name]
    assert old in WHOLE
    unseen.assert_told("attention.multi_head", WHOLE.replace(old, new), None, said)


def test_attention_of_a_normalised_x_is_named(monkeypatch):
    unseen.quickly(monkeypatch)
    source = WHOLE.replace("given = x", "x = F.layer_norm(x, x.shape[-1:])")
    unseen.assert_told("attention.multi_head", source, "normalised", None)


def test_what_the_edits_start_from_passes():
    assert unseen.judged("attention.multi_head", WHOLE).passed


SOFTMAX = """\
def softmax(x, dim):
    largest = x.amax(dim, keepdim=True)
    powers = (x - torch.where(largest == -math.inf, 0.0, largest)).exp()
    return powers / DIVISOR
"""
CHANGED = "def softmax(x, dim): return torch.softmax(CHANGED, dim).nan_to_num(0.0)"
SOFTMAXES = {
    "one added": (
        SOFTMAX.replace("DIVISOR", "(1 + powers.sum(dim, keepdim=True))"),
        "divided by 1 plus their sum",
    ),
    "a small number added": (
        SOFTMAX.replace("DIVISOR", "(powers.sum(dim, keepdim=True) + 1e-3)"),
        "0.001 is added to what they are divided by",
    ),
    "length 1": (
        SOFTMAX.replace("DIVISOR", "powers.norm(dim=dim, keepdim=True).clamp(min=1e-30)"),
        "divided by the root of the sum of their squares",
    ),
    "absolute values": (
        CHANGED.replace("CHANGED", "x.abs()"),
        "the weights are those of the absolute value of x",
    ),
    "by the root of the length": (
        CHANGED.replace("CHANGED", "x / math.sqrt(x.shape[dim])"),
        "1 over the root of how many numbers there are",
    ),
    "half": (CHANGED.replace("CHANGED", "x / 2"), "the weights are those of 0.5 x"),
    "standardised": (
        CHANGED.replace("CHANGED", "x / x.std(dim, keepdim=True)"),
        "the weights stay the same when all numbers are doubled",
    ),
}


@pytest.mark.parametrize("name", SOFTMAXES)
def test_a_softmax_is_told_by_what_it_makes_of_plain_numbers(name, monkeypatch):
    unseen.quickly(monkeypatch)
    source, said = SOFTMAXES[name]
    report = unseen.judged("attention.softmax", source)
    assert report.status == "failed"
    assert report.mistakes == ()
    assert said.lower() in report.message.lower()


ATTENTION = """\
def scaled_dot_product(query, key, value, mask=None):
    raw = SCORES
    raw = raw if mask is None else raw.masked_fill(mask, -math.inf)
    weights = WEIGHTS
    return weights @ value, weights
"""
USUAL = {
    "SCORES": "query @ key.mT / math.sqrt(query.shape[-1])",
    "WEIGHTS": "torch.softmax(raw, -1).nan_to_num(0.0)",
}
ATTENTIONS = {
    "distances": (
        "SCORES",
        "-torch.cdist(query, key).square() / 2",
        "the second should get e = 2.718 times the weight of the first, and gets 1.649 times",
    ),
    "weights that sum to less": (
        "WEIGHTS",
        "torch.softmax(raw, -1).nan_to_num(0.0) / 1.01",
        "the weights are in the right proportion, but sum to 0.9901",
    ),
    "scores bent": (
        "SCORES",
        "torch.sigmoid(query @ key.mT / math.sqrt(query.shape[-1]))",
        "the weights are those of sigmoid(x)",
    ),
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention_is_told_by_the_weights_of_plain_scores(name, monkeypatch):
    unseen.quickly(monkeypatch)
    place, instead, said = ATTENTIONS[name]
    source = ATTENTION
    for part, usual in USUAL.items():
        source = source.replace(part, instead if part == place else usual)
    unseen.assert_told("attention.scaled_dot_product", source, None, said)
