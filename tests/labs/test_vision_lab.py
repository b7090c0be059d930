"""The vision lab: what it computes is the model's own; what is covered, moved, told, and refused."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from course import labs
from course.labs.faults import InvalidSetting
from course.labs.vision.compute import (
    CELLS,
    MOVED,
    OFF,
    TRAINED,
    Reader,
    Selection,
    Settings,
    occlude,
    shuffle,
)
from course.labs.vision.widget import VisionLab
from course.system.outputs import with_page
from encoder_core.inspect.recording import record
from encoder_core.models.vision import VisionTransformer
from tests.close import assert_close
from tests.labs.front import Front
from tests.typed import fits_a_notebook

ALL = ["sentence", "sketch", "answer", "attention", "effect", "read"]
LABELS = [3, 8, 0, 1, 4, 5, 6, 7]
TERMS = 2 * (
    16 + 17 + 16 + 64
)  # of two layers: projections, attention, both sums of the feed-forward
SCALE = 32.0  # no number on the way is larger: the logits before the mean is taken from them


def model(pooling: Any = "first", patch: int = 2, **options: Any) -> VisionTransformer:
    """A model that has learned nothing: its answers differ between the pictures, and are sure."""
    torch.manual_seed(0)
    made = VisionTransformer(8, patch, 10, 16, 2, channels=1, pooling=pooling, **options).eval()
    with torch.no_grad():
        made.classifier.get_parameter("weight").mul_(20)
        logits: Tensor = made(images()[:, None])
        made.classifier.get_parameter("bias").sub_(logits.mean(0))
    return made


def images() -> Tensor:
    """Eight pictures in sixteenths."""
    draw = torch.Generator().manual_seed(1)
    ink = torch.randint(0, 17, (8, 8, 8), generator=draw).float()
    return ink * (torch.rand(8, 8, 8, generator=draw) < 0.4).float() / 16


def probabilities(net: VisionTransformer, picture: Tensor) -> NDArray[np.float32]:
    with torch.no_grad():
        chances: Tensor = net(picture.reshape(1, 1, 8, 8)).softmax(-1)[0]
    return chances.numpy()


def close(found: Any, expected: Any) -> None:
    assert_close(found, expected, dtype=torch.float32, terms=TERMS, scale=SCALE)


# What is computed


@pytest.mark.parametrize("pooling", ["first", "mean"])
@pytest.mark.parametrize("patch", [1, 2, 4])
def test_what_is_read_is_the_models_own(pooling: str, patch: int) -> None:
    net, pictures = model(pooling, patch), images()
    reader = Reader(net, pictures, LABELS)
    result = reader.read(Settings(example=2))
    close(result.chances, probabilities(net, pictures[2]))
    close(result.plain, result.chances)
    with torch.no_grad(), record(net) as recording:
        net(pictures[2].reshape(1, 1, 8, 8))
    close(result.weights, torch.stack([each[0] for each in recording.attention]).numpy())
    assert result.has_class_token == (pooling == "first") == reader.has_class_token
    drawn = reader.read(Settings(pixels=tuple((pictures[2] * 16).long().flatten().tolist())))
    close(drawn.chances, result.chances)


def test_an_effect_is_what_the_model_says_of_the_greyed_image() -> None:
    net, pictures = model(), images()
    reader = Reader(net, pictures)
    result = reader.read(Settings(example=1, occluded=(3,)))
    greyed = pictures[1].clone()
    greyed[0:2, 6:8] = pictures.mean()
    close(result.chances, probabilities(net, greyed))
    close(result.plain, probabilities(net, pictures[1]))
    twice = greyed.clone()
    twice[2:4, 4:6] = pictures.mean()  # patch 6
    change = probabilities(net, twice)[result.winner] - result.chances[result.winner]
    close(result.effects[6], change)
    close(result.effects[3], 0.0)


def test_patches_that_keep_their_positions_may_stand_in_any_order() -> None:
    reader = Reader(model(), images())
    plain = reader.read(Settings(example=4))
    moved = reader.read(Settings(example=4, shuffled=True, seed=3, positions=MOVED))
    stays = reader.read(Settings(example=4, shuffled=True, seed=3))
    assert (moved.order != np.arange(16)).any()
    close(moved.chances, plain.chances)
    close(moved.effects, plain.effects)
    for query in (-1, 5):
        close(moved.attention(1, 0, query)[0], plain.attention(1, 0, query)[0])
    assert np.abs(stays.chances - plain.chances).max() > 0.01
    close(stays.plain, plain.chances)
    shuffled = shuffle(images()[4].reshape(1, 1, 8, 8), stays.order, 2)
    close(stays.chances, probabilities(model(), shuffled))
    off = [
        reader.read(Settings(4, shuffled=shuffled, positions=OFF)).chances
        for shuffled in (False, True)
    ]
    close(off[0], off[1])
    assert np.abs(off[0] - plain.chances).max() > 0.01


@pytest.mark.parametrize("seed", range(4))
def test_a_shuffled_order_is_another_one(seed: int) -> None:
    reader = Reader(model(patch=4), images())
    order = reader.order(Settings(shuffled=True, seed=seed))
    assert sorted(order) == [0, 1, 2, 3]
    assert order.tolist() != [0, 1, 2, 3]
    assert reader.order(Settings(seed=seed)).tolist() == [0, 1, 2, 3]


def test_attention_is_told_in_the_images_order() -> None:
    result = Reader(model(), images()).read(Settings(1, shuffled=True, seed=2))
    row = result.weights[1, 0, 0]  # of the class token
    looks, to_class = result.attention(1, 0, -1)
    close(to_class, row[0])
    close(looks[result.order], row[1:])
    close(looks.sum() + to_class, 1.0)
    place = result.order.tolist().index(7)
    mean = result.weights[1].mean(axis=0)[1 + place]
    close(result.attention(1, -1, 7)[0][result.order], mean[1:])
    without = Reader(model("mean"), images()).read(Settings(1))
    close(without.attention(0, 1, -1)[0], without.weights[0, 1].mean(axis=0))
    assert without.attention(0, 1, -1)[1] == 0.0


def test_pixels_are_prepared_after_they_are_covered() -> None:
    seen: list[Tensor] = []

    def prepare(pixels: Tensor) -> Tensor:
        seen.append(pixels)
        return (pixels - 0.5) / 0.25

    net, pictures = model(), images()
    result = Reader(net, pictures, prepare=prepare).read(Settings(0, occluded=(0,)))
    greyed = occlude(pictures[:1, None], [0], 2, float(pictures.mean()))
    close(result.chances, probabilities(net, (greyed - 0.5) / 0.25))
    assert {tuple(pixels.shape[1:]) for pixels in seen} == {(1, 8, 8)}


def test_how_far_a_drawing_is_from_the_examples() -> None:
    pictures = images()
    reader = Reader(model(), pictures)
    flat = pictures.flatten(1).double()
    apart = (flat[:, None] - flat).square().sum(-1).sqrt()
    close(reader.apart, apart.fill_diagonal_(torch.inf).amin(1).max().item())
    number, distance = reader.nearest(reader.levels[5])
    assert number == 5
    # cdist takes the difference of squares: the root of float32's rounding of 64 terms
    assert distance == pytest.approx(0, abs=(64 * 2**-23) ** 0.5)


# What is refused


def test_what_does_not_fit_is_refused() -> None:
    net, pictures = model(), images()
    with pytest.raises(ValueError, match=r"must be a tensor \(N, 8, 8\).*got \(8, 64\)"):
        Reader(net, pictures.flatten(1))
    with pytest.raises(ValueError, match="Divide scikit-learn's digits by 16"):
        Reader(net, pictures * 16)
    with pytest.raises(ValueError, match="3 labels for 8 images"):
        Reader(net, pictures, [1, 2, 3])
    with pytest.raises(ValueError, match="Linear has no `patch`"):
        Reader(torch.nn.Linear(2, 2), pictures)
    with pytest.raises(ValueError, match=r"of 8 x 8 pixels; it reads \(4, 4\)"):
        Reader(VisionTransformer(4, 2, 10, 16, 2, channels=1), pictures)
    with pytest.raises(ValueError, match="10 logits, and there are 2 names"):
        labs.VisionLab(net, pictures, names=("a", "b"))
    with pytest.raises(ValueError, match="from 0 to 7"):
        labs.VisionLab(net, pictures, example=8)
    with pytest.raises(TypeError, match="no setting 'brush'"):
        labs.VisionLab(net, pictures, brush=1)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (Settings(pixels=(1,)), "64 levels from 0 to 16"),
        (Settings(pixels=(17,) * CELLS), "64 levels from 0 to 16"),
        (Settings(occluded=(16,)), "from 0 to 15"),
        (Settings(seed=-1), "The seed"),
        (Settings(positions="none"), "trained, moved, off"),
    ],
)
def test_an_invalid_setting_is_told(asked: Settings, sentence: str) -> None:
    with pytest.raises(InvalidSetting, match=sentence):
        Reader(model(), images()).read(asked)


def test_positions_that_are_no_table_stay() -> None:
    reader = Reader(model(positions="sinusoidal"), images())
    assert not reader.movable
    with pytest.raises(InvalidSetting, match="no table of learned positions"):
        reader.read(Settings(positions=MOVED))
    form = VisionLab(model(positions="sinusoidal"), images()).form()
    controls = {each["name"]: each for group in form["groups"] for each in group["controls"]}
    assert [value for value, _ in controls["positions"]["choices"]] == [TRAINED]


# What the front end sees


@pytest.fixture
def lab() -> VisionLab:
    return labs.VisionLab(model(), images(), LABELS)


@pytest.fixture
def front(lab: VisionLab) -> Front:
    return Front(lab).ready()


def heat(front: Front, panel: str) -> NDArray[np.float32]:
    return np.frombuffer(front.data[panel]["heat"], "<f4")


def test_the_panels_hold_what_was_computed(front: Front, lab: VisionLab) -> None:
    assert front.drawn() == ALL
    levels = (images()[0] * 16).long().flatten().tolist()
    assert list(front.data["sketch"]["ink"]) == front.last["values"]["pixels"] == levels
    close(front.floats("answer", 1)[:, 0], lab.shown().chances)
    close(heat(front, "effect"), lab.shown().effects)
    close(heat(front, "attention"), lab.shown().attention(-1, -1, -1)[0])
    front.move(query=5, layer=1)
    assert front.drawn() == ["attention"]
    assert front.panels["attention"]["chosen"] == [0, 5]
    assert front.panels["attention"]["caption"] == (
        "Attention of patch 5: layer 1, mean of all heads"
    )
    close(heat(front, "attention"), lab.shown().attention(1, -1, 5)[0])
    assert front.size < 6_000


def test_a_stroke_an_example_and_the_buttons(front: Front, lab: VisionLab) -> None:
    drawn = [16, *front.last["values"]["pixels"][1:]]
    front.move(pixels=drawn)
    assert list(front.data["sketch"]["ink"]) == drawn
    assert front.panels["sketch"]["caption"] == "Your drawing; it began as example 0"
    assert "The nearest example is number 0 (“3”)" in front.last["summary"]
    assert repr(lab) == "VisionLab(pixels=...)"
    front.move(next=True)
    assert front.last["values"]["example"] == 1
    assert front.panels["sketch"]["caption"] == "Example 1, labelled “8”"
    front.move(previous=True)
    front.move(previous=True)
    assert front.last["values"]["example"] == 7
    front.move(pixels=drawn, example=2)  # both in one message, as after a restart
    assert front.last["values"]["pixels"] == drawn
    front.move(example=3)
    assert front.last["values"]["pixels"] == lab.reader.levels[3].tolist()
    front.move(clear=True)
    assert not any(front.last["values"]["pixels"])
    assert front.panels["sketch"]["caption"] == "Your drawing"
    notice = front.move(example=99)["notice"]
    assert notice.startswith("The example must be a whole number from 0 to 7.")
    assert not any(front.last["values"]["pixels"])  # a refused example leaves the drawing
    assert front.move(next=True)["values"]["example"] == 4


def test_patches_are_covered_and_shuffled(front: Front) -> None:
    front.move(occluded=[5, 2, 5])
    assert front.last["values"]["occluded"] == [2, 5]
    assert front.last["values"]["any_occluded"]
    assert np.flatnonzero(np.isnan(heat(front, "effect"))).tolist() == [2, 5]
    assert "Patches 2, 5 are occluded." in front.last["summary"]
    assert front.panels["sentence"].get("positions") is None
    front.move(shuffle=True)
    order = front.panels["sentence"]["order"]
    assert front.panels["sentence"]["positions"] == ["", *map(str, range(16))]
    assert front.panels["read"]["occluded"] == sorted(order.index(patch) for patch in (2, 5))
    picture = np.frombuffer(front.data["read"]["ink"], np.uint8).reshape(8, 8)
    row, column = (2 * each for each in divmod(order[0], 4))
    whole = np.array(front.last["values"]["pixels"]).reshape(8, 8)
    assert (picture[:2, :2] == whole[row : row + 2, column : column + 2]).all()
    front.move(shuffle=True)
    assert front.last["values"]["seed"] == 1
    assert front.panels["sentence"]["order"] != order
    front.move(positions=MOVED)
    moved = front.panels["sentence"]
    assert moved["positions"] == ["", *map(str, moved["order"])]
    front.move(positions=OFF)
    assert front.panels["sentence"]["positions"] == ["", *["–"] * 16]
    assert "No patch has a position." in front.last["summary"]
    front.move(restore=True, uncover=True, positions=TRAINED)
    assert front.panels["sentence"]["order"] == list(range(16))
    assert "Whole and in order" not in front.last["summary"]
    assert not front.last["values"]["rearranged"]


def test_what_no_control_sends_is_refused(front: Front) -> None:
    assert "64 levels" in front.move(pixels="ink")["notice"]
    assert "64 levels" in front.move(pixels=[0.5] * 64)["notice"]
    assert "list of their numbers" in front.move(occluded=3)["notice"]
    assert front.move(patch=99, query=99)["notice"] == ""
    assert front.last["values"]["patch"] == front.last["values"]["query"] == 15


def test_the_still_picture_is_an_svg_with_words(lab: VisionLab) -> None:
    lab.set(occluded=[0, 3], shuffled=True, query=2)
    still = lab.still()
    picture = ElementTree.fromstring(still["image/svg+xml"])
    told = "".join(picture.itertext())
    assert "Example 0, labelled “3”" in told
    assert "Attention of patch 2" in told
    assert "shuffled with seed 0" in still["text/plain"]
    for page in with_page(still).values():
        fits_a_notebook(page)
    assert len(still["image/svg+xml"]) < 60_000


def test_a_selection_outside_is_brought_to_the_nearest(lab: VisionLab) -> None:
    found = lab.fit(lab.shown(), Selection(99, -9, 9, 9, 9, 99))
    assert found == Selection(15, -1, 1, 1, 2, 16)


# Tasks


def reached(front: Front) -> set[str]:
    return {each["id"] for each in front.challenges if "why" in each}


class Answers(VisionTransformer):
    """Says 8 where the middle's left is inked, else 3; patch 0 alone keeps a blank from being 1."""

    def forward(self, images: Tensor) -> Tensor:
        logits = super().forward(images) * 0
        logits[:, 8] = 40 * (images[:, 0, 2:6, 2].mean((1,)) - 0.4)
        logits[:, 1] = 9 * (images[:, 0, :2, :2].mean((1, 2)) < 0.5)
        logits[:, 3] += 5
        return logits


