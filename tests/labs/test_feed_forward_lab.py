"""The feed-forward lab: the network that learns, MiniLM's neurons, and what the front end sees."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from course import labs, use
from course.labs.faults import InvalidSetting, OwnFailed
from course.labs.feed_forward.compute import compute
from course.labs.feed_forward.fitting import ACTIVATIONS, CURVES, STEPS, fit
from course.labs.feed_forward.neurons import Excitement, excite
from course.labs.feed_forward.reading import read
from course.labs.feed_forward.settings import Selection, Settings
from encoder_core import load_minilm
from encoder_core.feed_forward import feed_forward
from tests.close import assert_close
from tests.labs.front import Front

ALL = ["curve", "loss", "tokens", "neurons", "words"]


@pytest.fixture(scope="module")
def excitement() -> Excitement:
    return excite(*load_minilm(), ["It is not so, and no one knows why.", "This is an error."])


@pytest.fixture
def front(excitement: Excitement) -> Front:
    return Front(labs.FeedForwardLab(excitement=excitement)).ready()


def lines(front: Front, panel: str) -> dict[str, np.ndarray[Any, Any]]:
    """The ys of a plot's named series, as the front end reads them."""
    numbers = np.frombuffer(front.data[panel]["numbers"], "<f4")
    found, start = {}, 0
    for series in front.panels[panel]["series"]:
        count = series["count"]
        found[series["name"]] = numbers[start + count : start + 2 * count]
        start += 2 * count
    return found


# The small network


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_and_adam_are_torchs(activation: str) -> None:
    found = fit("wave", 5, activation, seed=3)
    w1, b1, w2, b2 = (torch.tensor(part, requires_grad=True) for part in found.at(0))
    bends = {"relu": torch.relu, "tanh": torch.tanh, "none": lambda z: z}
    bend = bends.get(activation) or getattr(torch.nn.functional, activation)
    x, target = torch.from_numpy(found.x), torch.from_numpy(found.target)
    adam = torch.optim.Adam([w1, b1, w2, b2], lr=0.03)
    for step in range(4):
        output = bend(x[:, None] * w1 + b1) @ w2 + b2
        loss = (output - target).square().mean()
        assert_close(found.losses[step], loss.item(), dtype=torch.float32)
        adam.zero_grad()
        loss.backward()
        adam.step()
    trained = [part.detach().numpy() for part in (w1, b1, w2, b2)]
    # Four steps, each of a gradient that is a sum over all x; Adam divides it by its own size.
    assert_close(list(found.at(4)), trained, dtype=torch.float32, terms=4 * len(x))


@pytest.mark.parametrize("curve", CURVES)
def test_it_learns_every_curve(curve: str) -> None:
    for activation in ("relu", "gelu"):
        losses = fit(curve, 24, activation).losses
        assert len(losses) == STEPS + 1
        assert losses[-1] < 0.1, (curve, activation)
        assert losses[-1] < 0.2 * losses[0]


def test_without_an_activation_a_line_is_all_that_comes() -> None:
    shown = compute(Settings(activation="none", width=32, text="So."))
    assert np.abs(np.diff(shown.output, 2)).max() < 1e-9
    assert fit("wave", 32, "none").losses[-1] > 0.1
    assert fit("line", 32, "none").losses[-1] < 1e-2


def test_the_line_is_the_sum_of_the_neurons_parts_and_has_its_kinks_where_they_begin() -> None:
    shown = compute(Settings(width=6, text="So."))
    *_, b2 = shown.fit.at(STEPS)
    assert_close(shown.ramps.sum(axis=0) + b2, shown.output)
    bends = np.abs(np.diff(shown.output, 2)) > 1e-6
    places = shown.x[1:-1][bends]
    kinks = shown.kinks[np.isfinite(shown.kinks)]
    assert all(np.abs(kinks - place).min() < 0.011 for place in places)


# MiniLM


def test_a_reading_is_the_models_own(excitement: Excitement) -> None:
    reading = read("It is not so.")
    model, tokenizer = load_minilm()
    again = excite(model, tokenizer, ["It is not so."])
    assert reading.tokens == again.tokens == ("it", "is", "not", "so", ".")
    assert all(map(torch.equal, reading.answers, again.answers))
    assert reading.answers[3][:, 318].argmax() == 2


# What the front end sees


