"""The pairs of compounds and the lead that they give: what they measure, apart from the model."""

from __future__ import annotations

import itertools

import pytest
import torch

from course.content.attention.experiments import compounds
from course.system import measure
from encoder_core import sentence_embedding


def test_the_pairs_are_two_orders_of_the_same_two_words() -> None:
    assert len(compounds.PAIRS) == 30
    for first, reading, second, other in compounds.PAIRS:
        assert first.split() == second.split()[::-1]
        assert reading != other
    assert len({frozenset(pair[0].split()) for pair in compounds.PAIRS}) == 30


def test_the_lead_is_what_its_words_say(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    compound, meant = torch.randn(2, 30, 2, 8, generator=generator, dtype=torch.float64)
    monkeypatch.setattr(compounds, "sentence_embedding", lambda texts: compound.reshape(60, 8))
    leads = compounds.order_leads(meant)
    for lead, (x, y), (of_x, of_y) in zip(leads, compound, meant, strict=True):
        expected = (x @ of_x - x @ of_y) + (y @ of_y - y @ of_x)
        assert lead.item() == pytest.approx(expected.item(), rel=1e-12)


def test_a_model_that_is_blind_to_the_order_has_no_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    one = torch.randn(30, 1, 8, generator=generator).expand(30, 2, 8)
    monkeypatch.setattr(compounds, "sentence_embedding", lambda texts: one.reshape(60, 8))
    leads = compounds.order_leads(torch.randn(30, 2, 8, generator=generator))
    torch.testing.assert_close(leads, torch.zeros(30), rtol=0, atol=1e-5)


def _right(trials: list[tuple[str, str, str]]) -> float:
    """The share of trials (text, right reading, wrong reading) in which the right one is nearer."""
    texts = list(dict.fromkeys(text for trial in trials for text in trial))
    vector = dict(zip(texts, sentence_embedding(texts), strict=True))
    leads = [(vector[text] @ (vector[one] - vector[two])).item() for text, one, two in trials]
    return sum(lead > 1e-6 for lead in leads) / len(leads)


@pytest.mark.slow
def test_what_the_vector_does_not_tell_better_than_guessing() -> None:
    colours = ["red", "blue", "green", "white", "black", "yellow"]
    things = ["car", "house", "boat", "door", "chair", "coat"]
    red = [
        (
            f"The {c} {o} stood beside the {d} {p}.",
            f"The {asked} is {one}.",
            f"The {asked} is {two}.",
        )
        for (c, o), (d, p) in itertools.permutations(zip(colours, things, strict=True), 2)
        for asked, one, two in ((o, c, d), (p, d, c))
    ]
    animals = ["dog", "man", "cat", "boy", "horse", "girl"]
    whom = [
        (
            f"The {a} {did} the {b}.",
            f"The {b} was {done} by the {a}.",
            f"The {a} was {done} by the {b}.",
        )
        for did, done in (("chased", "chased"), ("bit", "bitten"), ("saw", "seen"))
        for a, b in itertools.permutations(animals, 2)
    ]
    alike = (("big", "large"), ("small", "little"), ("fast", "quick"), ("old", "ancient"))
    is_not = [
        (f"The {thing} is {one}.", f"The {thing} is {other}.", f"The {thing} is not {one}.")
        for thing in things
        for one, other in alike
    ]
    assert (len(red), len(whom), len(is_not)) == (60, 90, 24)
    assert max(_right(red), _right(whom), _right(is_not)) < 0.6


def test_a_rank_correlation_sees_order_and_chance_sees_nothing() -> None:
    rows = torch.arange(12.0).repeat(6, 1)
    assert measure.rank_correlation(rows, rows.exp()) == (pytest.approx(1.0), 0.0)
    assert measure.rank_correlation(rows, -rows)[0] == pytest.approx(-1.0)
    generator = torch.Generator().manual_seed(1)
    drawn = [
        measure.rank_correlation(rows, torch.rand(6, 12, generator=generator), 200)[1]
        for _ in range(100)
    ]
    assert 0.35 < sum(drawn) / len(drawn) < 0.65, "of chance itself, half is as far"


def test_each_row_is_ranked_by_itself() -> None:
    rows = torch.tensor([[1.0, 2.0, 3.0], [30.0, 20.0, 10.0]])
    other = torch.tensor([[5.0, 6.0, 7.0], [1.0, 2.0, 3.0]])
    assert measure.rank_correlation(rows, other)[0] == pytest.approx(0.0)
    assert measure.rank_correlation(rows, other)[1] == 1.0
