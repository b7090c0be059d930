"""What the chapter's prose and its quiz say, held against what its own cells compute.

The chapter's code cells run here one after the other, solved, in one namespace; what they leave
there is what the learner sees.
"""

from __future__ import annotations

import copy
import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course.content.stacking import experiments as stacking
from tests.close import assert_minilm_close as assert_close
from tests.content import cells
from tests.content.said import printed, right
from tests.sampled import at_night, by_day

pytestmark = pytest.mark.slow

GUESSING = torch.tensor(8.0).log().item()


@pytest.fixture(scope="module")
def chapter() -> SimpleNamespace:
    """All names of the chapter after its last cell, and what it printed."""
    return cells.run_all("04_stacking")


# 1 to 5: the sum and the norm


def test_bare_layers_make_all_tokens_one_within_three(chapter: SimpleNamespace) -> None:
    alike = chapter.alike
    assert abs(alike["bare"][0]) < 0.05
    assert alike["bare"][2] > 0.99
    assert alike["norms only"][2] > 0.99


def test_a_gradient_dies_in_bare_layers_by_a_factor_a_layer(chapter: SimpleNamespace) -> None:
    slopes = chapter.by_layer
    assert slopes[0] < 1e-3 * slopes[-1]
    line = torch.stack([torch.arange(12.0), slopes.log()])
    assert torch.corrcoef(line)[0, 1] > 0.98, "a straight line on a logarithmic scale"


def test_the_sum_lets_the_gradient_through_and_the_numbers_grow(chapter: SimpleNamespace) -> None:
    slopes = stacking.gradients(chapter.summed, chapter.x)
    assert slopes[0] > 4 * slopes[-1], "the first layer is pulled harder"
    assert slopes.min() > 200 * chapter.by_layer[-1], "hundreds of times the last bare layer's"
    alone, normed = chapter.sizes.values()
    assert alone == sorted(alone)
    assert alone[-1] > 20 * alone[0]
    assert max(normed) < 1.1


def test_a_normalised_token_lies_on_a_sphere_and_forgets_its_size(chapter: SimpleNamespace) -> None:
    x = torch.randn(3, 384)
    ones, zeros = torch.ones(384), torch.zeros(384)
    normed = chapter.layer_norm(x, ones, zeros)
    assert torch.allclose(normed.norm(dim=-1), torch.tensor(384.0).sqrt(), rtol=1e-3)
    assert torch.allclose(normed, chapter.layer_norm(100 * x, ones, zeros), atol=1e-3)


def test_the_sum_keeps_tokens_apart_and_the_norm_does_not(chapter: SimpleNamespace) -> None:
    alike = chapter.alike
    for name in ("sums only", "both, post-norm", "both, pre-norm"):
        assert alike[name][3] < 0.4
        assert alike[name] == sorted(alike[name])
    assert max(alike["sums only"][-1], alike["both, post-norm"][-1]) > 0.9, "slowed, not stopped"
    assert alike["both, pre-norm"][-1] == min(values[-1] for values in alike.values())
    assert right("stacking.what-keeps-apart") == "The sum."
    assert max(chapter.of_minilm) < 0.5, "a trained encoder keeps its tokens apart"


# 6: depth


def test_gradients_neither_die_nor_explode_with_both(chapter: SimpleNamespace) -> None:
    post, pre = chapter.gradients.values()
    for slopes in (post, pre):
        assert slopes.max() < 4 * slopes.min()
    assert 0.6 < post[0] / pre[0] < 1.6, "alike at the bottom"
    assert post[-1] > 2 * pre[-1], "apart at the top"
    assert_close(pre, stacking.mean_gradients(24, "pre", chapter.x, draws=8))  # as its title says
    assert printed(chapter, "  24 layers").endswith(f"{post[-1]:5.1f}   pre-norm {pre[-1]:5.1f}")


def test_the_last_layer_s_share_falls_with_depth_in_pre_norm_only() -> None:
    """Over many first weights: about 1 / root of N in pre-norm, no trend in post-norm."""
    x = torch.randn(4, 16, 64, generator=torch.Generator().manual_seed(3))

    def last(depth: int, norm: str) -> float:
        stacks = (stacking.stack(depth, norm, seed=seed) for seed in range(4))
        return sum(stacking.gradients(layers, x)[-1].item() for layers in stacks)

    assert last(6, "pre") / last(24, "pre") == pytest.approx(2.0, rel=0.25)
    assert last(6, "post") / last(24, "post") == pytest.approx(1.0, rel=0.25)


def test_post_norm_learns_with_a_warm_up_only(chapter: SimpleNamespace) -> None:
    final = {name: losses[-1] for name, losses in chapter.curves.items()}
    assert final["post-norm"] > 0.95 * GUESSING
    assert final["post-norm, warm-up"] < 0.2
    assert final["pre-norm"] < 0.01
    assert right("stacking.which-one-learns") == "Pre-norm, and post-norm with a warm-up."


