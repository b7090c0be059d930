"""From BERT to ModernBERT: each change does what its name says, and its recording is of today's settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import nn

from course.content.bert.experiments import changes
from course.content.bert.experiments.text import HIDDEN, rows
from course.content.bert.pretraining import masked_words, recipe_changed
from course.content.recorded import recording
from encoder_core.rotary import Rotary


def built(change: str) -> tuple[Any, Any]:
    training = recipe_changed(change)
    return training, training.fresh_model(training.settings)


def layer_weights(model: Any) -> dict[str, torch.Tensor]:
    return dict(model.encoder.encoder.layers.named_parameters())


@pytest.mark.parametrize("change", list(changes.CHANGES))
def test_every_change_gives_a_loss_and_gradients(change: str) -> None:
    training, model = built(change)
    batch = training.collate(training.data[:8])
    assert batch.inputs.shape == batch.labels.shape == (8, 32)
    loss = training.loss(model, batch)
    loss.backward()
    assert loss.isfinite()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name


def test_each_change_changes_what_it_says_and_no_more() -> None:
    bert = built("BERT")[1]
    count = sum(weight.numel() for weight in layer_weights(bert).values())
    gated = built("GEGLU")[1]
    assert sum(w.numel() for w in layer_weights(gated).values()) == pytest.approx(count, rel=0.01)
    assert not any("linear" in n and "gated" not in n for n, _ in gated.named_parameters())
    bare = built("no biases")[1]
    assert any(name.endswith("bias") for name in layer_weights(bert))
    assert not any(name.endswith("bias") for name in layer_weights(bare))
    before, after = bert.encoder.encoder, built("pre-norm")[1].encoder.encoder
    assert (before.norm, before.layers[0].norm_first) == (None, False)
    assert isinstance(after.norm, nn.LayerNorm)
    assert after.layers[0].norm_first
    turned = built("rotary positions")[1]
    assert any(isinstance(module, Rotary) for module in turned.modules())
    assert turned.encoder.embedding.positions is None
    assert not hasattr(built("no next-sentence task")[1], "next_sentence")
    with pytest.raises(
        ValueError, match="There is no change 'dropout'; there are 'BERT', 'no next"
    ):
        recipe_changed("dropout")


def test_masks_are_drawn_once_or_anew() -> None:
    once, anew = recipe_changed("BERT"), recipe_changed("RoBERTa: the first two")
    kept = torch.stack(once.data)  # (N, 2, S)
    assert kept.shape == (len(rows()), 2, 32)
    asked = kept[:, 1] != HIDDEN
    assert asked.float().mean().item() == pytest.approx(0.15 * 0.95, abs=0.01)
    assert torch.equal(kept, torch.stack(recipe_changed("BERT").data))
    assert not torch.equal(kept, torch.stack(recipe_changed("BERT", seed=1).data))
    first, second = (anew.collate(anew.data[:64]) for _ in range(2))
    assert not torch.equal(first.labels, second.labels)
    assert len(recipe_changed("one thirtieth of the text").data) == changes.FEW
    assert 25 < len(rows()) / changes.FEW < 35


def test_the_second_half_is_another_rows_where_the_halves_do_not_belong_together() -> None:
    training = recipe_changed(
        "masks drawn anew", lambda ids, *_: (ids, torch.full_like(ids, HIDDEN))
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
    now = {name: recipe_changed(name).settings for name in changes.CHANGES}
    for name, row in recording("bert.changes").rows.items():
        assert row.settings == json.loads(json.dumps({**now[name].as_json(), "seed": None})), name
    assert set(recording("bert.changes").rows) == set(now)
    from course.content import exercises

    own = masked_words(layer=exercises.get("stacking.EncoderLayer").model()).settings.as_json()
    row = recording("bert.masked-words").rows["a small BERT"]
    assert row.settings == json.loads(json.dumps({**own, "seed": None}))
