"""Ways to mend the article's layer wrongly, listed nowhere: none passes, each is told what is wrong."""

from __future__ import annotations

import pytest

from course.checking.exercise import build
from course.checking.explain import findings
from course.content import exercises
from course.sandbox import guards
from tests.content.stacking.test_unseen import plain, tried

pytestmark = pytest.mark.slow

MENDED = exercises.get("stacking.repair").model_source
NORMS = "        self.norm1 = nn.LayerNorm(d_model)\n        self.norm2 = nn.LayerNorm(d_model)\n"
FIRST = "        x = self.norm1(src) if self.norm_first else src\n"
SECOND = "        x = self.norm2(src) if self.norm_first else src\n"
SUM = "        src = src + self.dropout(src2)\n"
NETWORK = "        src2 = self.linear2(self.dropout(torch.relu(self.linear1(x))))\n"
AFTER_1 = "        if not self.norm_first:\n            src = self.norm1(src)\n"
AFTER_2 = "        if not self.norm_first:\n            src = self.norm2(src)\n"
NO_WEIGHTS = "need_weights=False"

# Of each: the edits of the mended layer, and what must be said.
WRONG: dict[str, tuple[list[tuple[str, str]], str]] = {
    "one norm for both": (
        [
            (NORMS, "        self.norm = nn.LayerNorm(d_model)\n"),
            ("self.norm1(", "self.norm("),
            ("self.norm2(", "self.norm("),
        ],
        "it has norm.weight, norm.bias, which torch's layer has not",
    ),
    "the norms in a list of modules": (
        [
            (
                NORMS,
                "        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(2))\n",
            ),
            ("self.norm1(", "self.norms[0]("),
            ("self.norm2(", "self.norms[1]("),
        ],
        "it has norms.0.weight",
    ),
    "norm2 before the network in both forms": (
        [(SECOND, "        x = self.norm2(src)\n")],
        "in post-norm, `self.linear1` gets norm2 of norm1 of the sum of src and the attention's output",
    ),
    "the second norm of post-norm forgotten": (
        [(AFTER_2, "")],
        "in post-norm, `self.norm2` is never called",
    ),
    "the normalised x added in post-norm": (
        [
            (FIRST, "        x = self.norm1(src)\n"),
            (SUM + AFTER_1, SUM.replace("src + ", "(src if self.norm_first else x) + ")),
        ],
        "in post-norm, `self.self_attn` gets `norm1(src)`",
    ),
    "pre-norm's norm around the output": (
        [
            (FIRST, "        x = src\n"),
            (
                SUM + AFTER_1,
                "        src2 = self.dropout(src2)\n"
                "        src = src + self.norm1(src2) if self.norm_first else self.norm1(src + src2)\n",
            ),
        ],
        "in pre-norm, `self.norm1` gets the attention's output, made of src without its norm",
    ),
    "a norm at the end of pre-norm": (
        [(AFTER_2, "        src = self.norm2(src)\n")],
        "in pre-norm, `self.norm2` is called 2 times",
    ),
    "the input added again": (
        [
            (FIRST, "        first = src\n" + FIRST),
            (NETWORK + SUM, NETWORK + SUM.replace("= src", "= first")),
        ],
        "the sum of src and linear2's output, without what the attention has made",
    ),
    "padding heeded without a mask only": (
        [("=src_key_padding_mask", "=src_key_padding_mask if src_mask is None else None")],
        "with two masks, what either of them blocks is blocked",
    ),
    "told that the mask is causal": (
        [(NO_WEIGHTS, NO_WEIGHTS + ", is_causal=src_mask is not None")],
        "`self.self_attn` is told `is_causal`",
    ),
    "NaN wiped away at the end": (
        [
            (NO_WEIGHTS, "need_weights=True"),
            ("        return src", "        return src.nan_to_num()"),
        ],
        "it gives NaN there, and without them out_proj's bias",
    ),
    "a row that is blocked opened": (
        [
            (
                FIRST,
                FIRST
                + "        if src_mask is not None:\n"
                + "            src_mask = src_mask & ~src_mask.all(-1, keepdim=True)\n",
            )
        ],
        "given another mask than src_mask: it blocks less",
    ),
    "zeros where a row is blocked": (
        [
            (
                NETWORK,
                NETWORK.replace("src2 = ", "x = x.masked_fill(IDLE, 0.0)\n        src2 = ").replace(
                    "IDLE",
                    "(src_mask if src_mask is not None else src.new_zeros(1, 1).bool()).all(-1)[None, :, None]",
                ),
            )
        ],
        "something else in the rows of tokens that may look at nothing (out_proj's bias stays there)",
    ),
    "F.dropout": (
        [("self.dropout(src2)", "F.dropout(src2)")],
        "F.dropout has to be told `training=self.training`",
    ),
    "a dropout with its own rate": (
        [("nn.Dropout(dropout)", "nn.Dropout()")],
        "the rate is 0.5, and should be 0.3",
    ),
    "a sum that is dropped": (
        [(NETWORK + SUM, NETWORK + "        src = self.dropout(src + src2)\n")],
        "dropout after linear2: the whole sum is dropped, x and all",
    ),
    "no scale": (
        [
            (
                NETWORK + SUM,
                NETWORK
                + "        keep = torch.rand_like(src2) > (self.dropout.p if self.training else 0.0)\n"
                + "        src = src + src2 * keep\n",
            )
        ],
        "dropout after linear2: what is kept is not scaled",
    ),
    "dropped on the way into the network": (
        [("self.linear1(x)", "self.linear1(self.dropout(x))")],
        "what goes into the feed-forward network is dropped",
    ),
    "dropped on the way into the attention": (
        [(FIRST, FIRST + "        x = self.dropout(x)\n")],
        "what goes into the attention is dropped",
    ),
    "no dropout in one half of post-norm": (
        [
            (
                SUM + AFTER_1,
                "        src = src + self.dropout(src2) if self.norm_first else self.norm1(src + src2)\n",
            )
        ],
        "dropout on the attention's output: nothing is dropped, with a rate of 0.3",
    ),
    "dropout after post-norm's last norm": (
        [(AFTER_2, AFTER_2.replace("self.norm2(src)", "self.dropout(self.norm2(src))"))],
        "something is dropped after the last norm",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mended_layer_is_told_where_it_goes_wrong(name: str) -> None:
    exercise = exercises.get("stacking.repair")
    edits, wanted = WRONG[name]
    source = MENDED
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    answer = build(exercise.id, source)
    trials = tried(exercise.id, answer)
    with guards.apart():
        told = findings.describe(exercise, answer, trials)
    assert wanted in " ".join(told), told


def test_there_are_trials_in_training_in_both_forms() -> None:
    """Without one of them, dropout that is wrong in the other form alone would pass."""
    forms = {probe.case.args[4] for probe, _ in plain("stacking.repair") if probe.case.args[9]}
    assert forms == {True, False}
