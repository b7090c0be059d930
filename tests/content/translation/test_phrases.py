"""The training of chapter 08: its batches, its model, what it is asked, and what translates with it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course import datasets
from course.content import exercises
from course.content.translation import phrases
from course.content.translation.experiments import baselines, characters, lists, model, recipe
from course.content.translation.phrases import phrase_translation
from encoder_core.generation.decoding import shift_right as standard_shift

Layer = exercises.get("stacking.EncoderLayer").model()
cross_attention = exercises.get("generation.cross_attention").model()
shift_right = exercises.get("generation.shift_right").model()
label_smoothed_loss = exercises.get("translation.label_smoothed_loss").model()


def small(training: Any) -> Any:
    settings = training.settings.changed(d_model=16, dim_feedforward=16, nhead=2)
    return training.fresh_model(settings)


def test_the_learners_parts_compute_what_encoder_core_does() -> None:
    """In the loss of joined rows, and in translating; with and without the learner's parts."""
    mine = phrase_translation("zh", Layer, shift_right, cross_attention, label_smoothed_loss)
    standard = phrase_translation("zh")
    own, plain = small(mine).eval(), small(standard).eval()
    state = dict(own.state_dict())
    for i in range(2):  # the tables of a layer from outside are beside the layers
        bias = state.pop(f"encoder.position_biases.{i}.table")
        state[f"encoder.layers.{i}.self_attn.position_bias.table"] = bias
    plain.load_state_dict(state)
    for layer in plain.encoder.layers:
        layer.activation = torch.relu  # chapter 04's
    rows = mine.collate(list(mine.data[:12]))
    with torch.no_grad():
        # The same products in another order: 16 terms of float32, four layers.
        torch.testing.assert_close(
            mine.loss(own, rows), standard.loss(plain, rows), rtol=1e-4, atol=1e-4
        )
    asked = [pair.text for pair in datasets.load("cldr-phrases").validation[:3]]
    found = phrases.translate(own, asked)  # decoded with encoder_core's attention and a cache
    assert found == phrases.translate(plain, asked)
    assert found[0] == phrases.translate(own, asked[:1])[0]  # not padded
    assert len(phrases.translate(own, asked, beam=2)) == 3
    weights = phrases.looks(own, "May 29", "5月29日")
    assert weights.shape == (2, 2, 6, 7)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 2, 6))
    at_names = phrases.looks_at_names(own, 5, count=2)
    assert at_names.shape == (2, 5, 5)
    assert (
        0.5 < at_names.sum(dim=-1).min() <= at_names.sum(dim=-1).max() <= 1.001
    )  # the rest: "and"
    picture = phrases.look_at_the_date(own)
    assert picture.weights.shape[2:] == (len(picture.tokens),) * 2
    assert [answer.right for answer in phrases.answer_the_shown(own)][:1] == ["1995年4月28日星期五"]
    assert mine.parts["label_smoothed_loss"] == "yours"
    keys = {mine.key, standard.key, phrase_translation("zh", joined=False).key}
    assert len(keys) == 3
    assert standard.key == phrase_translation("zh").key


def test_joined_rows_have_the_same_phrases_of_one_kind() -> None:
    chosen = list(recipe.pairs("zh")[:60])
    rows, apart = recipe.collate(chosen, joined=100, share=1.0), recipe.collate(chosen)
    assert len(apart.source) == 60 > len(rows.source)

    def split(part: Tensor) -> list[list[tuple[int, ...]]]:
        found = []
        for row in part.tolist():
            texts, here = [], []
            for number in row:
                here.append(number)
                if number == characters.EOS:
                    texts.append(tuple(here))
                    here = []
            assert not any(here)  # padding
            found.append(texts)
        return found

    kinds = {(pair.source, pair.target): pair.kind for pair in chosen}
    joined = [
        list(zip(*both, strict=True))
        for both in zip(split(rows.source), split(rows.target), strict=True)
    ]
    assert sorted(pair for row in joined for pair in row) == sorted(kinds)
    assert all(len({kinds[pair] for pair in row}) == 1 for row in joined)
    assert max(map(len, joined)) > 1
    assert rows.source.shape[1] <= 100


def test_no_layer_sees_farther_than_its_reach() -> None:
    made = model.build(30, d_model=16, nhead=2, dim_feedforward=16, reach=(2, 2)).eval()
    ids = torch.arange(5, 21)[None]  # (1, 16)
    other = ids.clone()
    other[0, 0] = 4
    with torch.no_grad():
        first, second = made.encode(ids)[0], made.encode(other)[0]  # two layers: four characters
        changed = (first != second).any(dim=-1)[0]
        memory, padding = made.encode(ids)
        logits = made(ids, standard_shift(other, 2))
        moved = (logits != made(ids, standard_shift(ids, 2))).any(dim=-1)[0]
        cache, steps = made.empty_cache(), []
        for token in standard_shift(other, 2)[0]:
            steps.append(made.step(token.view(1, 1), memory, padding, cache))
    assert changed.tolist() == [True] * 5 + [False] * 11
    assert moved.tolist() == [False] + [True] * 5 + [False] * 10
    # The same sums with a cache, in another order.
    torch.testing.assert_close(torch.cat(steps, dim=1), logits, rtol=1e-4, atol=1e-4)


def test_what_is_asked_is_not_trained_on() -> None:
    asked = {split: recipe.phrases(split, "zh") for split in ("validation", "test")}
    known = {phrase.text for phrase in datasets.load("cldr-phrases").train}
    for name in ("exact", "decades", "lists"):
        first, second = ({p.text for p in asked[split][name]} for split in asked)
        assert len(first) >= 80
        assert not first & second
        assert not (first | second) & known
    assert {len(lists.names(p.target, "zh")) for p in asked["validation"]["lists"]} == {5, 6}
    nearest = baselines.Nearest([("May 29", "5月29日"), ("50 grams", "50克")])
    assert nearest(["May 2", "7 grams"]) == ["5月29日", "50克"]


def test_the_order_of_a_list_is_measured() -> None:
    right = datasets.Example("", None, "", "瑞士、印度、中国、希腊和日本")
    assert lists.places("瑞士、希腊、印度和日本", right.target, "zh") == [0, 3, 1, 4]
    found = lists.measure(["瑞士、印度、希腊和日本", right.target], [right, right], "zh")
    assert found == (9 / 10, 1.0, 1.0, 6 / 7)
