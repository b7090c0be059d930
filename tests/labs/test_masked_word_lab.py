"""The masked-word lab: what it blanks, guesses, tells, and refuses."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given
from torch import Tensor, nn

from course import labs
from course.labs.masked_word.compute import Reader, Settings, thinned
from course.labs.masked_word.widget import MaskedWordLab
from course.labs.pieces import SPECIAL, UNKNOWN
from course.system.outputs import with_page
from encoder_core.text.tokenizer import WordPiece
from tests.labs.front import Front
from tests.typed import TYPED, fits_a_notebook

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIALS, "return", "a", "list", "of", "tuples", "the", "file", "##s", "an"]
MASK = WORDS.index("[MASK]")
TEXT = "return a list of tuples"


class Counts(nn.Module):
    """Finds "list" at a blank and else the token itself, the surer the more it has been trained."""

    def __init__(self, sureness: float) -> None:
        super().__init__()
        self.sureness = sureness
        self.calls = 0

    def forward(self, ids: Tensor) -> Tensor:
        self.calls += 1
        best = ids.masked_fill(ids == MASK, WORDS.index("list"))
        return self.sureness * nn.functional.one_hot(best, len(WORDS)).float()


class Moments:
    steps = (0, 100, 1500)

    def __init__(self) -> None:
        self.models = {
            step: Counts(sureness) for step, sureness in zip(self.steps, (0, 2, 6), strict=True)
        }

    def model(self, step: int) -> nn.Module:
        return self.models[step]


@pytest.fixture
def tokenizer() -> WordPiece:
    return WordPiece({word: i for i, word in enumerate(WORDS)})


@pytest.fixture
def lab(tokenizer: WordPiece) -> MaskedWordLab:
    return labs.MaskedWordLab(Moments(), tokenizer, examples=(TEXT, "a file of files"))


def guesses_of(front: Front) -> tuple[list[str], list[float]]:
    numbers = np.frombuffer(front.data["guesses"]["numbers"], "<f4")
    return front.panels["guesses"]["row_labels"], numbers.tolist()


def test_a_blank_is_read_as_a_blank_and_what_was_written_is_kept(lab: MaskedWordLab) -> None:
    front = Front(lab).ready()
    assert front.panels["pieces"]["pieces"] == [
        "[CLS]", "return", "a", "[MASK]", "of", "tuples", "[SEP]",
    ]  # fmt: skip
    assert list(front.data["pieces"]["marks"]) == [SPECIAL, 0, 0, UNKNOWN, 0, 0, SPECIAL]
    labels, numbers = guesses_of(front)
    expected = torch.tensor([6.0, *[0.0] * (len(WORDS) - 1)]).softmax(0)
    assert labels[0] == "list ✓"
    assert numbers[0] == pytest.approx(expected[0].item(), rel=1e-6)
    told = front.last["summary"]
    assert told.startswith("After 1,500 updates the model fills the blank with: “list” (0.97)")
    assert told.endswith("“list”, which was written, has 0.969: rank 1 of 14.")


def test_space_blanks_and_shows_again(lab: MaskedWordLab) -> None:
    front = Front(lab).ready()
    front.move(piece=2, blanks=[3, 2])
    assert front.panels["pieces"]["pieces"][2:4] == ["[MASK]", "[MASK]"]
    labels, _ = guesses_of(front)
    assert labels[0] == "list"
    assert "a ✓" in labels
    front.move(blanks=[])
    assert "[MASK]" not in front.panels["pieces"]["pieces"]
    assert "Blank it to see" in front.last["summary"]
    front.move(blank=True)  # the button does what space does
    assert front.last["values"]["blanks"] == [2]
    front.move(restore=True)
    assert front.last["values"]["blanks"] == []


def test_special_tokens_and_what_is_not_there_are_not_blanked(lab: MaskedWordLab) -> None:
    front = Front(lab).ready()
    front.move(blanks=[0, 6, 40], piece=0)
    assert front.panels["pieces"]["pieces"][0] == "[CLS]"
    assert front.panels["pieces"]["pieces"][-1] == "[SEP]"
    assert "special token" in front.last["summary"]
    front.move(text="a [MASK] of files", blanks=[], piece=2)
    assert front.panels["pieces"]["pieces"][2] == "[MASK]"
    assert front.last["summary"].startswith("After 1,500 updates the model fills the blank with")
    assert "was written" not in front.last["summary"]


def test_the_slider_and_the_curve_go_through_the_moments(lab: MaskedWordLab) -> None:
    front = Front(lab).ready()
    points = np.frombuffer(front.data["history"]["numbers"], "<f4")
    x, y = points.reshape(2, 3)
    assert x.tolist() == [0, 100, 1500]
    chances = [1 / (1 + (len(WORDS) - 1) * np.exp(-sure)) for sure in (0, 2, 6)]
    assert y.tolist() == pytest.approx(chances, rel=1e-5)
    assert front.panels["history"]["chosen"] == [0, 2]
    front.move(moment=0)
    assert front.last["summary"].startswith("After 0 updates")
    assert front.panels["history"]["chosen"] == [0, 0]


def test_looking_at_another_token_asks_no_model(lab: MaskedWordLab) -> None:
    front = Front(lab).ready()
    models = lab._reader.moments.models.values()  # type: ignore[attr-defined]
    before = sum(model.calls for model in models)
    front.move(piece=5)
    assert sum(model.calls for model in models) == before
    front.move(blanks=[5])
    assert sum(model.calls for model in models) == before + 1 + 3  # the picture, and the curve


def test_a_model_alone_has_no_slider(tokenizer: WordPiece) -> None:
    front = Front(labs.MaskedWordLab(Counts(3.0), tokenizer, text=TEXT)).ready()
    form = front.last["form"]
    assert [panel["name"] for panel in form["panels"]] == ["pieces", "guesses"]
    assert "moment" not in [each["name"] for group in form["groups"] for each in group["controls"]]
    assert front.last["summary"].startswith("Here the model")


def test_what_is_invalid_is_told(lab: MaskedWordLab, tokenizer: WordPiece) -> None:
    front = Front(lab).ready()
    assert front.move(text=" ")["notice"].startswith("There is no word in the text yet.")
    assert "at most 300" in front.move(text="a " * 200)["notice"]
    assert "must be places" in front.move(text=TEXT, blanks="3")["notice"]
    assert front.move(blanks=[1])["notice"] == ""
    with pytest.raises(ValueError, match="from -1 to 2"):
        labs.MaskedWordLab(Moments(), tokenizer, text=TEXT, moment=3)
    without = WordPiece({word: i for i, word in enumerate(WORDS[:4])})
    with pytest.raises(ValueError, match="no \\[MASK\\]"):
        labs.MaskedWordLab(Moments(), without)


def test_moments_are_thinned_evenly_with_both_ends() -> None:
    assert thinned(range(5)) == (0, 1, 2, 3, 4)
    many = thinned(range(0, 3000, 7))
    assert len(many) == 10
    assert (many[0], many[-1]) == (0, 2996)
    gaps = np.diff(many)
    assert gaps.max() - gaps.min() <= 7


def test_a_word_in_pieces_is_blanked_piece_by_piece(tokenizer: WordPiece) -> None:
    guesses = Reader(Moments(), tokenizer).read(Settings("the files", blanks=(3,)))
    assert guesses.tokens == ("[CLS]", "the", "file", "##s", "[SEP]")
    assert guesses.asked == (False, False, False, True, False)
    assert guesses.rank(2) == 1
    assert guesses.rank(3) > 1


@given(text=TYPED)
def test_what_is_typed_gives_a_valid_picture(text: str) -> None:
    made = WordPiece({word: i for i, word in enumerate(WORDS)})
    front = Front(labs.MaskedWordLab(Counts(1.0), made, text=TEXT)).ready()
    fits_a_notebook(front.move(text=text, blanks=[1])["summary"])
    still = front.lab.still()
    ElementTree.fromstring(still["image/svg+xml"])
    for page in with_page(still).values():
        fits_a_notebook(page)


def play(front: Front, *moves: dict[str, object]) -> set[str]:
    for move in moves:
        front.move(**move)
    return {each["id"] for each in front.challenges if "why" in each}


def test_tasks_are_reached_by_what_they_ask_for_and_not_by_less(lab: MaskedWordLab) -> None:
    front = Front(lab).ready()
    assert play(front, {"moment": 1}, {"blanks": [3], "piece": 3}) == set()
    assert play(front, {"moment": 2}) == {"sure"}
    # "list" is guessed whatever is blanked: the model of this test reads no context.
    assert play(front, {"blanks": [3, 4, 5]}) == {"sure"}
    assert play(front, {"moment": 0}, {"piece": 2}) == {"sure"}  # 1 / 14 is more than 5 %


class ReadsRight(Counts):
    """As `Counts`, but finds "list" only where it sees "of"; it distrusts "a" wherever it stands."""

    def forward(self, ids: Tensor) -> Tensor:
        logits = super().forward(ids)
        if not (ids == WORDS.index("of")).any():
            logits[ids == MASK] = 6.0 * nn.functional.one_hot(
                torch.tensor(WORDS.index("file")), len(WORDS)
            )
        logits[ids == WORDS.index("a")] = 0.0
        logits[ids == WORDS.index("a"), WORDS.index("an")] = 6.0
        return logits


def test_tasks_that_need_the_words_around(tokenizer: WordPiece) -> None:
    front = Front(labs.MaskedWordLab(ReadsRight(2.0), tokenizer, text=TEXT)).ready()
    assert (
        play(front, {"blanks": [4], "piece": 4}, {"blanks": [3, 4, 5, 1, 2], "piece": 3}) == set()
    )
    assert play(front, {"blanks": [3, 4, 5]}) == {"other-side"}
    assert play(front, {"piece": 1}) == {"other-side"}
    assert play(front, {"piece": 2}) == {"other-side", "doubted"}