@at_night
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_so_with_other_draws(seed: int) -> None:
    def final(norm: str, warmup: int = 0) -> float:
        return stacking.train(stacking.stack(12, norm, seed=seed), warmup=warmup, seed=seed)[-1]

    assert final("post") > 0.9 * GUESSING
    assert final("post", warmup=60) < 0.2
    assert final("pre") < 0.05


def test_with_small_first_weights_tokens_hardly_draw_together(chapter: SimpleNamespace) -> None:
    for norm in ("post", "pre"):
        layers = stacking.stack(12, norm)
        torch.manual_seed(0)
        for parameter in layers.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
        walked = stacking.walk(layers, chapter.x)
        drawn = chapter.token_similarity(walked[-1]) - chapter.token_similarity(walked[0])
        assert abs(drawn) < 0.1


# 7 and 8: the layer and the stack


def test_the_layer_is_torch_s(chapter: SimpleNamespace) -> None:
    lines = [line for line in chapter.printed if "difference to torch's layer" in line]
    assert len(lines) == 2
    assert all(float(line.split()[-1]) < 1e-5 for line in lines)


def test_the_tiny_case_of_the_layer(chapter: SimpleNamespace) -> None:
    for norm_first in (True, False):
        layer = chapter.EncoderLayer(4, 2, 8, norm_first=norm_first).eval()
        for parameter in (*layer.self_attn.parameters(), *layer.linear2.parameters()):
            nn.init.zeros_(parameter)
        x = torch.randn(2, 3, 4)
        normed = F.layer_norm(x, (4,))
        expected = x if norm_first else F.layer_norm(normed, (4,))
        assert_close(layer(x), expected)


def test_nothing_but_the_attention_crosses_tokens(chapter: SimpleNamespace) -> None:
    layer = chapter.EncoderLayer(8, 2, 16).eval()
    nn.init.zeros_(layer.self_attn.out_proj.weight)
    x = torch.randn(1, 4, 8)
    other = x.clone()
    other[:, 3] += 1.0
    assert torch.equal(layer(x)[:, :3], layer(other)[:, :3])


def test_six_times_one_layer_has_the_weights_of_one(chapter: SimpleNamespace) -> None:
    shared = int(printed(chapter, "[layer] * 6").split()[-2])
    own = int(printed(chapter, "get_clones").split()[-2])
    assert own == 6 * shared


def test_clones_part_in_the_first_step(chapter: SimpleNamespace) -> None:
    assert printed(chapter, "before").endswith("True")
    assert printed(chapter, "after ten steps").endswith("False")
    trial = chapter.get_clones(chapter.EncoderLayer(64, 4, 256, dropout=0.0), 3)
    stacking.train(trial, steps=1)
    assert not torch.equal(trial[0].linear1.weight, trial[1].linear1.weight)


# 9: the article's listing


def test_it_fails_for_the_missing_import_alone(chapter: SimpleNamespace) -> None:
    assert printed(chapter, "NameError") == "NameError: name 'copy' is not defined"
    assert printed(chapter, "with `import copy`").endswith("(3, 5, 8)")


def test_its_texts_attend_to_one_another_and_not_to_themselves(chapter: SimpleNamespace) -> None:
    assert (chapter.first - chapter.other).abs().max() > 0.1
    assert chapter.moved == 0
    assert right("stacking.other-text") == "It changes."


def test_a_padding_mask_of_the_batch_is_refused_unless_square(chapter: SimpleNamespace) -> None:
    layer = chapter.TransformerEncoderLayer(8, 2, 16)
    with pytest.raises((AssertionError, RuntimeError)):
        layer(torch.randn(3, 5, 8), src_key_padding_mask=torch.zeros(3, 5, dtype=torch.bool))
    layer(torch.randn(4, 4, 8), src_key_padding_mask=torch.zeros(4, 4, dtype=torch.bool))


def test_it_lacks_four_of_twelve_entries(chapter: SimpleNamespace) -> None:
    assert len(chapter.TransformerEncoderLayer(8, 2, 16).state_dict()) == 8
    assert len(nn.TransformerEncoderLayer(8, 2, 16).state_dict()) == 12
    assert printed(chapter, "missing:").split()[1:] == [
        f"norm{number}.{name}" for number in (1, 2) for name in ("bias", "weight")
    ]


def test_an_empty_text_poisons_the_gradient(chapter: SimpleNamespace) -> None:
    assert printed(chapter, "NaN in the texts").endswith("[False, False, True]")
    assert printed(chapter, "NaN in the gradient").endswith("True")


def test_one_dropout_draws_anew_at_each_call(chapter: SimpleNamespace) -> None:
    draws = [line for line in chapter.printed if set(line.split()) == {"0.0", "2.0"}]
    assert len(draws) == 2
    assert draws[0] != draws[1]


