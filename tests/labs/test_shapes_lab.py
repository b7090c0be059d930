"""The shape tracer as its front end sees it: messages in, messages out."""

from __future__ import annotations

import base64
import inspect
import json
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from torch import Tensor, nn

from course import labs
from course.labs.shapes import widget as widget_module
from course.labs.shapes.settings import Settings
from course.labs.shapes.trace import compute
from encoder_core import attention
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from tests.labs.front import Front

TINY: dict[str, Any] = {"text": "A cat sat.", "second": "No.", "encoder": "fresh", "layers": 2}


@pytest.fixture
def tiny() -> Front:
    """A view of a small fresh encoder, drawn once."""
    return Front(labs.ShapeTracer(**TINY)).ready()


def step_of(front: Front, kind: str, layer: int | None) -> int:
    steps = front.lab.shown().steps  # type: ignore[attr-defined]
    (found,) = [i for i, step in enumerate(steps) if (step.kind, step.layer) == (kind, layer)]
    return found


def cells(front: Front, panel: str) -> np.ndarray[Any, Any]:
    """A matrix as the front end decodes it; NaN where blocked."""
    meta = front.panels[panel]
    shape = (len(meta["row_labels"]), len(meta["column_labels"]))
    codes = np.frombuffer(front.data[panel]["cells"], np.uint16).astype(float).reshape(shape)
    shares = codes / 65534
    signed = meta["scale"] == "signed"
    numbers = (2 * shares - 1) * meta["limit"] if signed else shares**2 * meta["limit"]
    return np.where(codes == 65535, np.nan, numbers)


def test_the_walk_begins_with_the_text(tiny: Front) -> None:
    assert tiny.last["form"]["lab"] == "shapes"
    assert tiny.drawn() == ["journey", "steps", "pieces"]
    assert tiny.last["values"]["seen"] == "words"
    assert tiny.panels["pieces"]["pieces"] == ["[CLS]", "a", "cat", "sat", ".", "[SEP]"]
    assert tiny.labels["steps"][0] == "input\ttokens\t(2, 6)"
    assert len(tiny.labels["steps"]) == len(tiny.lab.shown().steps)  # type: ignore[attr-defined]
    tiny.move(item=1)
    assert tiny.panels["pieces"]["pieces"] == ["[CLS]", "no", ".", "[SEP]", "[PAD]", "[PAD]"]


def test_every_step_shows_its_shape_numbers_and_code(tiny: Front) -> None:
    trace = compute(Settings(**TINY))
    for number, step in enumerate(trace.steps):
        answer = tiny.move(step=number)
        assert answer["notice"] == ""
        assert tiny.size < 20_000
        meta = tiny.panels["steps"]
        assert meta["chosen"] == number
        assert f"= ({', '.join(map(str, step.numbers.shape))})" in meta["says"]
        assert meta["code"]
        assert f"Step {number} of {len(trace.steps) - 1}" in answer["summary"]
    tiny.move(step=step_of(tiny, "scores", 1), head=2, item=1)
    code = tiny.panels["steps"]["code"][0]
    assert code["text"] in inspect.getsource(attention.scores)
    assert code["place"].startswith("encoder_core/attention.py, line ")
    scores = next(s for s in trace.steps if (s.kind, s.layer) == ("scores", 1)).numbers
    limit = tiny.panels["after"]["limit"]
    np.testing.assert_allclose(cells(tiny, "after"), scores[1, 2], atol=limit / 120)
    assert "text 2, head 2" in tiny.panels["after"]["caption"]
    assert tiny.panels["before"]["caption"].startswith("What goes in: layer 1, scale: query / √Dh")


def test_padding_is_blocked_and_gets_no_weight(tiny: Front) -> None:
    tiny.move(step=step_of(tiny, "mask", 0), item=1)
    assert np.isnan(cells(tiny, "after")[:, 4:]).all()
    assert not np.isnan(cells(tiny, "after")[:, :4]).any()
    answer = tiny.move(step=step_of(tiny, "softmax", 0), row=1, column=5)
    weights = cells(tiny, "after")
    assert (weights[:, 4:] == 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, atol=0.02)
    assert "“no”, key “[PAD]”: −∞ becomes 0.0000" in answer["summary"]
    assert "The row of “no” sums to 1.000" in answer["summary"]
    tiny.move(step=step_of(tiny, "padding", None))
    assert np.isnan(cells(tiny, "after")).sum() == 2


