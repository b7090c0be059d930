"""The three translators of chapter 08's history: what each computes, and what is recorded of them."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
import torch
from torch import Tensor

from course import figures
from course.content import exercises
from course.content.recorded import recording
from course.content.translation import history
from course.content.translation.experiments.characters import PAD, batch, encode
from course.content.translation.experiments.history import recipe
from course.datasets.dataset import Example

RECURRENT = [name for name in history.KINDS if name != "Transformer"]
PHRASES = ["Mar 6, 1997", "75 kilometers", "Peru or Chile"]


@functools.cache
def models() -> dict[str, Any]:
    """One of each kind; their vocabulary is counted in all phrases, which takes seconds."""
    return {name: model.eval() for name, model in history.models().items()}


def ids(texts: list[str]) -> Tensor:
    return batch([encode(text, recipe.LANGUAGE) for text in texts])


@pytest.mark.parametrize("name", RECURRENT)
@torch.no_grad()
def test_a_recurrent_model_writes_step_by_step_what_it_computes_at_once(name: str) -> None:
    model = models()[name]
    source, target = ids(PHRASES), ids(["1997年3月6日", "75公里", "秘鲁或智利"])
    assert (source == PAD).any()
    logits = model(source, target)  # (B, T, V)
    memory = model.encode(source)
    state, steps = model.start(memory), []
    for place in range(target.shape[1]):
        step, state = model.decode(target[:, place : place + 1], state, memory)
        steps.append(step)
    torch.testing.assert_close(torch.cat(steps, dim=1), logits, rtol=1e-4, atol=1e-5)
    alone = model(source[2:, : len(PHRASES[2]) + 1], target[2:])  # without the others' padding
    torch.testing.assert_close(alone, logits[2:], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_exercises_attention_computes_what_the_model_does() -> None:
    own = exercises.get("translation.additive_attention").model()
    training = history.attention_of(own)
    assert training.key != history.KINDS["attention"]().key
    model, plain = training.fresh_model(training.settings).eval(), models()["attention"]
    source, target = ids(PHRASES), ids(["1997年3月6日", "75公里", "秘鲁或智利"])
    torch.testing.assert_close(model(source, target), plain(source, target), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_vector_is_the_last_state_and_backwards_that_of_the_turned_source() -> None:
    forwards, backwards = (models()[name] for name in RECURRENT[:2])
    source = ids(PHRASES)
    row = encode(PHRASES[1], recipe.LANGUAGE)
    states, last = forwards.encoder(forwards.embedding(torch.tensor([row])))
    torch.testing.assert_close(forwards.encode(source)[1], last[0, 0], rtol=1e-4, atol=1e-6)
    turned = backwards.encoder(backwards.embedding(torch.tensor([row[::-1]])))[1]
    torch.testing.assert_close(backwards.encode(source)[1], turned[0, 0], rtol=1e-4, atol=1e-6)
    assert states.shape == (1, len(row), 128)


@torch.no_grad()
def test_a_look_is_a_distribution_over_the_source_without_its_padding() -> None:
    target = "1997年3月6日"
    for name, model in models().items():
        weights = history.looks(model, PHRASES[0], target)
        if name in RECURRENT[:2]:
            assert weights is None
            continue
        assert weights is not None
        assert weights.shape == (len(target) + 1, len(PHRASES[0]) + 1)
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(len(weights)))
    model = models()["attention"]
    memory = model.encode(ids(PHRASES))
    _, weights = model.attention(model.start(memory), memory)  # (B, S)
    assert (weights[memory.padding] == 0).all()
    first = history.looks(model, PHRASES[1], target)
    assert first is not None
    alone = memory.padding[1].logical_not().sum()
    torch.testing.assert_close(first[0], weights[1, :alone], rtol=1e-4, atol=1e-6)


def test_the_three_have_one_size_and_only_one_has_a_chain_of_one_length() -> None:
    sizes = history.sizes().values()
    assert max(sizes) < 1.08 * min(sizes)
    chains = history.chains((4, 8, 16))
    for name in RECURRENT:
        four, eight, sixteen = chains[name]
        assert sixteen - eight == 2 * (eight - four) > 0, "so many more for each step"
    assert len(set(chains["Transformer"])) == 1


def test_a_phrase_is_counted_in_its_kind_and_its_length() -> None:
    phrases = [
        Example("Peru and Chile", 5, "list, standard", "秘鲁和智利"),
        Example("Peru, Chile, or Norway", 5, "list, or", "秘鲁、智利或挪威"),
        Example("7:05 AM", 2, "time, time", "07:05"),
    ]
    found = recipe.by_kind_and_length(["秘鲁和智利", "秘鲁", "07:05"], phrases)
    assert found == {
        "exact": pytest.approx(2 / 3), "list": 0.5, "time": 1.0, "lists of two": 1.0, "lists of three": 0.0,
        "to 10": 1.0, "11 to 20": 1.0, "21 to 30": 0.0,
    }  # fmt: skip


def test_the_recording_is_of_todays_code_and_settings() -> None:
    found = recording("translation.history")
    assert list(found.rows) == list(history.KINDS)
    for name, describe in history.KINDS.items():
        training, row = describe(), found.rows[name]
        assert row.settings == json.loads(json.dumps({**training.settings.as_json(), "seed": None}))
        assert row.key == training.key
    looks = {name: history.recorded_looks(name) for name in ("attention", "Transformer")}
    date, target = (history.DATE.write(language) for language in ("en", recipe.LANGUAGE))
    for weights in looks.values():
        assert weights.shape == (len(target) + 1, len(date) + 1)
        assert (weights.sum(dim=1) - 1).abs().max() < 0.005 * len(date)  # each rounded to 0.01


def test_the_recording_says_what_the_chapter_says() -> None:
    rows = recording("translation.history").rows

    def right(name: str, group: str) -> float:
        return rows[name].spread("test", group).median

    falls = [right("one vector", length) for length in recipe.LENGTHS]
    assert falls == sorted(falls, reverse=True)
    assert falls[0] > 0.95
    assert falls[-1] < 0.3
    lists = [right("one vector", f"lists of {count}") for count in ("two", "three", "four")]
    assert lists[0] > 0.9 > 0.7 > lists[1] > 0.1 > lists[2]
    assert 0.0 < right("one vector, read backwards", "exact") - right("one vector", "exact") < 0.1
    assert right("one vector, read backwards", "over 30") < 0.3
    for length in recipe.LENGTHS:
        assert right("attention", length) > 0.98
        assert right("Transformer", length) > 0.9
    for name in rows:
        assert right(name, "lists of five and six") < 0.1
    date, target = (history.DATE.write(language) for language in ("en", recipe.LANGUAGE))
    for name in ("attention", "Transformer"):
        looks = history.recorded_looks(name)
        for place, source in zip((0, 1, 2, 3, 7), (19, 20, 21, 22, 16), strict=True):
            assert target[place] == date[source], "the digits of 1997 and of 6"
            assert looks[place, source] == looks[place].max() > 0.7
    assert history.recorded_looks("attention")[[4, 9, 10]].max() < 0.3, "年, 星 and 期"
    steps = {name: describe().settings.steps for name, describe in history.KINDS.items()}
    assert steps["one vector"] == 2 * steps["attention"]


def test_a_handover_draws_every_token_and_says_the_strongest_look() -> None:
    weights = torch.tensor([[0.9, 0.1, 0.0], [0.02, 0.08, 0.9]])
    figure = figures.handover(["a", " ", "<"], ["x", "y"], {"one": None, "all": weights}, title="T")
    assert repr(figure).splitlines() == [
        "T", "one:", "  all 2 steps get the same vector",
        "all, the strongest look of each step:", "  x ← a 0.90 · y ← < 0.90",
    ]  # fmt: skip
    svg = figure._repr_svg_()
    assert svg.count("<line") == (3 + 2) + 4, "weights below 0.05 are left out"
    assert "&lt;" in svg
    assert ">␣<" in svg
    with pytest.raises(ValueError, match=r"\(T, S\) = \(2, 3\)"):
        figures.handover(["a", "b", "c"], ["x", "y"], {"all": weights.T})
