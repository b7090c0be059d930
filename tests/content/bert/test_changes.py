"""From BERT to ModernBERT: each change does what its name says, and its recording is of today's settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import nn

from course.content import exercises
from course.content.bert.experiments import changes, recipes
from course.content.bert.experiments.text import HIDDEN, rows
from course.content.bert.pretraining import masked_words, recipe_changed
from course.content.recorded import recording
from encoder_core.rotary import Rotary


def built(change: str) -> tuple[Any, Any]:
    training = recipe_changed(change)
    return training, training.fresh_model(training.settings)


def layer_weights(model: Any) -> dict[str, torch.Tensor]:
    return dict(model.encoder.encoder.layers.named_parameters())


@pytest.mark.parametrize(
    "change", ["BERT", "RoBERTa", "ModernBERT", "ModernBERT, masks drawn once"]
)
def test_a_recipe_gives_a_loss_and_all_gradients(change: str) -> None:
    training, model = built(change)
    batch = training.collate(training.data[:8])
    assert batch.inputs.shape == batch.labels.shape == (8, 32)
    loss = training.loss(model, batch)
    loss.backward()
    assert loss.isfinite()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name


def test_a_change_is_of_the_recipe_whose_name_it_begins_with() -> None:
    for name, change in recipes.CHANGES.items():
        base = recipes.MODERN if name.startswith("ModernBERT") else {}
        different = {key for key in {*base, *change} if base.get(key) != change.get(key)}
        several = any(word in name for word in ("as much text", "once", "no warm-up", "rate"))
        if name not in ("BERT", "RoBERTa", "ModernBERT"):
            assert 1 <= len(different) <= (3 if several else 1), name


def test_each_change_changes_what_it_says_and_no_more() -> None:
    bert = built("BERT")[1]
    count = sum(weight.numel() for weight in layer_weights(bert).values())
    gated = built("BERT, GEGLU")[1]
    assert sum(w.numel() for w in layer_weights(gated).values()) == pytest.approx(count, rel=0.01)
    assert not any("linear" in n and "gated" not in n for n, _ in gated.named_parameters())
    bare = built("BERT, no biases")[1]
    assert any(name.endswith("bias") for name in layer_weights(bert))
    assert not any(name.endswith("bias") for name in layer_weights(bare))
    before, after = bert.encoder.encoder, built("BERT, pre-norm")[1].encoder.encoder
    assert (before.norm, before.layers[0].norm_first) == (None, False)
    assert isinstance(after.norm, nn.LayerNorm)
    assert after.layers[0].norm_first
    turned = built("BERT, rotary positions")[1]
    assert any(isinstance(module, Rotary) for module in turned.modules())
    assert turned.encoder.embedding.positions is None
    assert not hasattr(built("BERT, no next-sentence task")[1], "next_sentence")
    with pytest.raises(
        ValueError, match="There is no change 'dropout'; there are 'BERT', 'BERT, no"
    ):
        recipe_changed("dropout")


def test_masks_are_drawn_once_or_anew() -> None:
    once, anew = recipe_changed("BERT"), recipe_changed("RoBERTa")
    kept = torch.stack(once.data)  # (N, 2, S)
    assert kept.shape == (len(rows()), 2, 32)
    asked = kept[:, 1] != HIDDEN
    assert asked.float().mean().item() == pytest.approx(0.15 * 0.95, abs=0.01)
    assert torch.equal(kept, torch.stack(recipe_changed("BERT").data))
    assert not torch.equal(kept, torch.stack(recipe_changed("BERT", seed=1).data))
    first, second = (anew.collate(anew.data[:64]) for _ in range(2))
    assert not torch.equal(first.labels, second.labels)
    assert len(recipe_changed("ModernBERT, little text").data) == recipes.FEW
    assert 25 < len(rows()) / recipes.FEW < 35


def test_the_second_half_is_another_rows_where_the_halves_do_not_belong_together() -> None:
    training = recipe_changed(
        "BERT, masks drawn anew", lambda ids, *_: (ids, torch.full_like(ids, HIDDEN))
    )
    chosen = training.data[:64]
    batch, whole = training.collate(chosen), torch.stack(chosen)
    half = changes.HALF
    assert torch.equal(batch.inputs[:, :half], whole[:, :half])
    same = (batch.inputs[:, half:] == whole[:, half:]).all(dim=1)
    assert torch.equal(same.long(), batch.together)
    assert torch.equal(batch.inputs[~same, half:], whole.roll(1, dims=0)[~same, half:])
    assert 12 < int(batch.together.sum()) < 52, "about half"


def test_the_recordings_are_of_todays_settings() -> None:
    now = {name: recipe_changed(name).settings for name in recipes.CHANGES}
    found = recording("bert.changes").rows
    assert list(found) == list(now)
    for name, row in found.items():
        assert row.settings == json.loads(json.dumps({**now[name].as_json(), "seed": None})), name
    own = masked_words(layer=exercises.get("stacking.EncoderLayer").model()).settings.as_json()
    row = recording("bert.masked-words").rows["a small BERT"]
    assert row.settings == json.loads(json.dumps({**own, "seed": None}))


def perplexity(name: str, split: str = "validation") -> float:
    return recording("bert.changes").rows[name].spread(split, "perplexity").median


def test_what_the_chapter_says_of_the_changes_is_what_was_recorded() -> None:
    found = recording("bert.changes").rows
    in_bert = {name: perplexity(name) / perplexity("BERT") - 1 for name in found}
    back = {name: perplexity(name) / perplexity("ModernBERT") - 1 for name in found}

    order = {"BERT, rotary positions", "BERT, a bias by distance"}
    assert all(-0.36 < in_bert[name] < -0.30 for name in order), "a third off"
    others = [name for name in found if name.startswith("BERT, ") and name not in order]
    assert len(others) == 7
    assert all(abs(in_bert[name]) < 0.06 for name in others)
    assert back["ModernBERT, learned positions"] == pytest.approx(2 / 3, abs=0.05)
    assert perplexity("BERT") / perplexity("BERT, 30 % masked") == pytest.approx(1.06, abs=0.01)
    assert back["ModernBERT, 15 % masked"] == pytest.approx(0.16, abs=0.01)
    assert back["ModernBERT, next-sentence task"] == pytest.approx(0.09, abs=0.01)
    for row in found.values():
        for run in row.runs:
            assert 0.47 < run["validation"].get("next_sentence", 0.5) < 0.53, "like a coin"

    once = perplexity("ModernBERT, little text, masks drawn once")
    assert once > 3000
    assert round(perplexity("ModernBERT, little text")) == 634
    frequent = recording("bert.masked-words").rows["the most frequent piece"]
    assert round(frequent.spread("validation", "perplexity").median) == 491
    assert back["ModernBERT, batches of 64"] == pytest.approx(-0.5, abs=0.05)
    assert back["ModernBERT, batches of 64, as much text"] == pytest.approx(1 / 3, abs=0.03)
    with_biases = perplexity("ModernBERT, biases")
    assert perplexity("ModernBERT") / with_biases == pytest.approx(1.10, abs=0.01)


def test_what_the_chapter_says_of_the_warm_up_is_what_was_recorded() -> None:
    kinds = ("post-norm", "post-norm, no warm-up", "pre-norm, no warm-up")
    low, middle, high = (
        [perplexity(f"ModernBERT, {kind}{rate}") for kind in kinds]
        for rate in ("", ", rate 0.01", ", rate 0.03")
    )
    for warm, cold, before in (low, middle):
        assert abs(cold / warm - 1) < 0.02, "within 2 %"
        assert before < min(warm, cold)
    assert 1 - low[2] / low[1] == pytest.approx(0.04, abs=0.005)
    assert 1 - middle[2] / middle[1] == pytest.approx(0.07, abs=0.01)
    assert all(475 <= each < 477 for each in high)
