"""Two numbers that a report sets side by side as different are seen to differ."""

import re

import pytest

from tests.unseen import judged

ANSWERS = {
    "attention.scaled_dot_product": (
        "def scaled_dot_product(query, key, value, mask=None):\n"
        "    raw = (query @ key.mT / query.shape[-1] ** 0.5).clamp(-2, 2)\n"
        "    if mask is not None:\n"
        '        raw = raw.masked_fill(mask, float("-inf"))\n'
        "    weights = raw.softmax(-1).nan_to_num(0)\n"
        "    return weights @ value, weights\n",
        r"should get exp\(.*?\) = (\S+) times the weight of the first, and gets (\S+) times",
    ),
    "stacking.layer_norm": (
        "def layer_norm(x, weight, bias, eps=1e-5):\n"
        "    apart = x - x.mean(-1, keepdim=True)\n"
        "    variance = apart.square().mean(-1, keepdim=True)\n"
        "    return apart / torch.sqrt(variance + 1e-6) * weight + bias\n",
        r"the largest difference is at .*?: (\S+) instead of (\S+)\.",
    ),
}


@pytest.mark.parametrize("exercise_id", ANSWERS)
def test_numbers_side_by_side_differ(exercise_id):
    source, sentence = ANSWERS[exercise_id]
    report = judged(exercise_id, source)
    assert report.status == "failed"
    told = re.search(sentence, report.message)
    assert told is not None, report.message
    assert told[1] != told[2]
    one, other = float(told[1]), float(told[2])
    assert abs(one - other) > 1e-9 * abs(one)  # far more apart than by their last digit
