"""The labs' tasks: reached by their controls, not by less, and kept."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

from course import labs, learner
from course.labs.attention.measures import changes
from course.labs.challenges import Challenge, Tasks
from course.labs.embedding.words import ANALOGIES
from course.labs.lab import Lab
from course.labs.packing import pack_bits
from course.labs.tokenizer.compute import Cutter, Settings, history
from course.labs.tokenizer.vocabularies import trained, words_of
from course.learner import lab_tasks
from encoder_core.attention import scaled_dot_product_attention
from encoder_core.positions import sinusoidal_positions
from encoder_core.text.tokenizer import wordpiece
from tests.labs.front import Front

ANNA = "Anna asked Peter to wait at the bank because she had no money."
NOTHING = "There is nothing here."
LABS = {
    "attention": labs.AttentionLab,
    "tokenizer": labs.TokenizerLab,
    "embedding": labs.EmbeddingLab,
    "position": labs.PositionLab,
    "feed_forward": labs.FeedForwardLab,
    "stack": labs.StackLab,
    "shapes": labs.ShapeTracer,
}
ALL = [(lab, task.id) for lab, made in LABS.items() for task in made.tasks.challenges]
Moves = Mapping[str, Any]


class Play(NamedTuple):
    """Moves one after the other that reach a task, and ways that don't."""

    solves: list[Moves]
    misses: list[list[Moves]]
    begins: Moves = MappingProxyType({})  # how the lab starts


def block(length: int, *cells: tuple[int, int]) -> dict[str, Any]:
    """A mask painted with these cells blocked, as the front end sends it."""
    blocked = np.zeros((length, length), dtype=bool)
    for cell in cells:
        blocked[cell] = True
    return {"length": length, "bits": base64.b64encode(pack_bits(blocked)).decode()}


def analogy(start: str) -> int:
    """The number of an example, by how it begins."""
    return next(i for i, each in enumerate(ANALOGIES) if str(each).startswith(start))


def cut_more() -> str:
    """A word that a larger vocabulary cuts into more pieces: which one depends on Python's texts."""
    cutter = Cutter()
    for word in words_of("english"):
        if word.isascii() and word.isalpha():
            counts = [
                len(cut) for _, cut in history(word, Settings(word), cutter) if cut != ("[UNK]",)
            ]
            if counts != sorted(counts, reverse=True):
                return word
    raise AssertionError("no word is cut into more pieces")


def whole(count: int) -> str:
    """So many different words that a vocabulary of 800 entries has whole."""
    found = [
        word for word in list(trained("english", 800))[:800] if word.isalpha() and len(word) > 1
    ]
    return " ".join(found[:count])


def step(kind: str, layer: int | None = 0, encoder: str = "pretrained") -> int:
    """The place of a step in an encoder's walk."""
    steps = labs.ShapeTracer(encoder=encoder).shown().steps
    return next(i for i, each in enumerate(steps) if (each.kind, each.layer) == (kind, layer))


