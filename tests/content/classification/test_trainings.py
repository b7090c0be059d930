"""The trainings of chapter 06 as they are described: parts, models, answers, and where they start."""

from __future__ import annotations

import pytest
import torch

from course import datasets
from course.content import exercises
from course.content.classification.experiments import few, from_scratch, methods, tuning
from course.content.classification.trainings import (
    CLASSES,
    LINE,
    docstring_classifier,
    tokenizer,
    tuned_minilm,
)
from course.labs import with_standard_layers
from encoder_core.multihead import MultiheadAttention

DATA = datasets.load("docstring-families")


@pytest.fixture(scope="module")
def training() -> object:
    """The training from scratch with the layers that chapter 04 builds."""
    return docstring_classifier(
        layer=exercises.get("stacking.EncoderLayer").model(),
        masked_mean=exercises.get("classification.masked_mean").model(),
        data=DATA.few(10),
    )


def test_a_classifier_of_the_learners_parts_answers_and_shows_its_heads(training) -> None:  # type: ignore[no-untyped-def]
    assert training.parts == {"EncoderLayer": "yours", "masked_mean": "yours"}
    assert training.settings.positions == "relative"
    model = training.fresh_model(training.settings).eval()
    twin = with_standard_layers(model)
    assert with_standard_layers(twin) is twin
    assert not any(isinstance(module, MultiheadAttention) for module in model.modules())
    batch = from_scratch.collate(training.data[:3])
    with torch.no_grad():
        # Both add the same products, in another order at most: 64 terms of float32 a layer.
        torch.testing.assert_close(twin(batch.ids), model(batch.ids), rtol=1e-4, atol=1e-4)
        padded = torch.nn.functional.pad(batch.ids, (0, 5))
        torch.testing.assert_close(model(padded), model(batch.ids), rtol=1e-4, atol=1e-4)
    picture = training.head(model)
    assert picture.weights.shape == (2, 4, len(picture.tokens), len(picture.tokens))
    answers = training.examples(model)
    assert answers[0].prompt == LINE
    assert len({answer.right for answer in answers}) >= 5
    assert all(len(answer.guesses) == 3 for answer in answers)
    with torch.no_grad():
        best = int(model(torch.tensor([tokenizer().encode(LINE).ids])).argmax())
    assert answers[0].guesses[0][0] == CLASSES[best]


def test_words_are_hidden_in_training_and_never_in_evaluation(training) -> None:  # type: ignore[no-untyped-def]
    plain = from_scratch.collate(training.data)
    torch.manual_seed(0)
    hidden = training.collate(training.data)
    mask_id, special = tokenizer().vocabulary["[MASK]"], plain.ids < 5
    assert torch.equal(hidden.ids[special], plain.ids[special])
    changed = hidden.ids != plain.ids
    assert bool((hidden.ids[changed] == mask_id).all())
    count = int((~special).sum())
    # Six standard deviations of a share of `count` draws.
    assert abs(int(changed.sum()) / count - 0.3) < 6 * (0.3 * 0.7 / count) ** 0.5
    assert not bool((plain.ids == mask_id).any())


def test_each_piece_starts_from_its_neighbours_and_padding_from_nothing(training) -> None:  # type: ignore[no-untyped-def]
    model = training.fresh_model(training.settings)
    table = model.encoder.embedding.token.weight.detach()
    assert not table[0].any()
    near = torch.nn.functional.normalize(table[5:], dim=-1)
    vocabulary = tokenizer().vocabulary
    cosines = near @ near[vocabulary["list"] - 5]
    places = cosines.argsort(descending=True).tolist()
    assert vocabulary["tuple"] - 5 in places[1:40]


def test_the_tuned_model_starts_as_the_frozen_classifier() -> None:
    data = DATA.few(10)
    training = tuned_minilm(data)
    model = training.fresh_model(training.settings).eval()
    short = [each for each in data.test if len(each.text.split()) < 20][:6]
    found = tuning.logits(model, tuning.Lower(short, 4)).softmax(dim=-1)
    frozen = torch.from_numpy(few.minilm(data).probabilities(short)).float()
    # The shipped vectors are rounded to 1/254 of their largest number.
    torch.testing.assert_close(found, frozen, rtol=0, atol=0.02)
    trained = {name for name, _ in model.named_parameters()}
    assert {name.split(".")[0] for name in trained} == {"layers", "head"}
    assert len(model.layers) == 2
    before = training.loss(model, tuning.collate(tuning.Lower(short, 4)[:4]))
    before.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_together_is_the_mean_of_both() -> None:
    data = DATA.few(10)
    both = few.together(data)
    mean = (
        few.tf_idf(data).probabilities(data.test) + few.minilm(data).probabilities(data.test)
    ) / 2
    assert both.probabilities(data.test[:50]) == pytest.approx(mean[:50])
    figures, _ = methods.measure("TF-IDF and frozen MiniLM", 10, 0)
    labels = [each.label for each in data.test]
    assert figures["test"]["accuracy"] == pytest.approx((mean.argmax(axis=-1) == labels).mean())


def test_the_key_follows_the_examples_and_the_parts() -> None:
    keys = [docstring_classifier(data=DATA.few(10, seed)).key for seed in (0, 0, 1)]
    assert keys[0] == keys[1] != keys[2]
    pool = exercises.get("classification.masked_mean").model()
    assert docstring_classifier(masked_mean=pool, data=DATA.few(10)).key != keys[0]
