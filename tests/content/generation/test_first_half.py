"""What sections 1 to 6 say, held against what their own cells compute.

The code cells run here one after the other, solved, in one namespace, up to the training of section 7.
"""

from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace

import pytest
import torch

from course.content import manuscript
from tests.content import cells
from tests.content.said import right

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chapter() -> SimpleNamespace:
    """All names after the last cell of section 6, and what was printed."""
    found = manuscript.read("07_generation")
    until = [cell.id for cell in found].index("keywords-section")
    own = [cell.exercise.rpartition(".")[2] for cell in found[:until] if cell.exercise]
    return cells.all_of(cells.run_cells("07_generation", found[:until], own))


def test_what_the_tiny_cases_say(chapter: SimpleNamespace) -> None:
    for line in (
        "both: 3.0", "the second is padding: 2.0", "as in the model: True", "[5, 6]", "[5]",
        "the same text: True",
    ):  # fmt: skip
        assert line in chapter.printed
    logits = torch.zeros(7)
    assert chapter.no_repeat_ngram(logits, [1, 5, 6, 5], 2).isinf().nonzero().tolist() == [[6]]
    kept = chapter.top_p(torch.tensor([0.5, 0.3, 0.2]).log(), 0.6).isfinite()
    assert kept.tolist() == [True, True, False]
    one = torch.ones(1, 1)
    past_key, past_value = torch.zeros(1, 1, 1, 1), torch.full((1, 1, 1, 1), 4.0)
    output, key, value = chapter.cached_step(
        torch.zeros(1, 1, 1), past_key, past_value, one.repeat(3, 1), torch.zeros(3), one,
        torch.zeros(1), 1,
    )  # fmt: skip
    assert output.item() == 2
    assert (key.flatten().tolist(), value.flatten().tolist()) == ([0, 0], [4, 0])


def test_the_memory_has_no_order(chapter: SimpleNamespace) -> None:
    assert chapter.permuted_gap < 1e-5
    assert right("generation.memory-permuted").startswith("It stays the same")


def test_without_the_shift_it_copies_what_it_reads(chapter: SimpleNamespace) -> None:
    losses, speller = chapter.unshifted_losses, chapter.unshifted
    assert 0.5 < losses[0] < 1, "0.7 before any update"
    assert losses[-1] < losses[0]
    vocabulary = speller.model.embedding.weight.shape[0]
    assert vocabulary == 229
    assert round(math.log(vocabulary), 1) == 5.4
    assert set(speller.word(speller.write(speller.sources[:1])[0])) == {"·"}
    assert right("generation.unshifted").startswith("No letters")


def test_after_an_error_it_is_lost(chapter: SimpleNamespace) -> None:
    share = chapter.forced[chapter.real].float().mean().item()
    assert 0.61 < share < 0.73, "two letters of three"
    forced, free = chapter.right_after_error.values()
    assert 0.63 < forced < 0.78, "some 70 %"
    assert 0.1 < free < 0.22, "about 15 %"
    assert right("generation.after-an-error") == "About 15 %."
    assert chapter.whole[0] == chapter.whole[1] > 0, "whole words: the same, exactly"
    first = [kind[:, 0].float().mean().item() for kind in (chapter.forced, chapter.free)]
    assert first[0] == first[1], "the lines begin together"


def test_on_its_own_letters_it_learns_less(chapter: SimpleNamespace) -> None:
    led, alone = (sum(losses[-20:]) / 20 for losses in chapter.ends.values())
    assert led < alone - 0.3
    rows = [chapter.alone.word(row) for row in chapter.alone.write(chapter.alone.sources)]
    of_one = sum(len(set(row)) <= 1 for row in rows)
    assert of_one > len(rows) / 2, "most of what it writes is one letter"


def test_greedy_decoding_without_an_end_loops(chapter: SimpleNamespace) -> None:
    trigrams = Counter(zip(*(chapter.looped[i:] for i in range(3)), strict=False))
    assert max(trigrams.values()) >= 3
    assert chapter.counts.text(chapter.looped).startswith("list of the file is a list of the file")
    assert right("generation.greedy-loop").startswith("It runs into a loop")
    for n in (2, 3, 4):
        (line,) = [line for line in chapter.printed if line.startswith(f"n = {n}:")]
        words = line.partition(": ")[2].split()
        grams = Counter(zip(*(words[i:] for i in range(n)), strict=False))
        assert max(grams.values()) == 1


def test_the_nucleus_follows_the_distribution(chapter: SimpleNamespace) -> None:
    assert chapter.nucleus_sizes["return a"] > 50
    assert chapter.nucleus_sizes["return a list"] < 5
    p = torch.softmax(chapter.flat, dim=-1).sort(descending=True).values
    assert round(1 - p[:5].sum().item(), 2) == 0.62, "what top-k throws away"
    assert round(1 / p[:5].sum().item(), 1) == 2.7
    assert p[100:].sum() > 0.15, "the tail has a good deal together"
    assert 0.12 < p[0] < 0.18


def test_the_cache_computes_the_same(chapter: SimpleNamespace) -> None:
    assert chapter.cache_gap < 1e-5
    assert chapter.through == {"without": 8256, "with": 128}
    assert right("generation.cache-tokens").startswith("8,256 without, 128 with")
    assert chapter.gibibytes == {32: 4.0, 8: 1.0, 1: 0.125}
