"""What sections 7 to 12 say, held against what their own cells compute.

The code cells run here one after the other, solved, in one namespace. By day what no training
decides; every night the rest, with the training that all tests share.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from course.content import manuscript
from course.content.generation.experiments import pairs
from tests.content import cells
from tests.content.said import right
from tests.sampled import NIGHT, at_night

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chapter(request: pytest.FixtureRequest) -> SimpleNamespace:
    """All names after the last cell, and what was printed; of sections 1 to 6 the answers alone."""
    home = request.getfixturevalue("trained" if NIGHT else "rehearsed")
    found = manuscript.read("07_generation")
    half = [cell.id for cell in found].index("keywords-section")
    answers = [cell for cell in found[:half] if cell.id == "setup" or cell.exercise]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(home))
        return cells.all_of(cells.run_cells("07_generation", [*answers, USED, *found[half:]]))


USED = manuscript.Cell(  # the parts that the cached training had
    "code", "used", (), None, """
shift_right = use("generation.shift_right")
cross_attention = use("generation.cross_attention")
""")  # fmt: skip


@at_night
def test_the_training_beats_what_needs_no_network(chapter: SimpleNamespace) -> None:
    baselines = chapter.plain_baselines("test")
    copied, nearest = (
        baselines[name]["bleu"] for name in ("the keywords", "the most similar pair's sentence")
    )
    reached = chapter.trained.test["bleu"]
    assert reached > 2 * max(copied, nearest)
    assert reached > 1.4 * baselines["the keywords and a full stop"]["bleu"]


def test_the_size_of_the_model(chapter: SimpleNamespace) -> None:
    parameters = sum(p.numel() for p in chapter.model.parameters())
    assert round(parameters, -4) == 300_000


@at_night
def test_the_memory_is_all_that_the_decoder_knows(chapter: SimpleNamespace) -> None:
    of_memory = chapter.of_memory
    assert of_memory["rows shuffled"] == pytest.approx(of_memory["as it is"], abs=0.002)
    assert of_memory["swapped"] < 0.15 * of_memory["as it is"]
    assert of_memory["zero"] < 0.05 * of_memory["as it is"]
    assert 0.02 < of_memory["keywords shuffled"] < 0.25 * of_memory["as it is"]
    assert right("generation.keywords-shuffled").startswith("Less than a quarter")


@at_night
def test_beams_make_it_no_longer_and_little_better(chapter: SimpleNamespace) -> None:
    (greedy, long), (plain, short) = chapter.beams[1, 0.0], chapter.beams[4, 0.0]
    assert short <= long + 0.01
    assert abs(plain - greedy) < 0.03
    assert chapter.beams[4, 2.0][1] > short
    assert chapter.on_test > 0.36
    assert chapter.on_test > chapter.trained.test["bleu"]
    assert right("generation.wider-beams").startswith("The sentences get shorter or stay as long")


@at_night
def test_repeats_are_as_rare_as_in_the_text_and_a_cure_changes_little(
    chapter: SimpleNamespace,
) -> None:
    share = {name: chapter.writing.repeats(written) for name, written in chapter.cures.items()}
    assert share["no pair twice"] == 0
    # Without a memory all sentences are one and the same, so all of them repeat something or none does.
    assert share.pop("greedy, no memory") in (0, 1)
    assert max(share.values()) < share["what was meant"] + 0.05
    bleu = {name: chapter.writing.bleu_of(written) for name, written in chapter.cures.items()}
    # Up or down: trained on another processor the same recipe ends a little elsewhere.
    assert abs(bleu["repetition penalty"] - bleu["greedy"]) < 0.03


def test_recordings_say_what_the_questions_say(chapter: SimpleNamespace) -> None:
    rows = chapter.recorded.rows
    both, lone, shuffled = (
        rows[name].spread("test", "bleu").median
        for name in ("encoder-decoder", "decoder alone", "keywords shuffled")
    )
    if NIGHT:
        assert both == pytest.approx(chapter.trained.test["bleu"], abs=0.02)
    assert abs(both - lone) < 0.03
    ahead = set()  # which of the two is, with each seed on each split
    for split in ("validation", "test"):
        one, other = (
            {run["seed"]: run[split]["bleu"] for run in rows[name].runs}
            for name in ("encoder-decoder", "decoder alone")
        )
        for seed in one.keys() & other.keys():
            assert abs(one[seed] - other[seed]) < 0.03
            ahead.add(one[seed] > other[seed])
    assert ahead == {True, False}, "it depends on the seed and the split"
    assert right("generation.decoder-alone").startswith("About the same BLEU")
    assert 1.5 * chapter.baseline < shuffled < 0.5 * both


def test_one_model_of_shuffled_keywords_is_scored_by_three_decodings(
    chapter: SimpleNamespace,
) -> None:
    names = ("keywords shuffled", *chapter.ORDERED)
    rows = [chapter.recorded.rows[name] for name in names]
    greedy, once, counted = (row.spread("test", "bleu").median for row in rows)
    assert greedy < once < counted
    assert counted - once > once - greedy, "the counts help more"
    in_order = chapter.recorded.rows["encoder-decoder"].spread("test", "bleu").median
    assert counted == pytest.approx(0.5 * in_order, abs=0.02), "half"
    documentation = chapter.datasets.load("python-docs").train
    words = sum(len(pairs.split_words(example.text)) for example in documentation)
    assert sum(len(pair.sentence) for pair in pairs.pairs()) < words / 3


def test_answers_by_meaning_are_more_than_by_words_and_a_minority(chapter: SimpleNamespace) -> None:
    found = chapter.found if "chance" in chapter.found else {}
    assert found["shared words"] < found["MiniLM, first"] < 12
    assert found["chance"] < found["MiniLM, first"]
    assert 7 <= found["MiniLM, first"] <= 9, "about a third"
    chosen = chapter.chosen
    assert chosen["shares most words"] < chosen["nearest to the mean"] <= chosen["chance"] + 2
