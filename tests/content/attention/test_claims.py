"""What the chapter's prose and its quiz say, held against what its own cells compute.

The chapter's code cells run here one after the other, solved, in one namespace; what they leave
there is what the learner sees.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from course.content import manuscript
from course.content import questions as quizzes
from tests.close import assert_minilm_close as assert_close
from tests.content import cells
from tests.content.said import right
from tests.sampled import thinned

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chapter() -> SimpleNamespace:
    """All names of the chapter after its last cell, and what it printed."""
    return cells.run_all("02_attention")


# 1 to 5: one sentence, one head


def test_bank_is_equal_before_the_first_layer_and_different_after_it(
    chapter: SimpleNamespace,
) -> None:
    assert torch.equal(chapter.pairs[0][0], chapter.pairs[0][1])
    assert chapter.alike[0] == pytest.approx(1.0)
    assert chapter.alike[1] < 0.97
    assert min(chapter.alike) > 0.9
    assert chapter.alike[-1] == min(chapter.alike)
    assert right("attention.same-word").startswith("Equal when they come from the table")


def test_one_query_a_token(chapter: SimpleNamespace) -> None:
    assert chapter.query.shape == (16, 32)
    assert right("attention.how-many-queries").startswith("16:")


def test_scores_are_not_symmetric(chapter: SimpleNamespace) -> None:
    assert abs(chapter.real_scores - chapter.real_scores.T).max() > 1
    assert chapter.raw.argmax() == chapter.anna
    assert_close(chapter.real_scores[chapter.she], chapter.raw / math.sqrt(32))
    assert not torch.allclose(
        chapter.real_scores[chapter.she], chapter.real_scores[chapter.she + 1], atol=1
    )


def test_products_spread_as_the_root_of_the_width(chapter: SimpleNamespace) -> None:
    for d_k, products in chapter.products.items():
        assert products.std() == pytest.approx(math.sqrt(d_k), rel=0.05)
    growth = chapter.products[1024].std() / chapter.products[4].std()
    assert growth == pytest.approx(16, rel=0.05)
    assert right("attention.growing-products") == "16 times."


def test_a_fresh_networks_products_spread_the_same_at_every_width(
    chapter: SimpleNamespace,
) -> None:
    assert [round(v, 2) for v in chapter.variances.values()] == [0.5, 0.33, 0.15]
    for name, spreads in chapter.spreads.items():
        assert spreads == pytest.approx([chapter.variances[name]] * 3, rel=0.06)
    note = {cell.id: cell.source for cell in manuscript.read("02_attention")}
    assert "0.50, 0.33 and 0.15" in note["initial-variance-note"]
    assert "variance 1" in right("attention.why-the-root"), "the condition is said"


def test_without_the_root_the_softmax_saturates_and_its_gradient_dies(
    chapter: SimpleNamespace,
) -> None:
    raw, scaled = chapter.largest.values()
    assert raw[-1] > 0.9
    assert max(scaled) < 0.3
    assert max(scaled) - min(scaled) < 0.05
    raw, scaled = chapter.slopes.values()
    assert raw[-1] < 1e-3 * raw[0]
    assert max(scaled) < 1.1 * min(scaled)


def test_divided_by_the_width_all_weights_start_out_nearly_equal(chapter: SimpleNamespace) -> None:
    weights = torch.softmax(chapter.products[1024] / 1024, dim=-1)
    assert weights.amax(-1).mean() < 1.2 / 16


def test_the_pronoun_takes_its_head_to_the_other_name(chapter: SimpleNamespace) -> None:
    assert chapter.weights[chapter.she].argmax() == chapter.anna
    assert chapter.weights_he[chapter.she].argmax() == chapter.peter
    assert right("attention.other-pronoun") == "peter."


def test_a_shift_changes_nothing_and_a_factor_sharpens(chapter: SimpleNamespace) -> None:
    row = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    assert_close(chapter.softmax(row + 100, -1), chapter.softmax(row, -1))
    assert chapter.softmax(3 * row, -1).max() > chapter.softmax(row, -1).max()
    assert not torch.isfinite(torch.exp(torch.tensor(101.0)))


def test_the_output_lies_among_the_values(chapter: SimpleNamespace) -> None:
    output = chapter.weights @ chapter.value
    assert (output <= chapter.value.amax(0) + 1e-5).all()
    assert (output >= chapter.value.amin(0) - 1e-5).all()


def test_projecting_before_or_after_the_mean_is_the_same(chapter: SimpleNamespace) -> None:
    assert_close(chapter.mean_then_project, chapter.project_then_mean)
    assert chapter.difference < 1e-5


# 6 to 8: masks and heads


def test_the_mask_makes_a_sentence_independent_of_its_batch(chapter: SimpleNamespace) -> None:
    assert_close(chapter.masked, chapter.alone)
    assert (chapter.forgotten - chapter.alone).abs().max() > 0.1
    assert torch.equal(chapter.padding, chapter.batch.padding_mask)


def test_zeroed_weights_do_not_sum_to_one(chapter: SimpleNamespace) -> None:
    causal = chapter.causal_mask(16)
    zeroed = chapter.softmax(chapter.real_scores, -1).masked_fill(causal, 0.0)
    assert (zeroed.sum(-1)[:-1] < 0.99).any()
    again = zeroed / zeroed.sum(-1, keepdim=True)
    assert_close(again, chapter.causal_weights, msg="both agree after a division")


def test_where_what_is_blocked_is_much_larger_the_division_comes_too_late(
    chapter: SimpleNamespace,
) -> None:
    scores, blocked = torch.tensor([0.0, 1.0, 200.0]), torch.tensor([False, False, True])
    before = chapter.softmax(scores.masked_fill(blocked, float("-inf")), -1)
    assert_close(before[:2], torch.tensor([0.0, 1.0]).softmax(-1))
    after = chapter.softmax(scores, -1).masked_fill(blocked, 0.0)
    assert (after / after.sum()).isnan().all()
    whys = " ".join(o.why for o in quizzes.get("attention.mask-before").options)
    assert "exact arithmetic" in whys


def test_pytorch_has_two_conventions(chapter: SimpleNamespace) -> None:
    q = k = v = torch.randn(1, 4, 8)
    blocked = torch.tensor([False, False, True, True]).expand(4, 4)
    kept = F.scaled_dot_product_attention(q, k, v, attn_mask=~blocked)
    mixed_up = F.scaled_dot_product_attention(q, k, v, attn_mask=blocked)
    assert_close(kept[0], chapter.scaled_dot_product(q, k, v, blocked)[0][0])
    assert_close(mixed_up[0], chapter.scaled_dot_product(q, k, v, ~blocked)[0][0])
    module = torch.nn.MultiheadAttention(8, 1, batch_first=True)
    weights = module(q, k, v, attn_mask=blocked)[1]
    assert (weights[..., 2:] == 0).all()


def test_minilm_runs_on_the_chapters_function(chapter: SimpleNamespace) -> None:
    real = ~chapter.padding
    assert_close(chapter.after[real], chapter.before[real])
    assert_close(chapter.ours[real], chapter.theirs[real])


def test_the_number_of_heads_changes_neither_parameters_nor_operations(
    chapter: SimpleNamespace,
) -> None:
    rows = [
        line.split()
        for line in chapter.printed
        if line.split()[0] in ("1", "12", "48") and "tokens" not in line
    ]
    rows = [[int(cell) for cell in row] for row in rows if len(row) == 5]
    assert [row[0] for row in rows] == [1, 12, 48]
    assert [row[1] for row in rows] == [384, 32, 8]
    assert len({row[2] for row in rows}) == len({row[3] for row in rows}) == 1
    assert [row[4] for row in rows] == [256 * row[0] for row in rows]
    assert right("attention.head-count") == "It stays the same."


def test_a_heads_form_has_the_rank_of_its_width(chapter: SimpleNamespace) -> None:
    assert torch.linalg.matrix_rank(chapter.form) == 32


def test_a_view_gives_a_head_whole_tokens() -> None:
    x = torch.arange(2 * 4 * 6.0).reshape(2, 4, 6)
    assert torch.equal(x.view(2, 2, 4, 3)[0, 0].flatten(), x[0, :2].flatten())


# 10 to 12: distance, order, cost


def test_one_row_can_be_computed_alone(chapter: SimpleNamespace) -> None:
    assert_close(chapter.one_row[0], chapter.every_row[chapter.she])


def test_only_attention_remembers_over_32_tokens(chapter: SimpleNamespace) -> None:
    assert chapter.right["attention"][-1] > 0.9
    assert max(chapter.right["recurrent"][-1], chapter.right["gated recurrent"][-1]) < 0.3
    assert right("attention.remember-the-first") == "Only the one with attention."


def test_attention_does_not_know_the_order(chapter: SimpleNamespace) -> None:
    assert_close(chapter.of_shuffled, chapter.straight[:, chapter.shuffled])
    without = F.cosine_similarity(*chapter.without, dim=0)
    with_places = F.cosine_similarity(*chapter.with_places, dim=0)
    assert_close(without, 1.0, dtype=torch.float32)
    assert with_places == pytest.approx(0.978, abs=1e-3)
    assert chapter.one_word[0] @ chapter.one_word[1] == pytest.approx(0.74, abs=5e-3)


def _causal(chapter: SimpleNamespace, x: Tensor, layers: int) -> Tensor:
    for _ in range(layers):
        x = x + chapter.multi_head(x, *_weights(), nhead=2, mask=chapter.causal_mask(x.shape[1]))
    return x[:, -1]


def _weights() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((24, 8), (24,), (8, 8), (8,))
    return [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes]


def test_a_causal_mask_tells_the_order_from_the_second_layer_on(chapter: SimpleNamespace) -> None:
    x = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    other = x[:, [2, 0, 3, 1, 4]]
    assert_close(_causal(chapter, x, 1), _causal(chapter, other, 1))
    assert not torch.allclose(_causal(chapter, x, 2), _causal(chapter, other, 2), atol=1e-3)
    assert right("attention.causal-order").startswith("In one layer it can't")


def test_scores_and_sums_cost_the_square_and_cross_the_projections_at_twice_the_width(
    chapter: SimpleNamespace,
) -> None:
    assert [
        later / sooner
        for sooner, later in zip(chapter.meetings, chapter.meetings[1:], strict=False)
    ] == [4] * 4
    assert 8 * 768 * 384**2 == 4 * 768**2 * 384
    assert right("attention.twice-as-long") == "4 times."
    assert chapter.model.config.max_length == 512 < 768
    assert chapter.model.config.dim_feedforward == 1536 == 4 * 384
    of = {n: [round(100 * share) for share in shares] for n, shares in chapter.shares.items()}
    assert of == {128: [14, 5], 512: [40, 18], 100_000: [99, 98]}


# 13 and 14: real heads


def test_layers_0_and_5_are_blurred_with_one_exception_and_1_and_2_sharp(
    chapter: SimpleNamespace,
) -> None:
    means = chapter.blur.mean(dim=1)
    assert min(means[0], means[5]) > max(means[1], means[2])
    assert (chapter.blur[0] < 0.5).nonzero().tolist() == [[2]]


def test_heads_look_at_neighbours_and_at_the_sink(chapter: SimpleNamespace) -> None:
    before, after, sink = chapter.falls_on.values()
    assert before[0, 2] > 0.99
    assert divmod(after.argmax().item(), 12) == (1, 8)
    assert after[1, 8] > 0.5
    assert (sink > 0.6).sum() >= 8, "head after head"
    assert sink[2, 7] > 0.8


def test_the_pronoun_head_is_no_fluke(chapter: SimpleNamespace) -> None:
    assert len(chapter.trials) == 80
    fits = chapter.fits
    assert fits[1, 3] == 80
    assert sorted(i for i, n in enumerate(fits[2].tolist()) if n >= 75) == [4, 9], (
        "layer 2 has two more"
    )
    assert fits[1, 5] <= 2
    assert ((fits > 24) & (fits < 56)).sum() > 48, "most heads are near the half"


def test_the_trials_are_balanced(chapter: SimpleNamespace) -> None:
    first = [text.split()[0] == fitting for text, _, fitting, _ in chapter.trials]
    female = [pronoun == "she" for _, pronoun, _, _ in chapter.trials]
    assert sum(first) == sum(female) == 40
    assert sum(a and b for a, b in zip(first, female, strict=True)) == 20


def test_the_sharpest_head_is_in_the_middle_by_effect(chapter: SimpleNamespace) -> None:
    assert 18 < chapter.place < 55
    assert right("attention.sharpest-head").startswith("Somewhere in the middle")
    top = chapter.effect.flatten().topk(10).indices // 12
    assert (top == 5).all(), "the first ten are heads of the last layer"


def test_it_is_the_sink_more_than_the_sharpness_that_goes_with_a_small_effect(
    chapter: SimpleNamespace,
) -> None:
    ours, python = "our sentences", "lines of Python"
    for kind in (ours, python):
        correlation, by_chance = chapter.together[kind, "weight on [CLS]"]
        assert correlation < -0.3
        assert by_chance < 0.01
    correlation, by_chance = chapter.together[ours, "sharpness"]
    assert correlation < -0.25
    assert by_chance < 0.02
    correlation, by_chance = chapter.together[python, "sharpness"]
    assert -0.25 < correlation < 0
    assert by_chance > 0.05, "weak enough for chance"
    assert chapter.of_sharp >= 15 > 18 * chapter.in_all / 72 * 1.5, "most of the sharpest"


def test_who_had_no_money_is_guessed(chapter: SimpleNamespace) -> None:
    assert len(chapter.variants) == 16
    assert chapter.won in (9, 10), "one of the leads is 0 up to rounding"
    assert chapter.of_coins > 0.2


def test_the_model_reads_the_order_and_the_neighbours_heads_carry_a_third_of_it(
    chapter: SimpleNamespace,
) -> None:
    whole, left = chapter.whole, chapter.without_pair[(0, 2), (1, 8)]
    assert (whole > 1e-3).all()
    assert len(whole) == 30
    assert 0.3 < 1 - left.mean() / whole.mean() < 0.4, "a third"
    assert (left < whole).sum() == 29
    assert (left > 0).sum() == 29
    pronoun = chapter.without_pair[(1, 3), (2, 4)]
    assert pronoun.mean() == pytest.approx(whole.mean().item(), rel=0.02), "nothing"
    assert len(chapter.of_others) == 20
    assert min(chapter.of_others) > whole.mean() - 0.4 * (whole.mean() - left.mean())
    order = [
        divmod(place, 12) for place in chapter.lost.flatten().argsort(descending=True).tolist()
    ]
    assert order[:3] == [(1, 8), (3, 1), (0, 2)], "second of all, and third"


def test_no_other_pair_of_these_layers_takes_nearly_as_much(chapter: SimpleNamespace) -> None:
    assert len(chapter.other_pairs) == 121
    means = []
    for pair in thinned(chapter.other_pairs, 8):
        with chapter.ablate(chapter.model, set(pair)):
            means.append(chapter.compounds.order_leads(chapter.meant).mean())
    assert min(means) > 0.083
    assert chapter.without_pair[(0, 2), (1, 8)].mean() < 0.064


def test_the_sink_brings_next_to_nothing(chapter: SimpleNamespace) -> None:
    assert chapter.w[0] > 0.5
    assert chapter.brought[0] / chapter.brought.sum() < 0.1
    assert chapter.longest < 1 / 7
    assert chapter.in_all == (chapter.on_cls > 0.5).sum() > 25


def test_other_weights_give_the_same_output(chapter: SimpleNamespace) -> None:
    assert (chapter.other_p >= 0).all()
    assert_close(chapter.other_p.sum(), 1.0, dtype=torch.float32)
    assert chapter.moved > 0.1
    assert chapter.change < 1e-6
    assert len(chapter.p) > 33
    assert chapter.begun == pytest.approx(0.75, abs=0.01), "not as far as can be, which is 1"


# 9: what the lab's suggestions promise to show


def _weights_of(chapter: SimpleNamespace, text: str, temperature: float = 1.0) -> list[Tensor]:
    def attend(
        q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        return chapter.scaled_dot_product(q / temperature, k, v, mask)

    with (
        torch.no_grad(),
        chapter.attention_function(chapter.model, attend),
        chapter.record(chapter.model) as recording,
    ):
        chapter.model(chapter.tokenizer.batch([text]).ids)
    return recording.attention


def test_the_head_goes_by_the_name_and_not_by_its_place(chapter: SimpleNamespace) -> None:
    for text, wanted in (
        ("Peter asked Anna to wait at the bank because he had no money.", 1),
        ("Alex asked Robin to wait at the bank because she had no money.", 3),
        ("Robin asked Alex to wait at the bank because she had no money.", 1),
    ):
        row = _weights_of(chapter, text)[1][0, 3, chapter.she]
        assert row.argmax() == wanted


def test_temperature_keeps_the_order_in_layer_0_and_may_change_it_above(
    chapter: SimpleNamespace,
) -> None:
    cold, hot = (_weights_of(chapter, chapter.sentence, t) for t in (0.1, 4.0))
    row = chapter.she
    for head in range(12):
        assert torch.equal(cold[0][0, head, row].argmax(), hot[0][0, head, row].argmax())
    assert cold[1][0, 3, row].argmax() == 0
    assert hot[1][0, 3, row].argmax() == chapter.anna
    assert cold[1][0, 3, row].max() > 0.6
    assert hot[1][0, 3, row].max() < 0.2


def test_no_root_is_a_temperature() -> None:
    assert 1 / math.sqrt(32) == pytest.approx(0.18, abs=5e-3)


def test_a_causal_mask_lets_what_is_left_grow_by_one_factor(chapter: SimpleNamespace) -> None:
    _, free = chapter.scaled_dot_product(chapter.query, chapter.key, chapter.value)
    growth = (chapter.causal_weights / free)[chapter.bank, : chapter.bank + 1]
    assert growth.min() > 1
    assert growth.max() == pytest.approx(growth.min().item(), rel=1e-3)


def test_a_blurred_head_of_the_last_layer_changes_more_than_the_sharpest(
    chapter: SimpleNamespace,
) -> None:
    ids = chapter.tokenizer.batch([chapter.sentence]).ids
    moved = {}
    with torch.no_grad():
        whole = chapter.model(ids)[0]
        for head in ((0, 2), (5, 9), (1, 3)):
            with chapter.ablate(chapter.model, [head]):
                moved[head] = (chapter.model(ids)[0] - whole).norm(dim=-1) / whole.norm(dim=-1)
    assert moved[5, 9].mean() > 2 * moved[0, 2].mean()
    assert moved[1, 3].argmax() == chapter.she
