"""The stack lab as its front end sees it: messages in, messages out."""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from torch import nn

from course import labs, use
from course.labs.faults import OwnFailed
from course.labs.stack import widget as widget_module
from course.labs.stack.compute import compute
from course.labs.stack.settings import Settings
from tests.close import assert_minilm_close as assert_close
from tests.labs.front import Front

TINY = {"text": "A cat sat.", "depth": 3, "d_model": 16, "heads": 2}
ALL = ["gradients", "similarity", "norms", "cosines"]


@pytest.fixture
def tiny() -> Front:
    """A view of a small stack, drawn once."""
    return Front(labs.StackLab(**TINY)).ready()


def lines(front: Front, panel: str) -> list[np.ndarray[Any, Any]]:
    """The ys of a plot's series, as the front end reads them."""
    numbers = np.frombuffer(front.data[panel]["numbers"], "<f4")
    found, start = [], 0
    for series in front.panels[panel]["series"]:
        count = series["count"]
        found.append(numbers[start + count : start + 2 * count])
        start += 2 * count
    return found


def cosines(front: Front) -> np.ndarray[Any, Any]:
    codes = np.frombuffer(front.data["cosines"]["cells"], np.uint16).astype(float)
    side = len(front.panels["cosines"]["row_labels"])
    numbers = 2 * codes.reshape(side, side) / 65534 - 1
    return np.where(codes.reshape(side, side) == 65535, np.nan, numbers)


def test_the_picture_is_what_was_computed(tiny: Front) -> None:
    assert tiny.last["form"]["lab"] == "stack"
    assert tiny.drawn() == ALL
    (walk,) = compute(Settings(**TINY))  # type: ignore[arg-type]
    for name in ("gradients", "similarity", "norms"):
        np.testing.assert_array_equal(lines(tiny, name)[0], getattr(walk, name))
    np.testing.assert_allclose(cosines(tiny), walk.cosines[3], atol=0.005)
    assert tiny.panels["gradients"]["chosen"] == [0, 2]
    assert tiny.panels["norms"]["chosen"] == [0, 3]


def test_the_words_say_the_cosine_that_is_read_in_the_picture(tiny: Front) -> None:
    matrix = cosines(tiny)
    for column in range(len(matrix)):
        drawing = tiny.move(row=0, column=column)
        said = drawing["summary"].split("have the cosine ")[1].split()[0]
        assert said.rstrip(".") == f"{matrix[0, column]:z.3f}".replace("-", "−")


