"""What the chapter's prose and its questions say, held against what its own cells compute.

The code cells run here one after the other, solved, in one namespace. By day what no training decides; every night
the rest, with the trainings that all tests share.
"""

from __future__ import annotations

import math
import re
from types import SimpleNamespace

import pytest

from encoder_core.generation.scores import chrf, corpus_bleu
from tests.content import cells
from tests.content.said import printed, right
from tests.sampled import NIGHT, at_night

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chapter(request: pytest.FixtureRequest) -> SimpleNamespace:
    """All names of the chapter after its last cell, and what it printed."""
    home = request.getfixturevalue("trained" if NIGHT else "rehearsed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(home))
        return cells.run_all("08_translation")


# 1 and 2: the task and its tokens


def test_of_the_date_and_the_data(chapter: SimpleNamespace) -> None:
    assert chapter.translated == "1997年3月6日星期四"
    assert "seen in training" in printed(chapter, chapter.date)
    assert chapter.phrases.DATE not in chapter.known
    assert round(len(chapter.data.train), -3) == 22_000
    reached = chapter.phrases.plain_baselines("test", "zh")
    assert all(found["exact"] < 0.005 for found in reached.values())
    assert right("translation.nearest-neighbour").startswith("Never, or next to never")
    assert [len(letters) for letters in chapter.sides.values()] == [64, 193]
    assert len(chapter.table) == len(set.union(*chapter.sides.values())) + 5
    assert printed(chapter, "on both sides").endswith(" ,.0123456789:")
    assert (len(chapter.translated), len(chapter.date)) == (12, 23)


# 3: smoothing


def test_where_the_smoothed_loss_wants_to_go(chapter: SimpleNamespace) -> None:
    assert chapter.best == pytest.approx(math.log(91), abs=0.05)
    assert chapter.smoothed.min().item() == pytest.approx(chapter.entropy, abs=1e-3)
    assert round(chapter.entropy, 2) == 0.5
    plain = chapter.losses["smoothing 0.0"]
    assert plain == sorted(plain, reverse=True), "it falls for ever"
    assert chapter.smoothed[-1] > chapter.smoothed.min() + 0.5
    assert right("translation.smoothed-minimum").startswith("About 0.5")


def test_what_smoothing_does_to_certainty(chapter: SimpleNamespace) -> None:
    plain, smoothed = chapter.fitted[0.0], chapter.fitted[0.1]
    assert 0.77 < plain.accuracy < 0.84, "four cases of five"
    assert plain.certainty - plain.accuracy > 0.1
    assert abs(smoothed.certainty - smoothed.accuracy) < 0.05, "what it claims, it keeps"
    assert 0.01 < plain.accuracy - smoothed.accuracy < 0.045, "3 points"
    assert smoothed.nll < plain.nll - 0.15
    assert smoothed.largest < plain.largest / 2


# 4 and 5: the training, and where it looks


@at_night
def test_what_a_minute_reaches(chapter: SimpleNamespace) -> None:
    reached = chapter.trained.test
    assert reached["exact"] > 0.975
    assert reached["decades"] > 0.9
    assert chapter.phrases.translate(chapter.model, [chapter.date], "zh") == [chapter.translated]


@at_night
def test_the_last_layer_looks_at_the_number_that_it_writes(chapter: SimpleNamespace) -> None:
    first, second = chapter.on_number
    assert second.max() > 0.95
    assert second.min() > 0.8, "all of its heads"
    assert first.min() < 0.4
    assert 1 / 8 < chapter.even < 1 / 6, "a seventh"
    assert chapter.layer == 1
    looked = chapter.aligner.argmax(dim=-1).tolist()  # for 1997年3月6日星期四 and the end
    assert looked[:4] == [19, 20, 21, 22]
    assert chapter.date[looked[5]] in "March"
    assert 10 <= looked[5] <= 14
    assert looked[7] == 16
    assert right("translation.where-for-the-month") == "At letters of <i>March</i>."


@at_night
def test_a_swapped_memory_is_read_from_there_on(chapter: SimpleNamespace) -> None:
    written = chapter.demonstrations.write_and_swap(
        chapter.model, chapter.date, "Sunday, October 13, 2024", "zh"
    )
    assert written[0] == " | 2024年10月13日星期日"
    assert written[1].startswith("1997 | ")
    assert written[1].endswith("10月13日星期日")
    assert written[2].startswith("1997年3 | ")
    assert written[3].startswith("1997年3月6 | ")
    assert written[3].endswith("日星期日")


# 6: scores


def test_what_scores_see(chapter: SimpleNamespace) -> None:
    reference = chapter.reference
    score = {
        name: (chapter.bleu([list(text)], [list(reference)]), chapter.chrf([text], [reference]))
        for name, text in chapter.answers.items()
    }
    for name, text in chapter.answers.items():
        theirs = corpus_bleu([list(text)], [list(reference)]), chrf([text], [reference])
        assert score[name] == pytest.approx(theirs)
    assert score["right"] == pytest.approx((1, 1))
    assert abs(score["one digit wrong"][0] - score["no weekday"][0]) < 0.03
    assert score["another order"][0] < score["no weekday"][0]
    assert score["two characters too many"][1] > 0.95 > score["two characters too many"][0] + 0.1
    assert score["another date"][0] == 0 < score["another date"][1]
    assert chapter.alone == [0.0, 1.0]
    assert printed(chapter, "together").endswith("1.0")
    assert printed(chapter, "right answers, split").endswith("0.00")


def test_a_wrong_digit_costs_little(chapter: SimpleNamespace) -> None:
    wrong, few = chapter.wrong_everywhere, chapter.wrong_at_times
    of = {name: [list(text) for text in texts] for name, texts in (("all", wrong), ("few", few))}
    assert 0.7 < chapter.bleu(of["all"], chapter.expected) < 0.85
    assert round(chapter.bleu(of["few"], chapter.expected), 3) == 0.995
    exact = sum(map(str.__eq__, wrong, chapter.references)) / len(wrong)
    assert round(exact, 2) == 0.12, "the phrases without a digit"
    assert right("translation.one-digit") == "Above 70."


# 7: beams


def test_beams_on_the_models_made_by_hand(chapter: SimpleNamespace) -> None:
    lines = [line for line in chapter.printed if line.startswith("a beam of") and "%" not in line]
    assert lines[:3] == ["a beam of 1: 6月3日", "a beam of 2: 3月6日", "a beam of 3: 3月6日"]
    assert right("translation.beam-of-two").startswith("3月6日, with 0.38")
    whole = chapter.reference
    assert chapter.found == {
        (width, alpha): "" if width > 1 and alpha == 0 else whole
        for width in (1, 2, 10)
        for alpha in (0.0, 0.6)
    }
    assert right("translation.empty") == "The empty text."


def test_a_beam_changes_little_where_the_model_is_sure(chapter: SimpleNamespace) -> None:
    greedy, beam = chapter.reached.values()
    assert abs(greedy - beam) < 0.01


# 8: the unseen


@at_night
def test_one_list_a_row_teaches_roles(chapter: SimpleNamespace) -> None:
    lengths = chapter.demonstrations.list_lengths(chapter.plain.model, chapter.lists, "zh")
    for places in (2, 3, 4):
        assert lengths[places][places] > 0.9 * lengths[places].total()
    for places in (5, 6):
        assert lengths[places][4] > 0.7 * lengths[places].total(), "it makes four of them"
    assert right("translation.longer-lists").startswith("A list of four")
    assert chapter.roles[0, 0] > 0.9, "the first"
    assert chapter.roles[3, 5] > 0.9, "the last"
    assert chapter.roles[2, 4] > 0.5, "the one before the last"
    assert chapter.roles[1, 1:4].max() < 0.9, "one in between"


@at_night
def test_several_phrases_a_row_teach_order(chapter: SimpleNamespace) -> None:
    assert chapter.trained.test["lists"] > 0.5
    assert chapter.trained.test["decades"] > 0.95
    assert right("translation.never-seen").startswith(
        "Most of the lists, and nearly all of the decades"
    )


def test_rows_and_short_looks_help_together(chapter: SimpleNamespace) -> None:
    lists = [chapter.recorded.rows[name].spread("test", "lists").median for name in chapter.rows_of]
    assert lists == sorted(lists), "neither, the rows alone, the short look alone, both"
    assert 0.1 < lists[1] < lists[2] < 0.5, "neither is enough"
    assert 0.85 < lists[3] < 0.95, "nearly nine in ten"
    for name in chapter.rows_of:
        assert chapter.recorded.rows[name].spread("test", "decades").median > 0.99


def test_no_year_of_training_has_five_or_eight_as_its_third_digit(
    chapter: SimpleNamespace,
) -> None:
    years = [each for text in chapter.known for each in re.findall(r"\b(?:19|20)\d\d\b", text)]
    assert len(years) > 1000
    dates = [text for text in chapter.known if re.search(", (19|20)[0-9]{2}$", text)]
    assert not [text for text in dates if text[-2] in "58"]


@at_night
def test_where_it_looks_when_a_name_begins(chapter: SimpleNamespace) -> None:
    roles, order = chapter.of_six_names.values()
    assert order.diagonal().min() > 0.6
    assert roles[2:5, 4].min() > 0.5, "the column of the one before the last"
    assert order[2:4, 4].max() < 0.3


@at_night
def test_outside_of_its_world(chapter: SimpleNamespace) -> None:
    written = dict(
        zip(
            chapter.outside,
            chapter.phrases.translate(chapter.model, chapter.outside, "zh"),
            strict=True,
        )
    )
    assert written["Wednesday, July 4, 1776"] == "1776年7月4日星期三"
    assert written["Sunday, March 6, 1997"] == "1997年3月6日星期日"
    assert "百万" not in written["one million euros"]


# 9: history


def test_the_longer_the_source_the_less_one_vector_carries(chapter: SimpleNamespace) -> None:
    rows = chapter.of_history.rows
    median = {
        name: [row.spread("test", f"lists of {count}").median for count in ("two", "three", "four")]
        for name, row in rows.items()
    }
    vector, attention = median["one vector"], median["attention"]
    assert vector[0] > 0.9 > 0.7 > vector[1] > vector[2]
    assert min(attention) > 0.9
    assert all(row.spread("test", "lists of five and six").median < 0.1 for row in rows.values())
    written = rows["one vector"].runs[0]["shown"]["written"][-1]
    assert written == "马来西亚、马来西亚、马来西亚和挪威", "the first and the last are right"
    assert right("translation.which-falls").startswith("Those two that look back at the source")
    chains = chapter.chains
    assert len(set(chains["Transformer"])) == 1
    assert chains["one vector"] == sorted(set(chains["one vector"]))


# 10: real text


def test_the_dictionary_that_is_counted(chapter: SimpleNamespace) -> None:
    found = chapter.demonstrations.dictionary(["file", "table"], count=1)
    assert [pairs[0][0] for pairs in found.values()] == ["文件", "表格"]
    words = sum(len(pair.text.split()) for pair in chapter.help_pairs.train)
    assert round(words, -3) == 188_000