def test_training_the_listing(chapter: SimpleNamespace) -> None:
    as_it_stands, turned, mended = chapter.of_the_listing.values()
    assert min(as_it_stands) > 0.95 * GUESSING
    assert as_it_stands[-1] < 2 * GUESSING
    assert min(as_it_stands[0], turned[0]) > 24 * GUESSING, "dozens of times"
    assert GUESSING < mended[0] < 8 * GUESSING
    assert mended[2] < 0.1, "after thirty steps"
    assert mended[-1] < 0.05
    assert right("stacking.listing-training").startswith("Both are thrown far above guessing")


def test_with_weights_five_times_as_large_both_become_nan(chapter: SimpleNamespace) -> None:
    torch.manual_seed(0)
    layers = chapter._get_clones(chapter.TransformerEncoderLayer(64, 4, 256, dropout=0.0), 12)
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.mul_(5)
    turned = nn.ModuleList(map(stacking.LengthFirst, copy.deepcopy(layers)))
    for stack in (layers, turned):
        assert math.isnan(stacking.train(stack, steps=10, rate=6e-3)[-1])


@pytest.mark.parametrize(("depth", "rate"), by_day([(2, 6e-3), (12, 2e-3)], 1))
def test_a_lower_rate_or_fewer_layers_hide_it(
    chapter: SimpleNamespace, depth: int, rate: float
) -> None:
    torch.manual_seed(0)
    layers = chapter._get_clones(chapter.TransformerEncoderLayer(64, 4, 256, dropout=0.0), depth)
    turned = nn.ModuleList(map(stacking.LengthFirst, layers))
    as_it_stands = copy.deepcopy(layers)
    assert stacking.train(turned, rate=rate)[-1] < 0.5 * GUESSING
    assert min(stacking.train(as_it_stands, rate=rate)) > 0.9 * GUESSING, (
        "the wrong axis stays wrong"
    )


# 11 and 12: the learner's own encoder


def test_the_own_stack_is_torch_s(chapter: SimpleNamespace) -> None:
    assert chapter.own_stack(chapter.given, chapter.padding).dtype is torch.float64
    assert chapter.gap < 1e-6


def test_the_own_encoder_is_minilm(chapter: SimpleNamespace) -> None:
    assert (chapter.hidden - chapter.theirs)[chapter.real].abs().max() < 1e-4
    assert (chapter.yours - chapter.library).abs().max() < 1e-6
    numbers = [chapter.tokenizer.encode(text).ids for text in chapter.questions]
    assert chapter.numbers == numbers


def test_the_close_sentences_share_hardly_a_word_and_are_close(chapter: SimpleNamespace) -> None:
    cosines = chapter.yours @ chapter.yours.T
    assert cosines[0, 1] > cosines[0, 2] + 0.2
    assert cosines[0, 1] > cosines[1, 2] + 0.2
    assert cosines[0, 1] > 0.4
    assert cosines[2, :2].abs().max() < 0.1


def test_the_own_encoder_is_made_of_the_chapters_functions(chapter: SimpleNamespace) -> None:
    """Take one of them away, and it no longer works as it did."""
    layer = chapter.OwnLayer(8, 2, 16).eval()
    for name in ("multi_head", "ffn", "layer_norm", "residual"):
        assert name in {
            *chapter.OwnLayer.attend.__code__.co_names,
            *chapter.OwnLayer.feed_forward.__code__.co_names,
            *chapter.OwnLayer.forward.__code__.co_names,
            *(
                n
                for c in chapter.OwnLayer.forward.__code__.co_consts
                for n in getattr(c, "co_names", ())
            ),
        }
    assert not any(module._forward_hooks for module in layer.modules())
    called: list[str] = []
    for inner in layer.children():
        inner.register_forward_hook(lambda module, *_: called.append(type(module).__name__))
    layer(torch.randn(1, 3, 8))
    assert called == [], "torch's modules hold the numbers and compute nothing"


def test_the_hidden_representation_has_a_vector_for_each_token(chapter: SimpleNamespace) -> None:
    assert chapter.hidden.shape == (*chapter.ids.shape, 384)
    assert right("stacking.what-comes-out").startswith("16 vectors")
    assert len(chapter.tokens) == 16


def test_minilm_is_post_norm_with_gelu_and_22_6_million_weights(chapter: SimpleNamespace) -> None:
    layer = chapter.model.layers[0]
    assert not layer.norm_first
    assert layer.activation is F.gelu or layer.activation.__name__ == "gelu"
    assert layer.norm1.eps == 1e-12
    assert 22.55e6 <= chapter.own_size < 22.65e6
    whole = sum(parameter.numel() for parameter in chapter.model.parameters())
    assert round(whole / 1e6, 1) == 22.7
    pooler = sum(parameter.numel() for parameter in chapter.model.pooler.parameters())
    assert whole == chapter.own_size + pooler
    assert printed(chapter, "numbers in your encoder").endswith(f"{chapter.own_size:,}")