def plays() -> dict[tuple[str, str], Play]:
    """For every task how it is reached, and what is near and not it."""
    painted, narrow = {"mask": "painted"}, {"encoder": "fresh", "d_model": 128, "heads": 8}
    at_she = {"layer": 3, "head": 7, "query": 10, "key": 1}
    two, far = {"curve": "absolute value", "width": 2}, {"length": 128, "position": 0, "other": 106}
    fresh = step("scores", encoder="fresh")
    softmax, words = step("softmax"), whole(8)
    return {
        ("attention", "previous-word"): Play(
            [{"layer": 0, "head": 2}],
            [
                [{"layer": 2, "head": 11}],
                [{"text": "So it is.", "layer": 0, "head": 2}],
                [painted, {"layer": 0, "head": 2}],
            ],
        ),
        ("attention", "one-cell"): Play(
            [painted, at_she, {"painted": block(16, (10, 1))}],
            [
                [painted, at_she, {"painted": block(16, (10, 1), (10, 2))}],
                [painted, at_she, {"painted": block(16, (10, 8))}],
                [painted, {**at_she, "layer": 1, "head": 3}, {"painted": block(16, (10, 1))}],
                [at_she, {"painted": block(16, (10, 1))}],
                [painted, {**at_she, "query": 9}, {"painted": block(16, (10, 1))}],
            ],
            {"text": ANNA},
        ),
        ("attention", "no-root"): Play(
            [narrow, {"scaled": False}, {"temperature": 4}],
            [
                [narrow, {"temperature": 4}],
                [narrow, {"scaled": False}, {"temperature": 3.5}],
                [{"scaled": False}, {"temperature": 5}],
            ],
        ),
        ("attention", "to-padding"): Play(
            [{"padding": 8}, {"layer": 3, "head": 0, "query": 8}],
            [
                [{"padding": 8, "mask": "padding"}, {"layer": 3, "head": 0, "query": 8}],
                [{"padding": 8}, {"layer": 1, "head": 3, "query": 8}],
                [{"padding": 8}, {"layer": 3, "head": 0, "query": 12}],
                [{"padding": 8}, {"layer": 3, "head": 0, "query": 10}],
            ],
        ),
        ("attention", "head-off"): Play(
            [{"layer": 5, "head": 3}, {"head_off": True}],
            [
                [{"layer": 0, "head": 2}, {"head_off": True}],
                [
                    {"layer": 0, "head": 2},
                    {"head_off": True},
                    {"layer": 5, "head": 3},
                    {"head_off": True},
                ],
            ],
        ),
        ("tokenizer", "five-pieces"): Play(
            [{"text": "antidisestablishmentarianism"}, {"kind": "minilm"}],
            [
                [{"text": "antidisestablishmentarianism"}],
                [{"kind": "minilm"}, {"text": "one two three four five"}],
            ],
        ),
        ("tokenizer", "more-pieces"): Play(
            [{"text": f"the {cut_more()}"}, {"piece": 1}],
            [[{"text": f"the {cut_more()}"}], [{"kind": "minilm", "text": cut_more()}]],
        ),
        ("tokenizer", "same-token"): Play(
            [{"kind": "minilm"}, {"text": "☃ and 🦔"}],
            [[{"kind": "words"}], [{"text": "☃ and ☃"}], [{"text": "xylotomy, pneumonoultra"}]],
        ),
        ("tokenizer", "whole-words"): Play(
            [{"text": words}],
            [
                [{"text": whole(7)}],
                [{"kind": "minilm"}, {"text": words}],
                [{"text": words, "step": 13}],
            ],
        ),
        ("embedding", "two-meanings"): Play(
            [{"word": "apple"}], [[{"word": word}] for word in ("monday", "cat", "two", "bank")]
        ),
        ("embedding", "idle"): Play(
            [{"example": analogy("dogs")}],
            [[{"example": analogy("king")}], [{"a": "horses", "b": "horse", "c": "pig"}]],
        ),
        ("embedding", "own-analogy"): Play(
            [{"a": "london", "b": "england"}, {"c": "spain"}],
            [
                [{"a": "tokyo", "b": "japan"}, {"c": "italy"}],
                [{"example": analogy("rome")}],
                [{"a": "horses", "b": "horse", "c": "cat"}],
                [{"a": "london", "b": "england", "exclude": False}, {"c": "spain"}],
            ],
        ),
        ("embedding", "inputs-kept"): Play(
            [{"example": analogy("his")}, {"exclude": False}],
            [[{"example": analogy("his")}], [{"example": analogy("paris")}, {"exclude": False}]],
        ),
        ("position", "back-again"): Play(
            [{"position": 3}, {"other": 47}],
            [
                [{"position": 3}, {"other": 46}],
                [{"position": 3}, {"other": 28}],
                [{"position": 3}, {"other": 3}],
                [{"kind": "learned", "position": 3}, {"other": 47}],
            ],
        ),
        ("position", "indistinguishable"): Play(
            [{"d_model": 2}, {"position": 3, "other": 47}],
            [
                [{"kind": "none"}, {"position": 3, "other": 47}],
                [{"d_model": 4}, {"position": 3, "other": 47}],
                [{"d_model": 2}, {"position": 3, "other": 3}],
            ],
        ),
        ("position", "far-and-alike"): Play(
            [far, {"step": 9}],
            [[far, {"step": 4}], [{**far, "other": 90}, {"step": 9}], [{"kind": "none"}, far]],
        ),
        ("position", "odd-neighbours"): Play(
            [{"kind": "learned"}, {"position": 1}, {"other": 0}],
            [
                [{"kind": "learned"}, {"position": 1}, {"other": 2}],
                [{"kind": "learned"}, {"position": 0}, {"other": 2}],
                [{"position": 1}, {"other": 0}],
            ],
        ),
        ("feed_forward", "two-ramps"): Play(
            [two, {"seed": 1}],
            [[two], [two, {"seed": 1, "step": 20}], [{**two, "width": 3}, {"seed": 2}]],
        ),
        ("feed_forward", "smooth"): Play(
            [{"activation": "gelu"}],
            [
                [{"activation": "gelu", "width": 9}],
                [{"seed": 3}],
                [{"activation": "gelu", "step": 9}],
            ],
        ),
        ("feed_forward", "straight"): Play(
            [{"activation": "none"}, {"curve": "line"}],
            [[{"activation": "none", "width": 32}], [{"curve": "line"}]],
        ),
        ("feed_forward", "negation"): Play(
            [{"text": NOTHING}, {"token": 2}],
            [
                [{"token": 7}],
                [{"text": "It is not here."}, {"token": 2}],
                [{"text": NOTHING}, {"token": 1}],
                [{"text": NOTHING}, {"token": 2, "neuron": 317}],
            ],
        ),
        ("feed_forward", "strongest"): Play(
            [{"text": NOTHING}, {"token": 3}, {"nth": 0}],
            [[{"text": NOTHING}, {"token": 3}, {"nth": 1}], [{"token": 1}, {"nth": 0}]],
        ),
        ("stack", "one"): Play(
            [{"residual": False}],
            [
                [{"layer_norm": False}],
                [{"residual": False, "text": "so so so so"}],
                [{"initialisation": "large"}],
            ],
        ),
        ("stack", "longer"): Play(
            [{"layer_norm": False}, {"depth": 24}],
            [[{"layer_norm": False}], [{"layer_norm": False, "initialisation": "large"}]],
        ),
        ("stack", "level"): Play(
            [{"depth": 24}, {"initialisation": "normal"}],
            [[{"depth": 24}], [{"depth": 23}, {"initialisation": "normal"}]],
        ),
        ("stack", "exploded"): Play(
            [{"initialisation": "large"}, {"norm_first": True}],
            [[{"initialisation": "large"}], [{"initialisation": "large", "layer_norm": False}]],
        ),
        ("stack", "trained"): Play(
            [{"minilm": True}, {"encoder": 1, "layer_shown": 6}],
            [
                [{"minilm": True}, {"encoder": 1, "layer_shown": 5}],
                [{"minilm": True}, {"encoder": 0, "layer_shown": 6}],
                [{"keep": True}, {"encoder": 1, "layer_shown": 6}],
            ],
        ),
        ("shapes", "pairs"): Play(
            [{"step": step("scores")}], [[{"step": step("query")}], [{"step": step("weighted")}]]
        ),
        ("shapes", "zero"): Play(
            [{"step": softmax}, {"item": 1}, {"row": 1, "column": 8}],
            [
                [{"step": softmax}, {"row": 1, "column": 8}],
                [{"step": softmax}, {"item": 1}, {"row": 8, "column": 8}],
                [{"step": softmax}, {"item": 1}, {"row": 1, "column": 5}],
                [{"step": softmax - 1}, {"item": 1}, {"row": 1, "column": 8}],
            ],
        ),
        ("shapes", "most"): Play(
            [{"encoder": "fresh"}, {"heads": 12}, {"step": fresh}],
            [
                [{"encoder": "fresh"}, {"step": fresh}],
                [{"encoder": "fresh", "heads": 12}, {"step": fresh - 1}],
                [{"step": softmax}],
                [{"step": step("activation", 3)}],
            ],
        ),
        ("shapes", "quadratic"): Play(
            [{"text": "so " * 31}], [[{"text": "so " * 30}], [{"encoder": "fresh"}]]
        ),
    }


