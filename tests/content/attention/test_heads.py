"""What is measured of each head, held against the same measured by hand for single heads."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from course.content.attention.experiments import heads
from encoder_core import ablate, load_minilm, record, sentence_embedding

TEXTS = ["She had no money.", "A small boat left."]


def test_an_effect_is_the_turn_of_the_vector_without_the_head() -> None:
    model, _ = load_minilm()
    effect = heads.effect_of_each(TEXTS)
    assert effect.shape == (6, 12)
    whole = sentence_embedding(TEXTS)
    for layer, number in ((0, 2), (5, 9)):
        with ablate(model, {(layer, number)}):
            cosine = F.cosine_similarity(sentence_embedding(TEXTS), whole).mean()
        assert effect[layer, number].item() == pytest.approx(1 - cosine.item(), abs=1e-6)
    assert torch.equal(sentence_embedding(TEXTS), whole), "nothing stays switched off"


def test_sharpness_is_the_largest_weight_and_the_sink_that_of_the_other_tokens() -> None:
    model, tokenizer = load_minilm()
    sharpness, on_cls = heads.sharpness_and_sink(TEXTS)
    largest, first = [], []
    for text in TEXTS:
        with torch.no_grad(), record(model) as recording:
            model(tokenizer.batch([text]).ids)
        rows = recording.attention[2][0, 7]  # (S, S)
        largest.append(sum(row.max().item() for row in rows) / len(rows))
        first.append(sum(row[0].item() for row in rows[1:]) / (len(rows) - 1))
    assert sharpness[2, 7].item() == pytest.approx(sum(largest) / 2, abs=1e-5)
    assert on_cls[2, 7].item() == pytest.approx(sum(first) / 2, abs=1e-5)
