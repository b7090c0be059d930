"""The attention lab as its front end sees it: messages in, messages out."""

from __future__ import annotations

import base64
import gc
import json
import re
import weakref
from typing import Any
from xml.etree import ElementTree

import ipywidgets
import numpy as np
import pytest
import torch

from course import labs
from course.labs import lab as lab_module
from course.labs.attention import widget as widget_module
from course.labs.attention.compute import compute
from course.labs.attention.settings import Settings
from course.labs.attention.widget import AttentionLab
from course.labs.cells import Place
from course.labs.faults import OwnFailed
from course.labs.packing import pack_bits
from encoder_core.attention import scaled_dot_product_attention
from tests.labs.front import Front

TEXT = "Anna thanked Peter because he had helped her brother."
TINY = {"text": "A cat sat.", "encoder": "fresh", "heads": 2, "d_model": 16}
ALL = ["heads", "weights", "flow", "row", "values"]
# The roots of weights travel in 16 bits: off by half a step, so their squares by one at most.
CODED = 1.01 / (2**16 - 2)


@pytest.fixture
def front() -> Front:
    """A view of the default lab that has been drawn once."""
    return Front(labs.AttentionLab()).ready()


@pytest.fixture
def tiny() -> Front:
    """A view of a small fresh encoder, drawn once."""
    return Front(labs.AttentionLab(**TINY)).ready()


def test_nothing_is_sent_before_a_view_is_ready() -> None:
    front = Front(labs.AttentionLab(**TINY))
    front.lab.set(seed=3)
    assert front.messages == []
    front.ready()
    assert front.last["form"]["lab"] == "attention"
    assert front.drawn() == ALL
    assert front.last["values"]["seed"] == 3


def test_what_a_widget_is_made_with_is_text_and_never_out_of_date() -> None:
    front = Front(labs.AttentionLab(**TINY)).ready()
    for change in ({}, {"seed": 5}):
        front.move(**change)
        state = json.loads(json.dumps(front.lab.get_state()))  # no buffers: Colab would drop them
        first = state["first"]
        buffers = [base64.b64decode(text) for text in first.pop("buffers")]
        again = Front(front.lab, "another").ready().messages[-1]
        for same in ("values", "panels", "summary", "form", "labels"):
            assert first[same] == again[0][same] or same == "panels"
        assert buffers == again[1]


def test_the_first_picture_is_the_pretrained_encoder(front: Front) -> None:
    arrays = compute(Settings(TEXT))
    assert front.labels["tokens"] == list(arrays.tokens.labels)
    assert front.panels["heads"]["rows"] == 6
    assert front.panels["heads"]["columns"] == 12
    np.testing.assert_allclose(front.weights(), arrays.weights[1, 3], atol=CODED)
    assert "“her” (position 8) looks most at “anna”" in front.last["summary"]


def test_only_what_changed_is_sent(front: Front) -> None:
    front.move(query=5)
    assert front.drawn() == ["weights", "flow", "row", "values"]
    assert set(front.data["weights"]) == {"cells"}
    _, buffers = front.messages[-1]
    assert len(buffers) == 2  # the row's numbers and its values; the head itself is there already
    front.move(head=4)
    assert front.drawn() == ALL
    assert len(front.messages[-1][1]) == 4  # all but the pictures of all heads
    front.move(key=2)
    assert front.drawn() == ["weights", "flow", "row", "values"]
    assert front.messages[-1][1] == []
    front.move(key=2)
    assert front.drawn() == []