PLAYS = plays()


def open_lab(lab: str, begins: Moves) -> Front:
    return Front(LABS[lab](**begins)).ready()


def play(front: Front, moves: list[Moves]) -> set[str]:
    """The tasks that are reached after some moves."""
    for moved in moves:
        front.move(**moved)
    return {task["id"] for task in front.challenges if "why" in task}


def test_every_task_is_tried_here() -> None:
    assert set(PLAYS) == set(ALL)
    for made in LABS.values():
        assert 3 <= len(made.tasks.challenges) <= 5


@pytest.mark.parametrize(("lab", "task"), ALL)
def test_a_task_is_reached_by_controls_alone(lab: str, task: str) -> None:
    solves, _, begins = PLAYS[lab, task]
    front = open_lab(lab, begins)
    assert {name for moved in solves for name in moved} <= movable(front.last["form"])
    assert task not in play(front, solves[:-1])
    told = front.told
    assert task in play(front, solves[-1:])
    assert front.told == told + 1
    assert lab_tasks.reached(lab) >= {task}


@pytest.mark.parametrize(("lab", "task"), ALL)
def test_what_is_near_is_not_it(lab: str, task: str) -> None:
    _, misses, begins = PLAYS[lab, task]
    for moves in misses:
        front = open_lab(lab, begins)
        assert task not in play(front, moves), moves
        assert front.last.get("refused", {}) == {}, moves


