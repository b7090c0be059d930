"""Beam search stops when every text is decided, and writes what it would have without stopping."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from encoder_core.generation import generate as generation
from encoder_core.generation.generate import generate_beam
from encoder_core.models.encoder_decoder import EncoderDecoder

BOS, EOS, V = 1, 2, 7
PENALTIES = [-2.0, -0.3, 0.0, 1e-12, 0.6, 1.0, 3.0]


class Cache:
    """Remembers each hypothesis's ids, and is reordered as a cache of keys and values is."""

    def __init__(self) -> None:
        self.ids: Tensor | None = None

    def reorder(self, rows: Tensor) -> None:
        assert self.ids is not None
        self.ids = self.ids[rows]


class Language(nn.Module):
    """Logits drawn from a hash of source and text; `step` counts its calls and the rows of each.

    `ends` is added to the logit of the end, and more with each token: at 0 texts rarely end, at 2
    soon.
    """

    def __init__(self, seed: int, ends: float = 0.0, sharpness: float = 2.0) -> None:
        super().__init__()
        self.seed, self.ends, self.sharpness = seed, ends, sharpness
        self.rows: list[int] = []

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        return source, source == 0

    def empty_cache(self) -> Cache:
        return Cache()

    def step(self, tokens: Tensor, memory: Tensor, padding: Tensor, cache: Cache) -> Tensor:
        assert len(tokens) == len(memory) == len(padding)
        self.rows.append(len(tokens))
        cache.ids = tokens if cache.ids is None else torch.cat((cache.ids, tokens), dim=1)
        logits = []
        for read, written in zip(memory.tolist(), cache.ids.tolist(), strict=True):
            key = hash((self.seed, *read, -1, *written)) % 2**31
            generator = torch.Generator().manual_seed(key)
            row = self.sharpness * torch.randn(V, generator=generator)
            row[EOS] += self.ends * len(written)
            logits.append(row)
        return torch.stack(logits)[:, None]


def without_stopping(monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> list[list[int]]:
    """The same search where nothing is ever out of reach."""
    with monkeypatch.context() as patched:
        patched.setattr(generation, "_out_of_reach", lambda *_: False)
        return generate_beam(*arguments)


SOURCES = torch.tensor([[3, 4, 5, 6], [6, 3, 2, 0], [5, 2, 0, 0], [4, 4, 4, 2]])


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    ends=st.sampled_from([0.0, 0.3, 1.0, 3.0]),
    beam=st.integers(1, 5),
    max_length=st.integers(0, 12),
    penalty=st.sampled_from(PENALTIES) | st.floats(-5, 5),
)
@example(seed=0, ends=3.0, beam=3, max_length=9, penalty=-400.0)  # divisors beyond a float
@example(seed=0, ends=3.0, beam=3, max_length=40, penalty=2000.0)
def test_the_texts_are_those_of_a_search_to_the_end(
    seed: int, ends: float, beam: int, max_length: int, penalty: float
) -> None:
    settings_ = (SOURCES, BOS, EOS, beam, max_length, penalty)
    with pytest.MonkeyPatch.context() as monkeypatch:
        long = Language(seed, ends)
        try:
            expected = without_stopping(monkeypatch, long, *settings_)
        except (OverflowError, ZeroDivisionError):
            return
    short = Language(seed, ends)
    assert generate_beam(short, *settings_) == expected
    assert len(short.rows) <= len(long.rows)
    assert all(few <= many for few, many in zip(short.rows, long.rows, strict=False))


@pytest.mark.parametrize("penalty", PENALTIES)
def test_enough_of_those_searches_are_cut_short(
    monkeypatch: pytest.MonkeyPatch, penalty: float
) -> None:
    """Otherwise the test above would hold for a search that never stops."""
    short, long = 0, 0
    for seed in range(20):
        for counted in (True, False):
            language = Language(seed, 1.0)
            arguments = (language, SOURCES, BOS, EOS, 3, 30, penalty)
            if counted:
                generate_beam(*arguments)
                short += sum(language.rows)
            else:
                without_stopping(monkeypatch, *arguments)
                long += sum(language.rows)
    assert short < 0.6 * long


def copying(model: EncoderDecoder, places: int) -> None:
    """Make an encoder-decoder's step a sure writer: it counts up to `places`, then ends."""

    def step(tokens: Tensor, memory: Tensor, padding: Tensor, cache: Any) -> Tensor:
        step.calls += 1  # type: ignore[attr-defined]
        following = torch.where(tokens == BOS, 3, tokens + 1)  # (B, 1)
        following = following.where(following < 3 + places, EOS)
        return 9.0 * nn.functional.one_hot(following, model.embedding.weight.shape[0]).float()

    step.calls = 0  # type: ignore[attr-defined]
    model.step = step  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("beam", [2, 4])
def test_ten_tokens_take_about_ten_steps_and_not_sixty(beam: int) -> None:
    model = EncoderDecoder(30, 8, 2, 1, 1).eval()
    copying(model, places=10)
    texts = generate_beam(model, torch.tensor([[5, 6, 2], [7, 2, 0]]), BOS, EOS, beam, 60)
    assert texts == [list(range(3, 13))] * 2
    assert model.step.calls <= 15  # type: ignore[attr-defined]


def test_a_text_that_is_decided_is_not_computed_further() -> None:
    """Of two texts one ends at once; the other never does."""

    class Uneven(Language):
        def step(self, tokens: Tensor, memory: Tensor, padding: Tensor, cache: Cache) -> Tensor:
            super().step(tokens, memory, padding, cache)
            logits = torch.zeros(len(tokens), 1, V)
            logits[:, 0, EOS] = torch.where(memory[:, 0] == 3, 30.0, -30.0)
            return logits

    language = Uneven(0)
    texts = generate_beam(language, torch.tensor([[4], [3], [4]]), BOS, EOS, 2, 6)  # type: ignore[arg-type]
    assert [len(text) for text in texts] == [6, 0, 6]
    assert language.rows == [6, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("penalty", [-1.0, 0.0, 0.6])
def test_the_order_of_a_batch_and_its_other_texts_do_not_matter(penalty: float) -> None:
    language = Language(5, 1.0)
    together = generate_beam(language, SOURCES, BOS, EOS, 3, 20, penalty)  # type: ignore[arg-type]
    for row, text in zip(SOURCES, together, strict=True):
        assert generate_beam(language, row[None], BOS, EOS, 3, 20, penalty) == [text]  # type: ignore[arg-type]


@pytest.mark.parametrize("penalty", PENALTIES)
def test_with_the_models_own_cache_too(monkeypatch: pytest.MonkeyPatch, penalty: float) -> None:
    for seed in range(6):
        torch.manual_seed(seed)
        model = EncoderDecoder(V, 8, 2, 2, 2).double().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2.0)
        arguments = (model, SOURCES, BOS, EOS, 3, 12, penalty)
        assert generate_beam(*arguments) == without_stopping(monkeypatch, *arguments)


def test_numbers_that_are_none_do_not_stop_a_search_early() -> None:
    class Broken(Language):
        def step(self, *arguments: Any) -> Tensor:
            return super().step(*arguments) * torch.nan

    assert len(generate_beam(Broken(0), SOURCES, BOS, EOS, 2, 5)) == len(SOURCES)  # type: ignore[arg-type]