def test_choosing_a_layer_computes_nothing(tiny: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("computed again")

    monkeypatch.setattr(widget_module, "compute", refuse)
    tiny.move(encoder=0, layer_shown=1)
    assert tiny.drawn() == ALL
    assert len(tiny.messages[-1][1]) == 1  # the matrix; the lines are there already
    walk = compute(Settings(**TINY))[0]  # type: ignore[arg-type]
    np.testing.assert_allclose(cosines(tiny), walk.cosines[1], atol=0.005)
    assert tiny.move(encoder=0, gradient_of=0)["values"]["layer_shown"] == 1
    answer = tiny.move(row=1, column=2)
    assert tiny.messages[-1][1] == []
    assert "after layer 1, “a” and “cat” have the cosine" in answer["summary"]
    with pytest.raises(AssertionError, match="computed again"):
        tiny.move(seed=3)


def test_minilm_and_kept_lines_stand_beside(tiny: Front) -> None:
    tiny.move(minilm=True)
    names = [series["name"] for series in tiny.panels["norms"]["series"]]
    assert names == ["this stack", "MiniLM"]
    tiny.move(encoder=1, layer_shown=6)
    assert tiny.panels["cosines"]["caption"].startswith("MiniLM, after layer 6")
    answer = tiny.move(keep=True)
    assert answer["values"]["has_kept"]
    answer = tiny.move(residual=False)
    names = [series["name"] for series in tiny.panels["norms"]["series"]]
    assert names == ["this stack", "MiniLM", "kept: 3, post-norm, xavier"]
    now, _, kept = lines(tiny, "similarity")
    assert now[-1] > 0.9
    np.testing.assert_array_equal(kept, compute(Settings(**TINY))[0].similarity)  # type: ignore[arg-type]
    assert "Kept: 3, post-norm, xavier beside it" in answer["summary"]
    assert not tiny.move(drop=True, minilm=False)["values"]["has_kept"]
    assert len(tiny.panels["norms"]["series"]) == 1
    assert tiny.panels["cosines"]["caption"].startswith("This stack")


def test_the_words_tell_what_is_to_be_seen() -> None:
    lab = labs.StackLab(residual=False)
    told = lab.drawing().summary
    assert "from layer 2 on they are all alike" in told
    assert "sets them to √d_model = 8" in told
    lab.set(residual=True, norm_first=True)
    assert "nothing shortens it until the final norm" in lab.drawing().summary
    lab.set(initialisation="large")
    assert "explode on the way back" in lab.drawing().summary
    lab.set(layer_norm=False)
    assert "larger than float32 can hold" in lab.drawing().summary
    assert "all alike" not in labs.StackLab(norm_first=True).drawing().summary
    lab.set(layer_norm=False, residual=False, initialisation="normal")
    assert "next to nothing reaches any layer's weights" in lab.drawing().summary
    assert "it may lag" not in lab.drawing().summary
    assert "a moment" not in lab.drawing().summary
    lab.set(depth=24, d_model=128, text="word " * 40, minilm=True)
    assert "million multiplications: it may lag" in lab.drawing().summary
    assert "A new seed draws 4.7 million weights" in lab.drawing().summary
    assert "MiniLM's gradients of a new text take a moment" in lab.drawing().summary


def test_every_update_is_small() -> None:
    front = Front(labs.StackLab(text="word " * 62, depth=24, minilm=True)).ready()
    front.move(keep=True)
    for change in ({"seed": 1}, {"layer_shown": 3}, {"norm_first": True}, {"residual": False}):
        assert front.move(**change)["notice"] == ""
        assert front.size < 20_000


@pytest.mark.parametrize(
    "change",
    [
        {"heads": 3},
        {"depth": None},
        {"depth": 25},
        {"text": ""},
        {"text": "word " * 99},
        {"dropout": 1.0},
        {"initialisation": "zeros"},
        {"residual": "yes"},
    ],
)
def test_an_invalid_setting_is_told_and_the_picture_stays(
    tiny: Front, change: dict[str, Any]
) -> None:
    answer = tiny.move(**change)
    assert answer["notice"].endswith("Until then the last value that fits holds.")
    assert answer["panels"] == []
    again = {**TINY, "dropout": 0, "initialisation": "xavier", "residual": True}
    assert tiny.move(**again)["notice"] == ""


def test_odd_messages_do_no_harm(tiny: Front) -> None:
    tiny.move(unknown=1, layer_shown="first", row=None, example=3, gradient_of="x", encoder=-4)
    assert tiny.last["notice"] == ""


def test_examples_are_texts_that_can_be_drawn(tiny: Front) -> None:
    groups = tiny.messages[0][0]["form"]["groups"]
    (control,) = [c for g in groups for c in g["controls"] if c["name"] == "example"]
    for value, _ in control["choices"][1:]:
        answer = tiny.move(example=value)
        assert answer["notice"] == ""
        assert answer["values"]["text"] == value


# The learner's own


class Own(nn.TransformerEncoderLayer):
    def __init__(self, *sizes: int, dropout: float = 0.1, norm_first: bool = False) -> None:
        super().__init__(*sizes, dropout=dropout, norm_first=norm_first, batch_first=True)


def test_ones_own_parts_are_named_and_run() -> None:
    def flat(hidden: Any, padding_mask: Any = None) -> Any:
        return hidden[:, 0, 0] * 0 + 0.5

    front = Front(labs.StackLab(layer=Own, similarity=flat, **TINY)).ready()
    assert_close(lines(front, "similarity")[0], 0.5)
    assert "computed with your own Own and your own flat" in front.last["summary"]
    assert "your token_similarity is not the mean cosine" in front.last["summary"]
    assert repr(front.lab).startswith("StackLab(layer=Own, similarity=flat, text='A cat sat.'")
    notice = front.move(residual=False)["notice"]
    assert notice.startswith("Your own Own always has residual connections and layer norms")


def test_the_courses_answers_serve_the_lab() -> None:
    try:
        parts = {
            "layer": use("stacking.EncoderLayer"),
            "similarity": use("stacking.token_similarity"),
        }
    except KeyError:
        pytest.skip("the chapter's exercises are not there")
    lab = labs.StackLab(**parts, **TINY)
    own, reference = lab.shown()[0], compute(Settings(**TINY))[0]  # type: ignore[arg-type]
    assert_close(own.similarity, reference.similarity)
    np.testing.assert_allclose(own.gradients, reference.gradients, rtol=1e-3)
    assert "computed with the reference EncoderLayer" in lab.drawing().summary


def test_a_part_that_never_worked_is_told_and_stood_in_for() -> None:
    def todo(*_: Any, **__: Any) -> Any:
        raise NotImplementedError

    front = Front(labs.StackLab(layer=todo, **TINY)).ready()
    assert front.last["notice"].startswith("Your layer could not be made: NotImplementedError.")
    assert "this course's own parts" in front.last["notice"]
    assert "computed with" not in front.last["summary"]
    reference = Front(labs.StackLab(**TINY)).ready()
    np.testing.assert_array_equal(lines(front, "norms")[0], lines(reference, "norms")[0])
    front.gone()
    front.ready()
    np.testing.assert_array_equal(lines(front, "norms")[0], lines(reference, "norms")[0])


def test_a_part_that_begins_to_fail_keeps_the_last_picture() -> None:
    class Fragile(Own):
        def forward(self, src: Any, *_: Any, **__: Any) -> Any:
            if self.norm_first:
                raise ValueError("pre-norm is not written yet")
            return super().forward(src)

    front = Front(labs.StackLab(layer=Fragile, **TINY)).ready()
    before = lines(front, "norms")[0]
    notice = front.move(norm_first=True)["notice"]
    assert notice == (
        "Your layer raised in layer 1: ValueError: pre-norm is not written yet. "
        "The picture stays as it was."
    )
    np.testing.assert_array_equal(lines(front, "norms")[0], before)
    with pytest.raises(OwnFailed, match="pre-norm is not written yet"):
        front.lab.set(norm_first=True)  # type: ignore[attr-defined]


# From Python, and without a front end


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"heads": 3}, ValueError, "not divisible"),
        (
            {"layers": 3},
            TypeError,
            "There is no setting 'layers'; there are checkpoint, column, d_model",
        ),
        ({"layer": "own"}, TypeError, "layer must be a class, not str"),
        ({"similarity": 3}, TypeError, "similarity must be a function, not int"),
    ],
)
def test_the_constructor_refuses_in_a_sentence(
    arguments: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        labs.StackLab(**arguments)


def test_settings_from_python_are_drawn(tiny: Front) -> None:
    tiny.lab.set(depth=5)  # type: ignore[attr-defined]
    assert tiny.panels["norms"]["series"][0]["count"] == 6
    with pytest.raises(ValueError, match="from 1 to 24"):
        tiny.lab.set(depth=99)  # type: ignore[attr-defined]
    assert tiny.lab.settings["depth"] == 5  # type: ignore[attr-defined]


def test_there_is_a_still_picture_and_words() -> None:
    lab = labs.StackLab(residual=False, norm_first=True)
    data, _ = lab._repr_mimebundle_()
    assert data["text/plain"].startswith("StackLab(text=")
    assert "all alike" in data["text/plain"]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")
    root = ElementTree.fromstring(data["image/svg+xml"])
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("animal") == 2
    assert len(json.dumps(data)) < 60_000
    assert lab._repr_mimebundle_()[0] == data
    assert repr(lab) == repr(labs.StackLab(residual=False, norm_first=True))


def test_a_lab_that_nobody_looks_at_holds_no_numbers(tiny: Front) -> None:
    tiny.gone()
    assert tiny.lab._result is None  # type: ignore[attr-defined]
    tiny.ready()
    assert tiny.drawn() == ALL