def test_stepping_forward_back_and_across_layers(tiny: Front) -> None:
    last = len(tiny.labels["steps"]) - 1
    assert tiny.move(back=True)["values"]["step"] == 0
    assert tiny.move(forward=True)["values"]["step"] == 1
    assert tiny.move(step=last)["values"]["step"] == last
    assert tiny.move(forward=True)["values"]["step"] == last
    assert tiny.last["values"]["layer"] is None
    assert tiny.move(layer=1)["values"]["step"] == step_of(tiny, "project", 1)
    tiny.move(step=step_of(tiny, "softmax", 1))
    assert tiny.move(layer=0)["values"]["step"] == step_of(tiny, "softmax", 0)
    assert tiny.last["values"]["layer"] == 0


def test_another_encoder_shows_the_same_step(tiny: Front) -> None:
    tiny.move(step=step_of(tiny, "softmax", 1))
    tiny.move(encoder="pretrained")
    assert tiny.last["values"]["step"] == step_of(tiny, "softmax", 1)
    tiny.move(encoder="fresh", norm_first=True)
    assert tiny.last["values"]["step"] == step_of(tiny, "softmax", 1)
    assert tiny.move(layers=1)["values"]["step"] < len(tiny.labels["steps"])


def test_only_what_changed_is_sent_and_choosing_computes_nothing(
    tiny: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("computed again")

    monkeypatch.setattr(widget_module, "compute", refuse)
    tiny.move(step=step_of(tiny, "linear1", 0))
    assert "labels" not in tiny.last
    tiny.move(column=5)
    assert tiny.messages[-1][1] == []
    tiny.move(first=16)
    assert "numbers 16 to 63 of 96" in tiny.panels["after"]["caption"]
    assert tiny.move(first=999)["values"]["first"] == 48
    with pytest.raises(AssertionError, match="computed again"):
        tiny.move(seed=3)


def test_a_residual_is_told_by_its_summands(tiny: Front) -> None:
    number = step_of(tiny, "residual1", 0)
    told = tiny.move(step=number, row=2, column=7)["summary"]
    steps = tiny.lab.shown().steps  # type: ignore[attr-defined]
    before = steps[step_of(tiny, "text.positions", None)].numbers[0, 2, 7]
    added = steps[step_of(tiny, "out", 0)].numbers[0, 2, 7]
    first, second = (f"{number:.4f}".replace("-", "−") for number in (before, added))
    assert f"{first} that skipped the sub-layer + {second} from the sub-layer" in told


def test_the_end_is_the_cosine_of_the_two_texts() -> None:
    lab = labs.ShapeTracer()
    lab.set(step=10_000)
    vectors = compute(Settings()).steps[-1].numbers
    told = f"their cosine, is {vectors[0] @ vectors[1]:.4f}"
    assert told in lab.drawing().summary


def test_pre_norm_has_its_own_order_and_code() -> None:
    lab = labs.ShapeTracer(**TINY, norm_first=True)
    kinds = [step.kind for step in lab.shown().steps]
    assert kinds.index("norm1") < kinds.index("project")
    assert "final" in kinds
    lab.set(step=kinds.index("residual1"))
    (panel,) = [panel for panel in lab.drawing().panels if panel.name == "steps"]
    assert panel.meta["code"][0]["text"] == "x = x + self._self_attention(self.norm1(x), **how)"


def test_the_widest_update_is_small() -> None:
    front = Front(labs.ShapeTracer(text="word " * 46, second="")).ready()
    front.move(step=step_of(front, "activation", 3))
    assert front.size < 20_000
    front.move(text="words " * 46)
    assert front.last["notice"] == ""
    assert front.size < 20_000


@pytest.mark.parametrize(
    "change",
    [
        {"text": ""},
        {"text": "word " * 60},
        {"heads": 7},
        {"d_model": None},
        {"encoder": "own"},
        {"encoder": "gpt"},
        {"layers": 0},
    ],
)
def test_an_invalid_setting_is_told_and_the_picture_stays(
    tiny: Front, change: dict[str, Any]
) -> None:
    answer = tiny.move(**change)
    assert answer["notice"].endswith("Until then the last value that fits holds.")
    assert answer["panels"] == []
    assert tiny.move(**{**TINY, "heads": 4, "d_model": 24})["notice"] == ""


def test_odd_messages_do_no_harm(tiny: Front) -> None:
    tiny.move(unknown=1, step="first", row=None, example=3, layer="x", head=-4, item=99)
    assert tiny.last["notice"] == ""


def test_examples_can_be_walked(tiny: Front) -> None:
    groups = tiny.messages[0][0]["form"]["groups"]
    (control,) = [c for g in groups for c in g["controls"] if c["name"] == "example"]
    for value, _ in control["choices"][1:]:
        answer = tiny.move(example=value)
        assert answer["notice"] == ""
        assert [answer["values"]["text"], answer["values"]["second"]] == value


# The learner's own


def encoder(layer: type[nn.Module] = TransformerEncoderLayer) -> nn.Module:
    return TransformerEncoder.from_layers([layer(12, 3, 20) for _ in range(2)])


def test_ones_own_encoder_is_walked() -> None:
    front = Front(labs.ShapeTracer(encoder())).ready()
    assert "through your TransformerEncoder: 2 layers, d_model 12, 3 heads" in front.last["summary"]
    choices = front.messages[0][0]["form"]["groups"][1]["controls"][0]["choices"]
    assert choices[0] == ["own", "your own"]
    assert repr(front.lab).startswith("ShapeTracer(model=TransformerEncoder, text=")
    assert "through MiniLM" in front.move(encoder="pretrained")["summary"]
    assert "through your" in front.move(encoder="own")["summary"]


def test_an_encoder_that_fails_is_told_and_stood_in_for() -> None:
    class Todo(TransformerEncoderLayer):
        def forward(self, *_: Any, **__: Any) -> Tensor:
            raise NotImplementedError

    front = Front(labs.ShapeTracer(encoder(Todo))).ready()
    assert "Your layer 0 raised NotImplementedError" in front.last["notice"]
    assert "the picture is MiniLM's" in front.last["notice"]
    assert "through MiniLM" in front.last["summary"]
    front.gone()
    assert "through MiniLM" in front.ready().last["summary"]


def test_an_encoder_that_gives_something_else_is_told() -> None:
    class Halved(TransformerEncoderLayer):
        def forward(self, *args: Any, **kwargs: Any) -> Tensor:
            return super().forward(*args, **kwargs) / 2

    front = Front(labs.ShapeTracer(encoder(Halved))).ready()
    assert front.last["notice"].startswith("Layer 0 of your TransformerEncoder does not give what")


# From Python, and without a front end


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"heads": 7, "encoder": "fresh"}, ValueError, "not divisible"),
        (
            {"layer": 3},
            TypeError,
            "There is no setting 'layer'; there are checkpoint, column, d_model",
        ),
        ({"model": "own"}, TypeError, "model must be a torch.nn.Module, not str"),
    ],
)
def test_the_constructor_refuses_in_a_sentence(
    arguments: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        labs.ShapeTracer(**arguments)


def test_there_is_a_still_picture_and_words() -> None:
    lab = labs.ShapeTracer(step=18)
    data, _ = lab._repr_mimebundle_()
    assert "softmax, (B, H, S, S) = (2, 12, 10, 10)" in data["text/plain"]
    assert "encoder_core/attention.py, line" in data["text/plain"]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")
    root = ElementTree.fromstring(data["image/svg+xml"])
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "(B, S, 3D) = (2, 10, 1152)" in texts
    assert len(json.dumps(data)) < 60_000
    assert lab._repr_mimebundle_()[0] == data
    for number in (0, 2, 4, 999):
        lab.set(step=number)
        assert set(lab.still()) == {"text/plain", "image/svg+xml", "image/png"}


def test_a_lab_that_nobody_looks_at_holds_no_numbers(tiny: Front) -> None:
    tiny.gone()
    assert tiny.lab._result is None  # type: ignore[attr-defined]
    tiny.ready()
    assert tiny.drawn() == ["journey", "steps", "pieces"]