def test_choosing_computes_nothing(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("computed again")

    monkeypatch.setattr(widget_module, "compute", refuse)
    for change in ({"layer": 5}, {"head": 0}, {"query": 3}, {"key": 7}, {"dimension": 9}):
        assert front.move(**change)["notice"] == ""
    with pytest.raises(AssertionError, match="computed again"):
        front.move(temperature=2)


def test_each_state_drawn_has_a_higher_number(tiny: Front) -> None:
    numbers = [tiny.last["drawn"]]
    for change in ({"seed": 1}, {"query": 2}, {"mask": "causal"}, {"scaled": False}):
        numbers.append(tiny.move(**change)["drawn"])
    assert numbers == sorted(set(numbers))
    assert tiny.move(text="")["drawn"] == numbers[-1]
    # A state that is shown again, or in another view, is the same state.
    assert tiny.lab.first_message()["drawn"] == numbers[-1]
    assert tiny.ready().last["drawn"] == numbers[-1]


@pytest.mark.parametrize(
    "change",
    [
        {"heads": 3},
        {"heads": None},
        {"text": "  "},
        {"text": "word " * 200},
        {"d_model": 17},
        {"temperature": 0},
        {"device": "abacus"},
        {"painted": {"length": 4, "bits": "AAAA"}},
        {"painted": {"length": -1, "bits": ""}},
        {"painted": {"length": "x", "bits": None}},
        {"painted": 5},
    ],
)
def test_an_invalid_setting_is_told_and_the_picture_stays(
    tiny: Front, change: dict[str, Any]
) -> None:
    before = (dict(tiny.panels), dict(tiny.data))
    answer = tiny.move(**change)
    assert answer["notice"].endswith("Until then the last value that fits holds.")
    assert answer["panels"] == []
    # Choosing goes on with the last picture, and says again what is wrong with the settings.
    if "painted" not in change:
        assert tiny.move(query=3)["notice"] == answer["notice"]
        assert "row" in tiny.drawn()
    assert tiny.data["heads"] == before[1]["heads"]
    assert tiny.move(**{**TINY, "temperature": 1, "device": "cpu"})["notice"] == ""


def test_what_was_typed_stays_in_the_controls(tiny: Front) -> None:
    assert tiny.move(heads=3)["values"]["heads"] == 3
    assert tiny.move(d_model=18)["notice"] == ""
    assert tiny.panels["heads"]["columns"] == 3


def test_the_selection_follows_smaller_encoders_and_texts(front: Front) -> None:
    front.move(layer=5, head=11, query=11, key=11, dimension=31)
    answer = front.move(**TINY)
    values = {name: answer["values"][name] for name in ("layer", "head", "query", "key")}
    assert values == {"layer": 1, "head": 1, "query": 5, "key": 5}


def test_a_pair_is_two_segments(front: Front) -> None:
    front.move(pair="Someone was grateful.")
    assert front.labels["tokens"].count("[SEP]") == 2
    expected = compute(Settings(TEXT, pair="Someone was grateful."))
    np.testing.assert_allclose(front.weights(), expected.weights[1, 3], atol=CODED)


def test_examples_fill_both_sentences(front: Front) -> None:
    groups = front.messages[0][0]["form"]["groups"]
    (control,) = [c for g in groups for c in g["controls"] if c["name"] == "example"]
    for value, _ in control["choices"][1:]:
        answer = front.move(example=value)
        assert answer["notice"] == ""
        assert [answer["values"]["text"], answer["values"]["pair"]] == value


def test_a_padding_mask_brings_padding(front: Front) -> None:
    answer = front.move(mask="padding")
    assert answer["values"]["padding"] == 4
    assert front.labels["tokens"][-4:] == ["[PAD]"] * 4
    assert np.isnan(front.weights()[:, -4:]).all()
    assert not np.isnan(front.weights()[:, :-4]).any()


def test_painting_as_the_front_end_does_it(front: Front) -> None:
    front.move(mask="causal")
    blocked = np.isnan(front.weights())
    assert np.array_equal(blocked, np.triu(np.ones((12, 12), bool), 1))
    blocked[8, 1] = True
    bits = base64.b64encode(pack_bits(blocked)).decode()
    answer = front.move(mask="painted", painted={"length": 12, "bits": bits})
    assert np.array_equal(np.isnan(front.weights()), blocked)
    assert "“anna” is blocked" in answer["summary"]
    front.move(text="A shorter text.")  # what does not fit is cut off
    assert np.array_equal(np.isnan(front.weights()), blocked[:6, :6])
    front.move(clear_mask=True)
    assert not np.isnan(front.weights()).any()


def test_a_query_that_may_look_at_nothing_is_said(tiny: Front) -> None:
    bits = base64.b64encode(pack_bits(np.ones((6, 6), bool))).decode()
    answer = tiny.move(mask="painted", painted={"length": 6, "bits": bits})
    assert answer["notice"] == ""
    assert "may look at nothing" in answer["summary"]


def test_switching_a_head_off_shows_what_changes(front: Front) -> None:
    answer = front.move(head_off=True)
    assert front.panels["heads"]["off"] == [[1, 3]]
    assert answer["values"]["head_off"]
    assert answer["values"]["some_off"]
    assert re.search(
        r"Switched off: layer 1 head 3\. The output vector of “\S+” moves", answer["summary"]
    )
    cosine, moved = front.floats("change", 2).T
    assert cosine.min() < 0.999
    assert moved.max() > 0.05
    assert not front.move(head=4)["values"]["head_off"]
    front.move(head_off=True)
    assert front.panels["heads"]["off"] == [[1, 3], [1, 4]]
    front.move(head_off=False)
    assert front.panels["heads"]["off"] == [[1, 3]]
    answer = front.move(all_on=True)
    assert front.panels["heads"]["off"] == []
    assert not answer["values"]["some_off"]


def test_a_key_is_chosen_in_the_picture_of_the_values() -> None:
    front = Front(labs.AttentionLab(text="word " * 60, encoder="fresh")).ready()
    rows = front.panels["values"]["row_labels"]
    assert len(rows) == 33  # the heaviest 32, and the sum
    values = front.move(value_row=32)["values"]  # the sum is no key
    assert values["key"] == 1
    front.move(value_row=31, dimension=5)
    assert front.panels["values"]["chosen"] == [31, 5]
    assert front.panels["row"]["columns"][4]["label"] == "v₅"


# One's own attention


def test_ones_own_attention_is_what_runs() -> None:
    calls: list[tuple[Any, ...]] = []

    def uniform(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        calls.append((query.shape, mask))
        weights = torch.full((*query.shape[:-1], key.shape[-2]), 1 / key.shape[-2])
        return weights @ value, weights

    front = Front(labs.AttentionLab(attention=uniform, **TINY)).ready()
    assert calls[0] == ((1, 2, 6, 8), None)
    np.testing.assert_allclose(front.weights(), 1 / 6, atol=CODED)
    assert "not the softmax of these scores" in front.last["summary"]
    assert "computed by your own uniform" in front.lab.still()["text/plain"]
    assert repr(front.lab).startswith("AttentionLab(attention=uniform, text='A cat sat.'")


def test_the_reference_is_not_called_the_learner_s_own() -> None:
    from course import use

    lab = AttentionLab(attention=use("attention.scaled_dot_product"), encoder="fresh")
    assert "computed by the reference scaled_dot_product" in lab.still()["text/plain"]


def test_an_attention_that_begins_to_fail_keeps_the_last_picture() -> None:
    def fragile(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        if mask is not None:
            raise ValueError("masks are for chapter two")
        return scaled_dot_product_attention(query, key, value)

    front = Front(labs.AttentionLab(fragile, **TINY)).ready()
    before = front.weights()
    answer = front.move(mask="causal")
    assert answer["notice"] == (
        "Your attention raised ValueError in layer 0: masks are for chapter two "
        "The picture stays as it was."
    )
    np.testing.assert_array_equal(front.weights(), before)
    assert front.move(mask="none")["notice"] == ""
    assert "not the softmax" not in front.last["summary"]


def test_an_attention_that_never_worked_shows_the_reference() -> None:
    def todo(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        raise NotImplementedError

    front = Front(labs.AttentionLab(todo, **TINY)).ready()
    assert "NotImplementedError" in front.last["notice"]
    assert "the reference" in front.last["notice"]
    reference = Front(labs.AttentionLab(**TINY)).ready()
    np.testing.assert_array_equal(front.weights(), reference.weights())
    front.gone()  # the picture is made again from what was drawn, not from what fails
    front.ready()
    np.testing.assert_array_equal(front.weights(), reference.weights())


def test_an_attention_is_tried_again_until_it_works() -> None:
    calls = 0

    def fragile(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        nonlocal calls
        calls += 1
        if mask is not None:
            raise ValueError("no masks yet")
        weights = torch.full((*query.shape[:-1], key.shape[-2]), 1 / key.shape[-2])
        return weights @ value, weights

    front = Front(labs.AttentionLab(fragile, mask="causal", **TINY)).ready()
    told = (
        "Your attention raised ValueError in layer 0: no masks yet "
        "Until it works, the picture shows the reference's attention."
    )
    assert front.last["notice"] == told
    assert "computed by" not in front.lab.still()["text/plain"]
    # Choosing says it again and calls nothing; other settings are drawn with the reference.
    count = calls
    assert front.move(query=3)["notice"] == told
    assert calls == count
    assert front.move(heads=4)["notice"] == told
    assert front.panels["heads"]["columns"] == 4
    assert calls > count
    # An invalid setting keeps that picture.
    assert "Until then the last value that fits holds." in front.move(heads=3)["notice"]
    assert front.move(heads=2)["notice"] == told
    # Settings with which it works show it; from then on, its last picture stays.
    assert front.move(mask="none")["notice"] == ""
    np.testing.assert_allclose(front.weights(), 1 / 6, atol=CODED)
    assert "computed by your own fragile" in front.lab.still()["text/plain"]
    assert front.move(mask="causal")["notice"].endswith("The picture stays as it was.")
    np.testing.assert_allclose(front.weights(), 1 / 6, atol=CODED)


# From Python


def test_settings_from_python_are_drawn_and_wrong_ones_raise(tiny: Front) -> None:
    tiny.lab.set(heads=4, query=2)
    assert tiny.panels["heads"]["columns"] == 4
    assert tiny.lab.settings["query"] == 2
    count = len(tiny.messages)
    with pytest.raises(ValueError, match="not divisible"):
        tiny.lab.set(heads=3)
    with pytest.raises(TypeError, match="There is no setting 'nheads'; there are"):
        tiny.lab.set(nheads=3)
    assert tiny.lab.settings["heads"] == 4
    assert len(tiny.messages) == count


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"heads": 3, "encoder": "fresh"}, ValueError, "not divisible"),
        ({"text": ""}, ValueError, "There is no text"),
        ({"nhead": 3}, TypeError, "There is no setting 'nhead'"),
        ({"all_on": True}, TypeError, "There is no setting 'all_on'"),  # a button is no setting
        ({"attention": "softmax"}, TypeError, "must be a function"),
    ],
)
def test_the_constructor_refuses_in_a_sentence(
    arguments: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        labs.AttentionLab(**arguments)


# Faults, views, and leaving no trace


def test_a_fault_of_the_labs_own_reaches_the_caller_and_frees_the_view(
    tiny: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(widget_module, "compute", broken)
    with pytest.raises(ZeroDivisionError):
        tiny.message({"type": "change", "view": "view-1", "request": 7, "changes": {"seed": 9}})
    assert tiny.last["request"] == 7
    assert tiny.last["notice"] == "The lab failed with ZeroDivisionError: a fault"
    monkeypatch.undo()
    assert tiny.move(seed=9)["notice"] == ""


@pytest.mark.parametrize("content", [{}, {"type": "nonsense"}, {"type": "change"}])
def test_odd_messages_do_no_harm(tiny: Front, content: dict[str, Any]) -> None:
    tiny.message(content)
    tiny.move(unknown=1, layer="first", query=None, example=3, value_row="x")
    assert tiny.last["notice"] == ""


def test_two_views_show_the_same() -> None:
    lab = labs.AttentionLab(**TINY)
    first = Front(lab, "first").ready()
    second = Front(lab, "second").ready()
    first.move(seed=4)
    second.move(query=2)
    np.testing.assert_array_equal(first.weights(), second.weights())
    assert first.panels == second.panels
    assert first.last["view"] == second.last["view"] == "second"


def test_a_lab_that_nobody_looks_at_holds_no_arrays(tiny: Front) -> None:
    arrays = weakref.ref(tiny.lab.shown())
    tiny.gone()
    gc.collect()
    assert arrays() is None
    tiny.ready()
    assert tiny.drawn() == ALL
    assert tiny.move(query=3)["notice"] == ""


def test_running_a_cell_again_closes_what_it_made(monkeypatch: pytest.MonkeyPatch) -> None:
    place = [Place("cell-1", "run-1")]
    monkeypatch.setattr(lab_module, "current_place", lambda: place[0])
    first, beside = labs.AttentionLab(**TINY), labs.AttentionLab(**TINY)
    place[0] = Place("cell-2", "run-2")
    other = labs.AttentionLab(**TINY)
    assert [lab.comm is None for lab in (first, beside)] == [False, False]
    place[0] = Place("cell-1", "run-3")
    again = labs.AttentionLab(**TINY)
    assert [lab.comm is None for lab in (first, beside)] == [True, True]
    assert [lab.comm is None for lab in (other, again)] == [False, False]
    other.close()
    again.close()


def known_widgets() -> dict[str, Any]:
    """The widgets that ipywidgets holds, in its version 7 and in its version 8."""
    if ipywidgets.__version__.startswith("7."):
        return dict(ipywidgets.Widget.widgets)
    return dict(ipywidgets.widgets.widget._instances)


def test_closing_forgets_the_widget() -> None:
    lab = labs.AttentionLab(**TINY)
    name = lab.model_id
    assert name in known_widgets()
    lab.close()
    assert name not in known_widgets()


# Without a front end


def test_the_repr_is_the_same_each_time() -> None:
    lab = labs.AttentionLab(off=[(1, 3), (0, 2)], mask="causal")
    assert (
        repr(lab) == "AttentionLab(text='Anna thanked Peter because he had helped her brother.', "
        "mask='causal', off=[(0, 2), (1, 3)])"
    )
    assert repr(AttentionLab(**TINY)) == repr(AttentionLab(**TINY))


def test_there_is_a_still_picture_and_words() -> None:
    lab = labs.AttentionLab(mask="causal")
    data, _ = lab._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert data["text/plain"].startswith("AttentionLab(")
    assert "“her” (position 8) looks most at" in data["text/plain"]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")
    root = ElementTree.fromstring(data["image/svg+xml"])
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("thanked") == 4  # of the matrix and of the lines
    paths = list(root.iter("{http://www.w3.org/2000/svg}path"))
    weights = np.where(lab.shown().blocked[0], 0, lab.shown().weights[1, 3])
    assert len(paths) == (weights >= 0.05).sum() > 12
    assert len(json.dumps(data)) < 40_000
    again, _ = lab._repr_mimebundle_()
    assert data == again


def test_a_text_that_is_markup_is_text() -> None:
    lab = labs.AttentionLab(text='<script>alert("&")</script>', encoder="fresh")
    root = ElementTree.fromstring(lab.still()["image/svg+xml"])
    assert {node.tag.split("}")[1] for node in root.iter()} == {
        "svg",
        "rect",
        "image",
        "text",
        "path",
    }


def test_a_failing_attention_raises_from_python() -> None:
    def picky(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        if mask is not None:
            raise ValueError("no masks")
        return scaled_dot_product_attention(query, key, value)

    lab = labs.AttentionLab(picky, **TINY)
    with pytest.raises(OwnFailed, match="no masks"):
        lab.set(mask="causal")
    assert lab.settings["mask"] == "none"