def test_everything_comes_first_and_later_what_changed(front: Front) -> None:
    assert front.drawn() == ALL
    assert front.last["form"]["lab"] == "feed-forward"
    assert front.move(width=9)["notice"] == ""
    assert {"curve", "loss"} <= set(front.drawn())
    front.move(neuron=5)
    assert "words" in front.drawn()
    assert "curve" not in front.drawn()
    assert front.size < 40_000


def test_the_picture_is_what_was_computed(front: Front) -> None:
    front.move(width=7, curve="bump", step=100)
    shown = compute(Settings(width=7, curve="bump", step=100))
    drawn = lines(front, "curve")
    assert_close(drawn["the network"], shown.output)
    assert_close(drawn["the curve"], shown.fit.target)
    assert_close(lines(front, "loss")["error"], shown.fit.losses)
    assert front.panels["loss"]["chosen"] == [0, 100]
    axis = front.panels["loss"]["y"]
    assert axis["least"] <= min(shown.fit.losses) < max(shown.fit.losses) <= axis["most"]
    assert np.log10([axis["least"], axis["most"]]).tolist() == [-2, 0], "whole powers of ten"


def test_steps_are_seen_one_by_one(front: Front) -> None:
    seen = [lines(front, "curve")["the network"].copy()]
    for step in (0, 1, 2):
        front.move(step=step)
        seen.append(lines(front, "curve")["the network"].copy())
    assert len({each.tobytes() for each in seen}) == 4
    assert "At step 2 " in front.last["summary"]


def test_a_token_is_chosen_and_then_one_of_its_neurons(front: Front) -> None:
    reading = read(Settings().text)
    answer = front.move(token=1)
    values, numbers = reading.answers[3][1].topk(10)
    assert 318 not in numbers, "the neuron that is looked at comes last where it is none of them"
    assert front.panels["neurons"]["pieces"] == [*(str(n) for n in numbers.tolist()), "318"]
    assert front.panels["neurons"]["chosen"] == [0, 10]
    assert front.panels["neurons"]["caption"].endswith("“bridge” excites most; and neuron 318")
    sent = np.frombuffer(front.data["neurons"]["numbers"], "<f4")
    np.testing.assert_allclose(sent, [*values, reading.answers[3][1, 318]], atol=0.006)
    answer = front.move(nth=2)
    assert answer["values"]["neuron"] == numbers[2]
    assert front.panels["neurons"]["chosen"] == [0, 2]
    assert front.panels["neurons"]["pieces"] == [str(n) for n in numbers.tolist()]
    assert f"Neuron {numbers[2]} of layer 3 answers to “bridge”" in answer["summary"]


def test_the_words_are_the_strongest_of_the_text_that_was_given(
    front: Front, excitement: Excitement
) -> None:
    front.move(layer=3, neuron=318)
    expected = [word for word, _ in excitement.strongest(3, 318, 24)]
    assert front.panels["words"]["pieces"] == expected
    assert expected[0] == "not"
    answer = front.move(found="1 1184")
    assert (answer["values"]["layer"], answer["values"]["neuron"]) == (1, 1184)
    assert front.panels["words"]["pieces"][0] == "error"


def test_every_example_and_every_neuron_to_look_at_can_be_chosen(front: Front) -> None:
    controls = {c["name"]: c for g in front.last["form"]["groups"] for c in g["controls"]}
    for text, _ in controls["example"]["choices"][1:]:
        assert front.move(example=text)["values"]["text"] == text
    for place, _ in controls["found"]["choices"][1:]:
        values = front.move(found=place)["values"]
        assert f"{values['layer']} {values['neuron']}" == place


def test_of_several_moves_at_once_the_last_holds(front: Front) -> None:
    """What was moved while Python was busy comes in one message, in the order of the moves."""
    assert front.move(nth=1, found="1 1184")["values"]["neuron"] == 1184
    second = read(Settings().text).answers[1][Selection().token].topk(2).indices[1]
    values = front.move(found="1 1184", nth=1)["values"]
    assert (values["layer"], values["neuron"]) == (1, int(second))
    assert front.move(neuron=5, found="3 318")["values"]["neuron"] == 318
    assert front.move(found="3 318", neuron=5)["values"]["neuron"] == 5