def movable(form: dict[str, Any]) -> set[str]:
    """The names of what can be moved: controls, and what is chosen in pictures."""
    names = {control["name"] for group in form["groups"] for control in group["controls"]}
    for panel in form["panels"]:
        chooses = panel.get("chooses", [])
        names |= set([chooses] if isinstance(chooses, str) else chooses)
        names |= {panel.get("sends"), panel.get("paints", {}).get("name")}
    return names - {None}


@pytest.mark.parametrize(
    ("lab", "begins"),
    [
        *((lab, {}) for lab in LABS),
        ("attention", {"text": ANNA, "layer": 1, "head": 3, "query": 10, "key": 1}),
        ("stack", {"text": ANNA}),
        ("shapes", {"text": ANNA}),
    ],
)
def test_no_task_is_reached_at_first(lab: str, begins: Moves) -> None:
    made = LABS[lab](**begins)
    assert not any(task.reached(made) for task in made.tasks.challenges)


def own_wordpiece(word: str, vocabulary: Any) -> Any:
    return wordpiece(word, dict.fromkeys(vocabulary, 0))


@pytest.mark.parametrize(
    ("lab", "task", "own"),
    [
        ("attention", "one-cell", {"attention": lambda *args: scaled_dot_product_attention(*args)}),
        ("tokenizer", "more-pieces", {"wordpiece": own_wordpiece}),
        (
            "position",
            "indistinguishable",
            {"sinusoidal": lambda *args: sinusoidal_positions(*args)},
        ),
    ],
)
def test_tasks_work_with_the_learners_own_function(lab: str, task: str, own: Moves) -> None:
    solves, _, begins = PLAYS[lab, task]
    assert task in play(open_lab(lab, {**begins, **own}), solves)


def test_the_picture_is_sent_before_a_task_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def looked(lab: Lab) -> bool:
        sent.append("looked")
        return False

    one = Challenge("one", "Do it.", "Think.", "So it is.", looked)
    monkeypatch.setattr(labs.PositionLab, "tasks", Tasks("position", (one,)))
    front = open_lab("position", {})
    send = front.lab.send
    monkeypatch.setattr(
        front.lab, "send", lambda *args: (sent.append(args[0]["type"]), send(*args))
    )
    front.move(position=9)
    assert sent == ["draw", "looked"]


def test_a_recogniser_that_raises_disturbs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(lab: Lab) -> bool:
        raise RuntimeError("broken")

    bad = Challenge("bad", "Do it.", "Think.", "So it is.", fail)
    good = Challenge("good", "Do that.", "Think.", "So it is.", lambda lab: True)
    monkeypatch.setattr(labs.PositionLab, "tasks", Tasks("position", (bad, good)))
    front = open_lab("position", {})
    assert play(front, [{"position": 9}]) == {"good"}
    assert front.last["values"]["position"] == 9
    assert front.last["notice"] == ""


def test_a_reached_task_is_reached_again_in_the_next_lab() -> None:
    assert play(open_lab("position", {}), PLAYS["position", "back-again"].solves) == {"back-again"}
    front = open_lab("position", {})
    (task,) = [task for task in front.challenges if "why" in task]
    assert task["id"] == "back-again"
    assert play(front, PLAYS["position", "back-again"].solves) == {"back-again"}
    assert front.told == 0
    first = front.lab.first_message()["challenges"]
    assert [task["id"] for task in first if "why" in task] == ["back-again"]


def test_the_reason_is_not_given_away_before() -> None:
    for made in LABS.values():
        for task in made().challenges.content():
            assert set(task) == {"id", "asks", "hint"}


