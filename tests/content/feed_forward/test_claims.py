"""What chapter 03's prose and quiz say, held against what its own cells compute.

The chapter's code cells run here one after the other, solved, in one namespace; what they leave
there is what the learner sees.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from tests.close import assert_minilm_close as assert_close
from tests.content import cells
from tests.content.said import right

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chapter() -> SimpleNamespace:
    """All names of the chapter after its last cell, and what it printed."""
    return cells.run_all("03_feed_forward")


# 1 and 2: the formula, counted


def test_the_formula_is_pytorchs(chapter: SimpleNamespace) -> None:
    assert chapter.difference < 1e-5
    assert chapter.model.layers[3].linear1.weight.shape == (1536, 384)
    assert 6 * 1536 == 9216


def test_the_network_holds_two_thirds_of_a_layer(chapter: SimpleNamespace) -> None:
    assert all(share == pytest.approx(2 / 3, abs=0.002) for share in chapter.shares.values())
    assert right("feed_forward.share") == "About two thirds."
    assert chapter.of_the_model == chapter.count_parameters(384, 12, 1536)


def test_of_the_whole_model_it_is_less(chapter: SimpleNamespace) -> None:
    assert chapter.networks / chapter.everything < 0.4 < chapter.tables / chapter.everything


# 3: each token by itself


def test_a_changed_token_moves_its_own_output_only(chapter: SimpleNamespace) -> None:
    moved = chapter.by_network > 1e-6
    assert moved.tolist() == [False, False, True, False, False, False]
    assert (chapter.by_attention > 0.05).all()
    assert right("feed_forward.one-token-changed").startswith(
        "In the network that of token 2 alone"
    )


def test_shuffled_in_shuffled_out(chapter: SimpleNamespace) -> None:
    assert chapter.same
    assert_close(chapter.one_by_one, chapter.straight[0])


# 4 and 5: the activation


def test_without_the_activation_two_maps_are_one_with_an_eighth_of_the_weights(
    chapter: SimpleNamespace,
) -> None:
    assert_close(chapter.two_maps, chapter.one_map)
    assert (chapter.w1.numel() + chapter.w2.numel()) / (chapter.w1 @ chapter.w2).numel() == 8
    assert right("feed_forward.without-the-bend") == "Just what one map from $D$ to $D$ can."


def test_the_ramps_make_the_absolute_value_and_bend_down_from_one_and_a_half_on(
    chapter: SimpleNamespace,
) -> None:
    x = chapter.line[:, 0]
    expected = torch.where(x > 1.5, x - 2 * (x - 1.5), x.abs())
    assert_close(chapter.by_hand, expected)


def test_slopes_are_as_described(chapter: SimpleNamespace) -> None:
    assert chapter.slopes["sigmoid"].max() <= 0.25 + 1e-6
    assert 0.25**12 < 1e-7
    assert set(chapter.slopes["ReLU"][chapter.points.detach() != 0].tolist()) == {0.0, 1.0}
    for name in ("GELU", "SiLU"):
        assert 1.05 < chapter.slopes[name].max() < 1.2
        assert chapter.slopes[name][chapter.points.detach().sub(-0.5).abs().argmin()] > 0
        assert chapter.slopes[name].min() < 0


def test_only_relu_silences_neurons(chapter: SimpleNamespace) -> None:
    assert chapter.silent == {"ReLU": 32, "GELU": 0}
    assert chapter.share["ReLU"] == 0 < chapter.share["GELU"] < 0.1
    assert right("feed_forward.dead") == "With ReLU these 32, with GELU none."


def test_the_model_takes_ones_own_gelu_and_no_relu(chapter: SimpleNamespace) -> None:
    assert (chapter.kept["your GELU"] > 0.9999).all()
    assert ((chapter.kept["ReLU"] > 0.4) & (chapter.kept["ReLU"] < 0.75)).all()
    assert right("feed_forward.relu-for-gelu") == "They turn far away: cosines of about 0.6."
    assert chapter.kept["ReLU"].mean() == pytest.approx(0.6, abs=0.05)
    x = torch.linspace(-10, 10, 20001)
    gap = (F.relu(x) - F.gelu(x)).abs().max()
    assert gap == pytest.approx(0.17, abs=0.005)


# 6: keys and values


def test_the_sum_over_neurons_is_the_formula(chapter: SimpleNamespace) -> None:
    assert_close(chapter.by_neuron, chapter.at_once)


@pytest.mark.parametrize(
    ("layer", "neuron", "family", "least"),
    [
        (3, 318, {"not", "no", "t", "don", "cannot", "non", "never", "nor"}, 12),
        (1, 1184, {"error", "errors", "not", "cannot", "no", "missing", "##ror", "fail"}, 12),
        (4, 1097, {"two", "second", "both", "double", "triple", "third", "##2", "three"}, 12),
        (2, 1042, {")", "]", "}"}, 13),
        (3, 112, {"end", "finally", "terminate", "terminated", "terminates", "stop", "after",
                  "continue", "exit", "finish", "finished", "ends", "until"}, 10),
    ],
)  # fmt: skip
def test_the_neurons_answer_to_what_they_are_named_after(
    chapter: SimpleNamespace, layer: int, neuron: int, family: set[str], least: int
) -> None:
    words = [word for word, _ in chapter.excitement.strongest(layer, neuron, 14)]
    assert sum(word in family for word in words) >= least, words


def test_further_down_the_first_neuron_answers_to_cannot_too(chapter: SimpleNamespace) -> None:
    words = [word for word, _ in chapter.excitement.strongest(3, 318, 60)]
    assert {"cannot", "without", "empty"} <= set(words)


def test_in_the_first_two_layers_the_strongest_places_hold_fewer_different_words(
    chapter: SimpleNamespace,
) -> None:
    assert max(chapter.different[:2]) < min(chapter.different[2:])
    assert max(chapter.different) < chapter.by_chance - 3, "fewer than by chance"


def test_without_neuron_318_a_sentence_and_its_negation_come_closer(
    chapter: SimpleNamespace,
) -> None:
    assert chapter.closer[0] > 0.02
    assert chapter.larger == 0
    assert chapter.closer[0] > 7 * max(abs(other) for other in chapter.others), "about ten times"
    assert abs(chapter.control) < 0.02 * chapter.closer[0], "another word than not moves nothing"
    with chapter.neurons.switched_off(chapter.model, 3, 120):
        vectors = chapter.sentence_embedding(chapter.sentences)
    half = (vectors[0::2] * vectors[1::2]).sum(dim=-1).mean() - chapter.whole_model
    assert -half / chapter.closer[0] == pytest.approx(0.5, abs=0.1), "half as much, and apart"
    assert chapter.whole_model + chapter.closer[0] < 0.95, "far from equal still"


# 7 and 8: gates and dropout


def test_two_gated_neurons_multiply(chapter: SimpleNamespace) -> None:
    assert_close(chapter.multiplied, chapter.factors.prod(dim=-1))


def test_two_thirds_of_the_width_pay_for_the_gate(chapter: SimpleNamespace) -> None:
    assert chapter.plain == chapter.gated
    assert right("feed_forward.gate-parameters") == "2048, two thirds."


def test_dropout_keeps_the_mean(chapter: SimpleNamespace) -> None:
    assert sorted(set(chapter.runs.flatten().tolist())) == pytest.approx([0, 1 / 0.75])
    assert chapter.runs.mean() == pytest.approx(1.0, abs=0.02)
    assert chapter.zeros == pytest.approx(0.25, abs=0.015)
    assert right("feed_forward.what-is-left") == "0 and 1.3333, with mean 1."


def test_in_training_each_call_gives_something_else(chapter: SimpleNamespace) -> None:
    assert (chapter.twice["train()"] < 0.99).all()
    assert (chapter.twice["eval()"] > 0.99999).all()
    with torch.no_grad():
        ids, padding = chapter.batch.ids, chapter.batch.padding_mask
        of_minilm = chapter.model(ids, padding_mask=padding)[:, 0]
    assert_close(chapter.another, of_minilm, msg="it is MiniLM, as it is said")
    assert chapter.model.layers[0].dropout2.p == chapter.model.layers[0].dropout1.p == 0.1
    assert right("feed_forward.no-grad").startswith("Dropout goes on dropping")


def test_the_pieces_are_minilms_network(chapter: SimpleNamespace) -> None:
    assert_close(chapter.ours, chapter.seen["y"])
    assert chapter.inner[0, 4, 318] > 2 > chapter.inner[0, 2, 318]
    assert chapter.tokenizer.encode("The bridge is not safe.").tokens[4] == "not"


def test_the_tiny_cases_are_right(chapter: SimpleNamespace) -> None:
    assert chapter.count_parameters(2, 1, 3) == 24 + 17 + 8 == 49
    assert 0.5 * (1 + math.erf(1 / math.sqrt(2))) == pytest.approx(0.8413, abs=1e-4)
    assert chapter.tiny_geglu.item() == pytest.approx(5.048, abs=1e-3)


@pytest.mark.parametrize("text", ["It was never safe.", "Nothing is safe here."])
def test_the_labs_neuron_answers_to_never_and_nothing(chapter: SimpleNamespace, text: str) -> None:
    found = chapter.neurons.excite(chapter.model, chapter.tokenizer, [text])
    (strongest, value), *_ = found.strongest(3, 318, 3)
    assert strongest in ("never", "nothing")
    assert value > 2