def test_tasks_are_reached_by_what_they_ask_for() -> None:
    torch.manual_seed(0)
    pictures = torch.zeros(2, 8, 8)
    pictures[:, :2, :2] = 1
    pictures[1, 7] = 0.5
    front = Front(labs.VisionLab(Answers(8, 2, 10, 16, 2, channels=1), pictures)).ready()
    assert reached(front) == set()
    begun = front.last["values"]["pixels"]
    eight = np.array(begun).reshape(8, 8)
    eight[2:6, 2] = 16
    spent = eight.copy()
    spent[6] = 16
    front.move(pixels=spent.flatten().tolist())
    assert "three-to-eight" not in reached(front)  # too much ink
    front.move(pixels=(eight * 0).flatten().tolist())
    front.move(pixels=eight.flatten().tolist())
    assert "three-to-eight" in reached(front)
    front.move(example=0, occluded=[3])
    assert "one-patch" not in reached(front)
    front.move(occluded=[0])
    assert "one-patch" in reached(front)
    front.move(occluded=[], shuffle=True, positions=MOVED)
    assert "moved-along" not in reached(front)  # this model's answer depends on pixels alone
    front.move(restore=True, positions=TRAINED)
    assert reached(front) >= {"three-to-eight", "one-patch"}
    blot = np.full(64, 16)
    front.move(pixels=blot.tolist())
    assert "no-digit" in reached(front)


def test_the_task_of_the_positions(front: Front, lab: VisionLab) -> None:
    reader = lab.reader
    plain = reader.read(Settings()).winner
    seeds = {reader.read(Settings(shuffled=True, seed=i)).winner == plain: i for i in range(40)}
    front.move(shuffled=True, seed=seeds[False])
    assert "moved-along" not in reached(front)
    front.move(seed=seeds[True], positions=MOVED)
    assert "moved-along" not in reached(front)  # right either way
    front.move(seed=seeds[False])
    assert "moved-along" in reached(front)