def test_tasks_stand_as_text_and_count_from_python() -> None:
    lab = labs.PositionLab()
    text = repr(lab.challenges)
    assert text.startswith("Tasks: 0 of 4 reached\n1. [to do] Find two positions")
    assert "44 radians" not in text
    lab.set(position=3, other=47)
    text = repr(lab.challenges)
    assert text.startswith("Tasks: 1 of 4 reached\n1. [reached] Find two positions")
    assert "44 radians" in text
    assert lab.challenges.hint(1) == lab.tasks.challenges[0].hint
    for number in (0, 5, -1):
        with pytest.raises(ValueError, match="numbered from 1"):
            lab.challenges.hint(number)


def test_a_lab_without_tasks_sends_none() -> None:
    from tests.labs.panel_lab import PanelLab

    front = Front(PanelLab()).ready()
    assert "challenges" not in front.last
    front.move(line=1)
    assert front.told == 0


def test_words_with_two_meanings_are_found() -> None:
    for word in ("kidney", "paris", "window", "ha", "therapy"):  # as far apart, and of one meaning
        assert play(open_lab("embedding", {}), [{"word": word}]) == set(), word
    for word in ("spring", "apple", "mouse", "may", "python", "bat"):
        assert play(open_lab("embedding", {}), [{"word": word}]) == {"two-meanings"}, word
        assert not lab_tasks.reached("embedding") - {"two-meanings"}
        (learner.home() / "labs.json").unlink()


# What is told when a task is reached


def test_the_attention_labs_reasons() -> None:
    lab = labs.AttentionLab(text=ANNA)
    for text in (ANNA, "The cat sat on the mat, and the dog lay beside it."):
        lab.set(text=text)
        arrays = lab.shown()
        real = arrays.tokens.real
        previous = arrays.weights[:, :, range(1, real), range(real - 1)].mean(-1)  # (N, H)
        assert previous[0, 2] > 0.9
    moved = {}
    lab.set(text=ANNA)
    for head in ((0, 2), (5, 9)):
        lab.set(off=[head])
        moved[head] = changes(lab.shown())[:, 1].max()
    assert round(float(moved[0, 2]), 2) <= 0.11
    assert round(float(moved[5, 9]), 2) == 0.36
    assert round(32**-0.5, 2) == 0.18
    largest = []
    for scaled in (True, False):
        lab.set(off=[], scaled=scaled)
        largest.append(round(float(lab.shown().weights.max(-1).mean()), 2))
    assert largest == [0.53, 0.91]
    lab.set(scaled=True, padding=8)
    arrays = lab.shown()
    assert round(float(arrays.weights[1, 3, 10, arrays.tokens.real :].sum()), 2) == 0.03
    lab.set(mask="padding")
    assert not lab.shown().weights[..., lab.shown().tokens.real :].any()


def test_the_embedding_labs_reasons() -> None:
    lab = labs.EmbeddingLab(word="cat")
    assert lab.shown().near[0][0] == "cats"
    assert sum(kept == 1 for _, kept, _ in lab.scores()) == 1
    assert len(ANALOGIES) == 18


def test_the_position_labs_reasons() -> None:
    turns = 44 / (2 * np.pi)
    assert round(turns) == 7
    assert round(abs(turns - 7) * 360) == 1
    assert (
        round(float(labs.PositionLab(base=100, length=128).shown().similarity[0, 100]), 2) == 0.01
    )
    similarity = labs.PositionLab(kind="learned", length=128).shown().similarity
    neighbours = np.diagonal(similarity, 1)
    assert round(float(neighbours[0]), 2) == 0.28
    assert (neighbours > 0.8).sum() == len(neighbours) - 2


def test_the_feed_forward_labs_reasons() -> None:
    lab = labs.FeedForwardLab(curve="absolute value", width=2, seed=0)
    fit = lab.shown().fit
    slopes, offsets, _, _ = fit.at(240)
    assert len(set(np.sign(slopes))) == 1
    lab.set(seed=5)
    slopes, offsets, _, _ = lab.shown().fit.at(240)
    assert not (np.multiply.outer(fit.x, slopes) + offsets > 0).any()
    for width in (1, 32):
        lab.set(curve="wave", activation="none", width=width)
        assert round(float(lab.shown().fit.losses[-1]), 2) == 0.42
    answers = {}
    for text in (
        "I have never seen it.",
        NOTHING,
        "She cannot come.",
        "It is impossible.",
        "I refuse.",
    ):
        lab.set(text=text)
        reading = lab.shown().reading
        answers |= dict(zip(reading.tokens, reading.answers[3][:, 318].tolist(), strict=True))
    assert min(answers[word] for word in ("nothing", "cannot", "impossible", "refuse")) > 2


