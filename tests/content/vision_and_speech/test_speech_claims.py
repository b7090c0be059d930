"""What the half of chapter 09 that listens says, held against what its own cells compute.

The cells from section 6 on run here one after the other, solved, in one namespace, behind the chapter's first. By day
what no training decides; every night the rest, with the training that all tests share.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from course.content import manuscript
from course.content.recorded import recording
from tests.content import cells
from tests.content.said import right
from tests.sampled import NIGHT, at_night

pytestmark = pytest.mark.slow

CHAPTER = "09_vision_and_speech"
FROM = "frames-section"
OWN = ("frame", "ctc_collapse", "ctc_loss", "word_error_rate")


@pytest.fixture(scope="module")
def chapter(request: pytest.FixtureRequest) -> SimpleNamespace:
    """All names after the last cell, and what was printed."""
    home = request.getfixturevalue("trained" if NIGHT else "rehearsed")
    found = manuscript.read(CHAPTER)
    ids = [cell.id for cell in found]
    chosen = [found[ids.index("setup")], *found[ids.index(FROM) :]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(home))
        return cells.all_of(cells.run_cells(CHAPTER, chosen, OWN))


# 6: frames


def test_of_the_voices_and_the_frames(chapter: SimpleNamespace) -> None:
    splits = [
        {each.source for each in getattr(chapter.spoken, name)}
        for name in ("train", "validation", "test")
    ]
    assert [len(voices) for voices in splits] == [49, 8, 14]
    assert len(set.union(*splits)) == 71
    assert chapter.said.words == ("three", "three", "seven")
    assert tuple(chapter.frames.shape) == (1, 175, 200)
    assert (200 / chapter.spoken.rate, 80 / chapter.spoken.rate) == (0.025, 0.01)
    assert (2 * chapter.spoken.rate) ** 2 == 256e6


def test_what_a_window_takes_away(chapter: SimpleNamespace) -> None:
    bare, under = (10 ** (-level[50].item() / 10) for level in chapter.decibels.values())
    assert 3500 < bare < 4500, "a four-thousandth"
    assert under > 1e9, "less than a billionth"
    near = [int((level > -20).sum()) for level in chapter.decibels.values()]
    assert chapter.decibels["under a window"][24] > -20  # the peak is wider close by
    assert all(near)
    assert right("speech.window").startswith("A small part of the power")


def test_mels_and_logarithms(chapter: SimpleNamespace) -> None:
    assert int((chapter.centres < 1000).sum()) == 18
    assert [round(mel) for mel in chapter.mels.tolist()] == [607, 1000, 1521, 2146]
    assert chapter.loud < 0.1, "vowels and nothing else"
    assert chapter.twice.max().item() == pytest.approx(math.log10(4), abs=1e-4)
    assert chapter.twice.min().item() > -1e-4
    assert right("speech.log-mel").startswith("A constant for each band")


# 7: CTC


def test_of_the_paths(chapter: SimpleNamespace) -> None:
    assert chapter.ctc_collapse([3, 3, 3, 3, 3, 3, 7, 7, 7], 0) == [3, 7]
    assert (
        right("speech.blank")
        == "“three seven”: without a blank between them two equal words are one."
    )
    assert chapter.steps == 44
    assert chapter.hearing.path_count(3, 44) == 10_737_573
    assert right("speech.sum") == "Six."
    assert chapter.hearing.path_count(1, 3) == 6


def test_the_sum_is_the_loss_and_the_gradient_the_share_of_the_paths(
    chapter: SimpleNamespace,
) -> None:
    assert round(chapter.total, 2) == 0.41
    assert chapter.mine.item() == pytest.approx(-math.log(chapter.total), abs=1e-6)
    assert chapter.torchs.item() == pytest.approx(chapter.mine.item(), abs=1e-6)
    p = chapter.p.tolist()
    assert p[0][0] * p[1][1] * p[2][0] == pytest.approx(0.21, abs=1e-6)
    share = chapter.p - chapter.logits.grad  # (N, V)
    paths = {(0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 1, 0), (1, 1, 1)}
    for step in range(3):
        own = sum(
            math.prod(p[n][symbol] for n, symbol in enumerate(path))
            for path in paths
            if path[step] == 1
        )
        assert share[step, 1].item() == pytest.approx(own / chapter.total, abs=1e-5)


# 8: the reader


def test_what_the_nearest_words_reach(chapter: SimpleNamespace) -> None:
    (found,) = chapter.sounds.plain_baselines("test").values()
    assert 0.075 < found["errors"] < 0.083


@at_night
def test_what_the_reader_reaches(chapter: SimpleNamespace) -> None:
    (nearest,) = chapter.sounds.plain_baselines("test").values()
    assert chapter.heard.test["errors"] < nearest["errors"]
    assert chapter.heard.metrics["errors"] < 0.08
    assert chapter.wrong_at != chapter.right_at
    assert chapter.written_words[chapter.right_at] == chapter.spoken_words[chapter.right_at]


def test_what_it_writes_first(chapter: SimpleNamespace) -> None:
    assert right("speech.first") == "Nothing but blanks."
    shares = list(chapter.early.values())  # none where the result was kept
    assert not shares or (max(shares) == 1 and shares[-1] < 0.3)


def test_what_is_recorded_is_of_this_code() -> None:
    from course.content.vision_and_speech import sounds

    found = recording("vision_and_speech.spoken")
    for name, row in found.rows.items():
        if name in sounds.KINDS:
            assert row.key == sounds.KINDS[name]().key, f"record {name!r} again"
    assert found.rows["as in the chapter"].seeds == [0, 1, 2]


def test_what_changed_voices_add() -> None:
    rows = recording("vision_and_speech.spoken").rows
    own, plain = rows["as in the chapter"], rows["49 voices as they are"]
    assert own.spread("test", "errors").high <= 0.011, "at most one in a hundred"
    assert round(plain.spread("test", "errors").median, 2) == 0.18
    assert own.spread("test", "accent").low > 3 * own.spread("test", "errors").high
    found = own.spread("validation", "errors")
    assert 0.045 < found.low <= found.high < 0.065, "five or six in a hundred"
    assert found.low > own.spread("test", "errors").high
    assert round(rows["the nearest word, cut out"].spread("validation", "errors").median, 2) == 0.04


def test_what_convolutions_do_in_the_place_of_attention() -> None:
    rows = recording("vision_and_speech.spoken").rows
    own, rival = rows["as in the chapter"], rows["convolutions for attention"]
    test, validation = (rival.spread(split, "errors").median for split in ("test", "validation"))
    assert own.spread("test", "errors").high == pytest.approx(test, abs=0.002), "about as many"
    assert round(validation, 2) == 0.09
    assert validation > own.spread("validation", "errors").high
    assert test < rows["49 voices as they are"].spread("test", "errors").median / 5


# 9: where the word is


@at_night
def test_peaks_stand_on_a_floor_of_blanks(chapter: SimpleNamespace) -> None:
    assert chapter.blank_share > 0.6
    assert chapter.inside > 0.9, "nearly always"
    assert right("speech.peaks").startswith("At one or a few")
    assert (chapter.apart.diff(dim=1) > 0).all(), "from the first head to the last"
    assert round(chapter.seconds_each / 3, 2) == 0.58