def test_a_selection_that_is_out_of_range_is_brought_back(front: Front) -> None:
    values = front.move(token=999, layer=17, neuron=-4)["values"]
    assert (values["layer"], values["neuron"]) == (5, 0)
    assert values["token"] == len(read(Settings().text).tokens) - 1
    values = front.move(text="So.")["values"]
    assert values["token"] == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text": "  "}, "There is no text"),
        ({"text": "a" * 301}, "longer than 300 letters"),
        ({"width": 0}, "The number of neurons must be a whole number from 1 to 32."),
        ({"step": 1000}, "The step must be a whole number"),
        ({"curve": "circle"}, "The curve must be one of wave"),
        ({"activation": "sigmoid"}, "The activation must be one of relu"),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(
    front: Front, changes: dict[str, Any], sentence: str
) -> None:
    before = {name: dict(data) for name, data in front.data.items()}
    answer = front.move(**changes)
    assert sentence in answer["notice"]
    assert "Until then the last value that fits holds." in answer["notice"]
    assert front.data == before
    with pytest.raises(InvalidSetting, match=sentence[:12]):
        front.lab.set(**changes)
    with pytest.raises(ValueError, match=sentence[:12]):
        labs.FeedForwardLab(**changes)


# One's own network


def test_ones_own_network_draws_the_line(excitement: Excitement) -> None:
    calls: list[tuple[Any, ...]] = []

    def mine(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        calls.append(tuple(tuple(each.shape) for each in (x, w1, b1, w2, b2)))
        return feed_forward(x, w1, b1, w2, b2) + 1.0

    lab = labs.FeedForwardLab(mine, excitement, width=3)
    front = Front(lab).ready()
    assert calls[0] == ((201, 1), (1, 3), (3,), (3, 1), (1,))
    reference = compute(Settings(width=3)).output
    assert_close(lines(front, "curve")["the network"], reference + 1)
    assert "drawn with your own mine" in front.last["summary"]
    assert repr(lab).startswith("FeedForwardLab(ffn=mine, width=3")
    told = front.move(activation="gelu")
    assert told["notice"] == "Your own mine has a ReLU; with GELU the line is this course's own."
    assert "your own mine" not in told["summary"]


def test_the_reference_is_not_called_the_learners_own(excitement: Excitement) -> None:
    lab = labs.FeedForwardLab(use("feed_forward.ffn"), excitement)
    assert "drawn with the reference ffn" in lab.still()["text/plain"]


def test_a_network_that_fails_is_told(excitement: Excitement) -> None:
    def todo(*_: Any) -> Any:
        raise NotImplementedError

    front = Front(labs.FeedForwardLab(todo, excitement)).ready()
    assert "Your ffn raised NotImplementedError" in front.last["notice"]
    assert "this course's own network" in front.last["notice"]
    flat = labs.FeedForwardLab(lambda x, *_: x[:, 0], excitement)
    assert "should return a tensor (201, 1); it returned (201,)" in flat.still()["text/plain"]
    with pytest.raises(TypeError, match="must be a function"):
        labs.FeedForwardLab("ffn")  # type: ignore[arg-type]

    def fragile(x: Any, w1: Any, *rest: Any) -> Any:
        if w1.shape[1] > 8:
            raise ValueError("too wide")
        return feed_forward(x, w1, *rest)

    later = Front(labs.FeedForwardLab(fragile, excitement)).ready()
    before = later.data["curve"]["numbers"]
    assert "Your ffn raised ValueError: too wide" in later.move(width=9)["notice"]
    assert later.data["curve"]["numbers"] == before
    with pytest.raises(OwnFailed):
        later.lab.set(width=10)


# Without a front end


def test_there_is_a_still_picture_and_words(excitement: Excitement) -> None:
    lab = labs.FeedForwardLab(excitement=excitement)
    data, _ = lab._repr_mimebundle_()
    assert data["text/plain"].startswith("FeedForwardLab(")
    root = ElementTree.fromstring(data["image/svg+xml"])
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "bridge" in texts
    assert "FFN(x)" in " ".join(filter(None, texts))
    assert len(json.dumps(data)) < 60_000
    assert data == lab._repr_mimebundle_()[0]


def test_a_lab_that_nobody_looks_at_holds_nothing_and_comes_back(front: Front) -> None:
    before = front.data["curve"]["numbers"]
    front.gone()
    assert front.lab._result is None
    front.ready()
    assert front.data["curve"]["numbers"] == before


def test_without_a_text_of_ones_own_a_few_paragraphs_are_read() -> None:
    front = Front(labs.FeedForwardLab()).ready()
    assert "not" in front.panels["words"]["pieces"]
    assert len(front.panels["words"]["pieces"]) == 24
