"""The embedding lab: neighbours, the map's axes, analogies, and the learner's own similarity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course import labs
from course.labs.embedding.compute import Settings, Similarities, compute, map_of, rank
from course.labs.embedding.view import map_series
from course.labs.embedding.words import ANALOGIES, GROUPS, group, table, vector
from encoder_core.pretrained.minilm import load_minilm
from tests.close import assert_minilm_close as assert_close
from tests.labs.front import Front


def test_vectors_are_minilms() -> None:
    model, tokenizer = load_minilm()
    weight = model.embeddings.token.weight
    for word in ("king", "paris", "strolled"):
        found = vector(word)
        assert found is not None
        assert torch.equal(found, weight[tokenizer.vocabulary[word]])
    assert vector("##ing") is None
    assert vector("notaword") is None
    assert all(len(group(name)) > 25 for name in GROUPS)


def test_neighbours_are_the_largest_cosines() -> None:
    found = compute(Settings("monday"), Similarities({}))
    monday = vector("monday")
    assert monday is not None
    similar = F.cosine_similarity(monday[None], table().vectors)  # (V,)
    order = similar.argsort(descending=True)[1:11].tolist()
    assert [word for word, _ in found.near] == [table().words[i] for i in order]
    assert_close([share for _, share in found.near], similar[order])


@pytest.mark.parametrize("name", GROUPS)
def test_the_maps_axes_are_principal_components(name: str) -> None:
    plane = map_of(name)
    rows = F.normalize(torch.stack([vector(word) for word in plane.words]), dim=-1)  # type: ignore[arg-type]
    variances, axes = torch.linalg.eigh((rows - rows.mean(0)).T @ (rows - rows.mean(0)))
    shares = (variances / variances.sum()).flip(0)[:2]
    assert_close(plane.shares, shares)
    alike = (plane.axes @ axes[:, -2:].flip(1)).abs()
    np.testing.assert_allclose(alike, np.eye(2), atol=1e-3)
    places = plane.places(rows)
    assert_close(places.mean(axis=0), 0, scale=np.abs(places).max())


def test_the_inputs_come_first_unless_they_are_left_out() -> None:
    similarities = Similarities({})
    kept = compute(Settings(exclude=False), similarities)
    left = compute(Settings(exclude=True), similarities)
    assert kept.answers[0][0] == kept.nearest[0] == "king"
    assert left.answers[0][0] == "queen"
    assert left.nearest[0] == "king"  # it is told whatever is left out


def test_ranks_are_counted_as_they_are_shown() -> None:
    similarities = Similarities({})
    scores = similarities.scores()
    for each, (place, with_inputs, _) in zip(ANALOGIES, scores, strict=True):
        inputs = (each.a, each.b, each.c)
        ranked = [word for word, _ in similarities.ranking(*inputs)]
        if with_inputs <= len(ranked):
            assert ranked[int(with_inputs) - 1] == each.expected
            others = [word for word in ranked if word not in inputs]
            assert others[int(place) - 1] == each.expected
    by_name = {str(each): score for each, score in zip(ANALOGIES, scores, strict=True)}
    assert by_name["king − man + woman = queen"][:2] == (1, 2)
    assert by_name["doctor − man + woman = nurse"][0] > 10
    # Most analogies hold only because the inputs are left out.
    hold = [score for score in scores if score[0] == 1]
    assert len(hold) > 10
    assert sum(score[1] == 1 for score in hold) <= 1


def test_a_rank_leaves_out_what_is_nearer_only() -> None:
    words = table().words
    similar = -torch.arange(len(words), dtype=torch.float32)  # the first is the nearest
    assert rank(similar, words[3], ()) == 4
    assert rank(similar, words[3], (words[0], words[9])) == 3
    assert rank(similar, words[3], (words[3],)) == 4


def test_each_word_is_on_the_map_once() -> None:
    asked = Settings("queen", "people")
    found = compute(asked, Similarities({}))
    series = [one for one in map_series(asked, found) if one.labels is not None]
    shown = [word for one in series for word in one.labels or ()]
    assert len(shown) == len(set(shown))
    assert set(found.map.words) | {word for word, _ in found.near} <= set(shown)


def test_what_is_moved_is_answered() -> None:
    front = Front(labs.EmbeddingLab()).ready()
    assert "The analogy holds: “queen” comes at rank 1" in front.last["summary"]
    answer = front.move(word="Paris ")
    assert "Nearest to “paris”: france (0.51)" in answer["summary"]
    assert front.move(neighbour=0)["values"]["word"] == "france"
    answer = front.move(example=5)
    assert [answer["values"][name] for name in "abc"] == ["doctor", "man", "woman"]
    assert "The analogy does not hold: “nurse”" in answer["summary"]
    front.move(exclude=False)
    assert front.panels["answers"]["row_labels"][0] == "doctor (put in)"
    front.move(group="places")
    assert front.drawn().count("map") == 1
    assert front.size < 8_000
    chosen = front.panels["map"]["chosen"]
    assert front.panels["map"]["series"][chosen[0]]["labels"][chosen[1]] == "france"


def test_what_cannot_be_is_told_and_the_picture_stays() -> None:
    front = Front(labs.EmbeddingLab()).ready()
    answer = front.move(word="tokenization")
    assert "it is read as token ##ization" in answer["notice"]
    assert answer["panels"] == []
    assert front.move(word="")["notice"].startswith("A word is missing")
    assert front.move(word="token")["notice"] == ""
    with pytest.raises(ValueError, match="The group must be one of people"):
        labs.EmbeddingLab(group="plants")
    with pytest.raises(TypeError, match="similarity must be a function"):
        labs.EmbeddingLab(similarity=1)  # type: ignore[arg-type]


def test_the_learners_similarity_ranks() -> None:
    def products(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a @ b.T

    front = Front(labs.EmbeddingLab(similarity=products)).ready()
    king = vector("king")
    assert king is not None
    best = (table().vectors @ king).topk(2)
    shown = np.frombuffer(front.data["near"]["numbers"], "<f4")
    expected = [
        v for i, v in zip(best.indices, best.values, strict=True) if table().words[i] != "king"
    ]
    assert shown[0] == pytest.approx(float(expected[0]), rel=1e-4)
    assert "Computed by your own products." in front.last["summary"]
    assert repr(front.lab) == "EmbeddingLab(similarity=products)"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda a, b: None, "returned NoneType"),
        (lambda a, b: a @ a.T, "expected a tensor of (36, "),
        (lambda a, b: (a @ b.T) / 0, "NaN or infinity"),
        (lambda a, b: a @ b, "raised RuntimeError"),
    ],
)
def test_a_function_that_fails_is_told_and_the_reference_stands_in(made: object, told: str) -> None:
    lab = labs.EmbeddingLab(similarity=made)  # type: ignore[arg-type]
    shown = lab.still()["text/plain"]
    assert told in shown
    assert "Nearest to “king”: kings" in shown


def test_the_still_picture_is_the_same_each_time() -> None:
    first, second = (labs.EmbeddingLab(word="two", group="verbs").still() for _ in range(2))
    assert first == second
    assert ">walked<" in first["image/svg+xml"]
