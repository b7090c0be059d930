"""What the chapter's prose and its quiz say, held against what its own cells compute.

The chapter's code cells run here one after the other, solved, in one namespace; what they leave
there is what the learner sees.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from types import SimpleNamespace

import pytest

from course import use
from course.content.bert.experiments import text as bert_text
from course.content.bert.experiments import training as recipe
from course.content.bert.pretraining import masked_words
from encoder_core.training.config import Record
from encoder_core.training.loop import fit
from tests.content import cells
from tests.content.said import printed, right
from tests.sampled import NIGHT, at_night

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chapter(request: pytest.FixtureRequest) -> SimpleNamespace:
    """All names of the chapter after its last cell, and what it printed."""
    home = request.getfixturevalue("trained" if NIGHT else "rehearsed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(home))  # the trainings are there
        return cells.run_all("05_bert")


# 1: the task


@pytest.mark.skipif(sys.flags.optimize > 1, reason="Python runs without docstrings")
def test_the_sentence_is_the_first_of_the_documentation_of_sorted(chapter: SimpleNamespace) -> None:
    assert (sorted.__doc__ or "").startswith(chapter.sentence)
    assert chapter.following.removesuffix(".") in " ".join((sorted.__doc__ or "").split())


def test_between_containing_and_items_stands_all(chapter: SimpleNamespace) -> None:
    line = printed(chapter, "all       from the left")
    left, both = line.split("from both:")
    assert both.split()[0] == "all"
    assert left.split("from the left:")[1].split()[0] == "the"
    line = printed(chapter, "iterable")
    assert "iterable" not in line.split("from the left:")[1], "a neighbour does not help there"


def test_the_second_side_takes_two_fifths_of_the_perplexity(chapter: SimpleNamespace) -> None:
    assert chapter.sides["left"] > 200
    assert 0.5 < chapter.sides["both"] / chapter.sides["left"] < 0.7
    assert chapter.right["both"] > 1.4 * chapter.right["left"]
    assert right("bert.both-sides") == "It falls by two fifths or so."
    assert len(chapter.held_out) == 400


def test_the_counts_have_read_130_000_words(chapter: SimpleNamespace) -> None:
    assert round((chapter.pairs.counted > chapter.bert.UNKNOWN).sum().item(), -4) in range(
        110_000, 200_001
    )
    assert len(chapter.pairs.words) == 2500
    assert chapter.words.count("[UNK]") == 1
    assert chapter.words[-3] == "[UNK]", "ascending"


# 2: the shares


def test_a_word_in_sight_that_is_asked_is_right_half_of_the_time(chapter: SimpleNamespace) -> None:
    count = int(chapter.seen.sum())
    expected = (0.1 + 0.1 / 2500) / (0.2 - 0.1 / 2500)
    assert abs(chapter.right_when_asked - expected) < 6 * 0.5 / math.sqrt(count)
    assert 0.98 < chapter.right_anywhere < 0.99, "98 of 100"
    assert right("bert.seen-word").startswith("About half")


# 3 and 4: the loss


def test_a_loss_everywhere_is_behind_at_the_masks(chapter: SimpleNamespace) -> None:
    masks, everywhere = chapter.at_masks.values()
    assert masks[0] == everywhere[0], "the same start"
    assert all(one < other for one, other in zip(masks[1:], everywhere[1:], strict=True))
    assert everywhere[-1] < everywhere[0] - 1, "it learns something"


def test_the_exponential_of_five_is_148() -> None:
    assert round(math.exp(5)) == 148


# 5: pairs


def test_the_pair_is_what_the_tokenizer_makes(chapter: SimpleNamespace) -> None:
    assert printed(chapter, "as the tokenizer") == "as the tokenizer: True"


def test_shared_words_tell_three_of_four_and_no_order(chapter: SimpleNamespace) -> None:
    topic, same, turned = chapter.by_shared_words.values()
    assert 0.7 < topic < 0.8
    assert 0.5 < same < topic
    assert turned == 0.5
    assert right("bert.shared-words") == "About three of four."


# 6: tied weights


def test_a_fifth_of_bert_base_is_the_table(chapter: SimpleNamespace) -> None:
    assert chapter.parameters == 109_514_298
    assert chapter.table == 30_522 * 768
    assert round(chapter.table / chapter.parameters, 2) == 0.21
    assert round(chapter.layers / 1e6) == 85
    assert right("bert.table-share") == "About a fifth."


# 7: the first steps


def test_adam_s_first_step_is_one_learning_rate(chapter: SimpleNamespace) -> None:
    noisy, clear = chapter.moved.values()
    assert noisy[0] == pytest.approx(1.0, abs=1e-4)
    assert clear[0] == pytest.approx(1.0, abs=1e-4)
    assert max(noisy) == noisy[0]
    assert 0.15 < noisy[19] < 0.25, "a fifth after twenty gradients"
    assert right("bert.first-step") == "By one learning rate."


def test_the_warm_up_is_a_hundredth_of_the_schedule(chapter: SimpleNamespace) -> None:
    rates = [chapter.learning_rate(step, 10_000, 1_000_000, 1e-4) for step in chapter.steps]
    assert rates.index(max(rates)) == 1
    assert len(rates) == 101


# 8: a whole sentence


def test_counts_notice_exchanged_neighbours_and_no_more(chapter: SimpleNamespace) -> None:
    real, exchanged, nonsense = chapter.scores
    assert exchanged < real - 20
    assert real < nonsense < real + 5, "the counts like the nonsense a little better"


# 10: the real one


def test_nothing_is_fetched(chapter: SimpleNamespace) -> None:
    assert chapter.fetch is False
    said = [line for line in chapter.printed if chapter.name in line]
    assert said[-1].startswith(f"{chapter.name} is not on this machine, and nothing was fetched.")


# 9: the training


def test_the_settings_that_differ_from_bert_s_are_named(chapter: SimpleNamespace) -> None:
    settings = chapter.training.settings
    assert (settings.optimizer, settings.schedule) == ("muon", "cosine")
    assert recipe.MASKING == 0.3


@at_night
def test_the_encoder_comes_level_with_the_counts_and_is_less_surprised(
    chapter: SimpleNamespace,
) -> None:
    counts = chapter.plain_baselines()["counts of two neighbours"]
    trained = chapter.trained
    assert abs(trained.metrics["accuracy"] - counts["accuracy"]) < 0.025
    assert trained.metrics["perplexity"] < 0.7 * counts["perplexity"]
    assert trained.test["accuracy"] < trained.metrics["accuracy"]
    assert 320_000 < bert_text.rows().numel() < 345_000


@at_night
def test_positions_that_are_learned_by_place_are_worth_nothing_yet(
    chapter: SimpleNamespace,
) -> None:
    found = chapter.found
    assert abs(found["learned"] - found["none"]) < 0.01
    assert found["sinusoidal"] < found["none"] + 0.02
    assert found["none"] + 0.01 < found["alibi"] < 0.8 * found["relative"]
    assert right("bert.which-positions").startswith("About as well as no positions")


@at_night
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_number_of_bytes_is_the_blank_that_is_filled_least_often(seed: int) -> None:
    training = masked_words(
        layer=use("stacking.EncoderLayer"),
        mask_tokens=use("bert.mask_tokens"),
        masked_lm_loss=use("bert.masked_lm_loss"),
    )
    settings = training.settings.changed(seed=seed)
    model = training.fresh_model(settings)
    often: Counter[str] = Counter()

    def look(record: Record) -> bool:
        model.eval()
        often.update(a.right for a in training.examples(model) if a.guesses[0][0] == a.right)  # type: ignore[misc]
        model.train()
        return record.step >= 900

    fit(
        model, training.data, training.loss, collate=training.collate, callback=look, seed=seed,
        steps=settings.steps, batch_size=settings.batch_size, warmup=settings.warmup,
        learning_rate=settings.learning_rate, schedule="cosine", optimizer="muon", log_every=20,
        device="cpu", progress=False,
    )  # fmt: skip
    assert right("bert.least-sure").startswith('"the … of bytes written"')
    assert often["number"] == min(often.values())
    assert often["number"] <= 15
    assert min(often["list"], often["is"]) >= 28


@at_night
def test_the_encoder_has_not_learned_what_the_counts_lack(chapter: SimpleNamespace) -> None:
    counts, encoder = (sum(chapter.liked[name]) for name in chapter.liked)
    assert encoder < counts == 7, "the counts are ahead"
    real, exchanged, nonsense = chapter.scored["the trained encoder"]
    assert abs(real - nonsense) < 3 < real - exchanged, "hardly told apart"
