"""Wrong multi-head attention as people write it, listed nowhere: none passes, each is told what is wrong."""

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