def test_the_stack_labs_reasons() -> None:
    lab = labs.StackLab(text=ANNA, residual=False, layer_norm=False)
    assert lab.shown()[0].similarity[2] > 0.99
    lab.set(layer_norm=True)
    assert lab.shown()[0].similarity[2] > 0.99
    lab.set(layer_norm=False)
    gradients = lab.shown()[0].gradients
    assert 5000 < gradients[-1] / gradients[0] < 6000
    lab.set(residual=True, depth=24)
    norms = lab.shown()[0].norms
    assert norms[-1] / norms[0] == pytest.approx(1000, rel=0.05)
    assert (norms[-1] / norms[0]) ** (1 / 24) == pytest.approx(4 / 3, abs=0.02)
    lab.set(layer_norm=True, depth=12, initialisation="large")
    post = lab.shown()[0].gradients
    assert post[0] / post[-1] == pytest.approx(200, rel=0.15)
    lab.set(norm_first=True)
    before = lab.shown()[0].gradients
    assert before[0] / before[-1] == pytest.approx(3000, rel=0.15)
    lab.set(norm_first=False, initialisation="xavier", minilm=True)
    fresh, trained = lab.shown()
    assert round(float(trained.similarity[-1]), 1) == 0.4
    assert round(float(fresh.similarity[-1]), 2) == 0.95
    assert trained.gradients.max() < 3 * trained.gradients.min()
    level = [
        lab.set(depth=24, initialisation="normal", norm_first=first) or lab.shown()[0].gradients
        for first in (False, True)
    ]
    assert all(sizes.max() < 1.5 * sizes.min() for sizes in level)


def test_the_shape_tracers_reasons() -> None:
    trace = labs.ShapeTracer().shown()
    sizes = trace.sizes
    assert sizes["F"] == 4 * sizes["D"]
    assert sizes["F"] / trace.heads == 128  # S at which H S S is S F
    assert (sizes["D"], trace.heads, sizes["D"] / trace.heads) == (384, 12, 32)


# The file


def kept(home: Path) -> Any:
    return json.loads((home / "labs.json").read_text(encoding="utf-8"))


def test_what_is_kept_is_added_to(course_home: Path) -> None:
    lab_tasks.note("attention", "one-cell")
    lab_tasks.note("attention", "no-root")
    lab_tasks.note("stack", "one")
    expected = {"attention": {"one-cell": True, "no-root": True}, "stack": {"one": True}}
    assert kept(course_home) == {"schema": 1, "labs": expected}
    assert lab_tasks.reached("attention") == {"one-cell", "no-root"}
    assert lab_tasks.count() == 3


def test_what_a_newer_course_wrote_stays(course_home: Path) -> None:
    course_home.mkdir()
    newer = {"schema": 2, "medals": [1], "labs": {"cinema": {"a": True}, "stack": {"zz": True}}}
    (course_home / "labs.json").write_text(json.dumps(newer))
    lab_tasks.note("stack", "one")
    newer["labs"]["stack"]["one"] = True  # type: ignore[index, call-overload]
    assert kept(course_home) == newer


@pytest.mark.parametrize(
    "text", ["{", "[]", "\x00", "[" * 100_000, '{"labs": 3}', '{"labs": {"stack": 1}}']
)
def test_a_damaged_file_stops_nothing(course_home: Path, text: str) -> None:
    course_home.mkdir()
    (course_home / "labs.json").write_text(text)
    assert lab_tasks.reached("stack") == set()
    assert lab_tasks.count() == 0
    assert "one" in play(open_lab("stack", {}), PLAYS["stack", "one"].solves)
    assert kept(course_home)["labs"]["stack"] == {"one": True}


def test_the_copy_of_a_damaged_file_is_kept(course_home: Path) -> None:
    course_home.mkdir()
    (course_home / "labs.json").write_text('{"labs": {"sta')
    lab_tasks.note("stack", "one")
    (copy,) = (course_home / "kept").iterdir()
    assert copy.read_text() == '{"labs": {"sta'


def test_a_home_that_cannot_be_written_keeps_tasks_while_the_kernel_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file" / "home"))
    assert play(open_lab("position", {}), PLAYS["position", "back-again"].solves) == {"back-again"}
    front = open_lab("position", {})
    assert [task["id"] for task in front.challenges if "why" in task] == ["back-again"]
    assert not learner.home().exists()
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "another"))
    assert lab_tasks.reached("position") == set()
