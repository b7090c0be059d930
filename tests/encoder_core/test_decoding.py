"""Greedy, beam and nucleus: the forms to read against brute force, the cached ones against them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from encoder_core.generation.decoding import (
    beam_search,
    greedy_decode,
    length_penalised,
    sample,
    shift_right,
    top_p,
)
from encoder_core.generation.generate import generate_beam, generate_greedy, generate_nucleus
from encoder_core.inspect.recording import record
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.training.loop import fit
from tests.close import assert_close

BOS, EOS, V = 1, 2, 7


def random_language(seed: int, sharpness: float = 2.0) -> Callable[[list[int]], Tensor]:
    """Logits that depend on the whole sequence so far, the same at every call."""

    def next_logits(ids: list[int]) -> Tensor:
        key = hash((seed, *ids)) % (2**31)
        generator = torch.Generator().manual_seed(key)
        return sharpness * torch.randn(V, dtype=torch.float64, generator=generator)

    return next_logits


def make_model(seed: int = 0, norm_first: bool = True) -> EncoderDecoder:
    torch.manual_seed(seed)
    model = EncoderDecoder(V, 8, 2, 2, 2, dropout=0.1, norm_first=norm_first).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():  # sharper than at birth, so that choices differ
            parameter.mul_(2.0)
    return model


def as_function(model: EncoderDecoder, source: Tensor) -> Callable[[list[int]], Tensor]:
    """The model without cache or batch, as the forms to read want it."""

    def next_logits(ids: list[int]) -> Tensor:
        with torch.inference_mode():
            return model(source[None], torch.tensor([ids]))[0, -1]

    return next_logits


# The forms to read -------------------------------------------------------------------------------


def test_shift_right() -> None:
    targets = torch.tensor([[5, 6, 2], [5, 2, 0]], dtype=torch.int32)
    shifted = shift_right(targets, BOS)
    assert shifted.tolist() == [[1, 5, 6], [1, 5, 2]]
    assert shifted.dtype == torch.int32


@given(seed=st.integers(0, 200), max_length=st.integers(0, 8))
def test_greedy_takes_the_likeliest_until_the_end(seed: int, max_length: int) -> None:
    language = random_language(seed)
    ids = greedy_decode(language, BOS, EOS, max_length)
    assert len(ids) <= max_length
    assert EOS not in ids
    for place in range(len(ids)):
        assert ids[place] == int(language([BOS, *ids[:place]]).argmax())
    if len(ids) < max_length:
        assert int(language([BOS, *ids]).argmax()) == EOS


@given(seed=st.integers(0, 200), max_length=st.integers(1, 8))
def test_a_beam_of_one_without_penalty_is_greedy(seed: int, max_length: int) -> None:
    language = random_language(seed)
    assert beam_search(language, BOS, EOS, 1, max_length, 0.0) == greedy_decode(
        language, BOS, EOS, max_length
    )


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.5])
@pytest.mark.parametrize("seed", range(5))
def test_a_beam_wide_enough_finds_the_best_text_of_all(seed: int, length_penalty: float) -> None:
    language, longest = random_language(seed), 3
    best, best_score = None, -math.inf
    for length in range(1, longest + 1):
        for text in itertools.product(range(V), repeat=length):
            if EOS in text[:-1] or (length < longest and text[-1] != EOS):
                continue
            log_p = sum(
                float(language([BOS, *text[:i]]).log_softmax(-1)[text[i]]) for i in range(length)
            )
            score = log_p / ((5 + length) / 6) ** length_penalty
            if score > best_score:
                best, best_score = text, score
    assert best is not None
    expected = [token for token in best if token != EOS]
    assert beam_search(language, BOS, EOS, V**longest, longest, length_penalty) == expected


def test_beam_finds_what_greedy_misses_and_the_penalty_prefers_longer() -> None:
    def trap(ids: list[int]) -> Tensor:
        after = {(1,): [0.6, 0, 0, 0.4], (1, 0): [0.5, 0, 0.5, 0], (1, 3): [0.0, 0, 1, 0]}
        return torch.tensor(after.get(tuple(ids), [0.0, 0, 1, 0])).log()

    assert greedy_decode(trap, BOS, EOS, 5) == [0, 0]  # 0.6 * 0.5
    assert beam_search(trap, BOS, EOS, 2, 5, 0.0) == [3]  # 0.4
    assert beam_search(trap, BOS, EOS, 3, 5, 9.0) == [0, 0]
    with pytest.raises(ValueError, match="at least 1"):
        beam_search(trap, BOS, EOS, 0, 5)
    assert length_penalised(-3.0, 1, 2.0) == -3.0


@given(seed=st.integers(0, 200), p=st.floats(0, 1), size=st.integers(1, 9))
def test_top_p_keeps_the_smallest_set_that_reaches_p(seed: int, p: float, size: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(2, 3, size, dtype=torch.float64, generator=generator)
    before = logits.clone()
    filtered = top_p(logits, p)
    assert torch.equal(logits, before)
    kept = filtered != -torch.inf
    assert torch.equal(filtered[kept], logits[kept])
    probabilities = logits.softmax(-1)
    for row, keep in zip(probabilities.flatten(0, 1), kept.flatten(0, 1), strict=True):
        inside = row[keep]
        assert keep[row.argmax()]
        assert inside.sum() >= p - 1e-9
        assert inside.sum() - inside.min() < p + 1e-9 or len(inside) == 1  # none is needless
        if not keep.all():
            assert inside.min() >= row[~keep].max()


def test_top_p_of_one_keeps_all_and_half_precision_reaches_p() -> None:
    logits = 5 * torch.randn(50_000)
    assert torch.equal(top_p(logits, 1.0), logits)
    for dtype in (torch.float16, torch.bfloat16):
        some = torch.randn(5_000).to(dtype)
        kept = top_p(some, 0.9)
        assert kept.dtype == dtype
        assert torch.equal(kept.isfinite(), top_p(some.float(), 0.9).isfinite())


def test_top_p_equals_that_of_transformers_and_refuses_what_is_no_probability() -> None:
    transformers = pytest.importorskip("transformers")
    logits = 2 * torch.randn(4, 30, dtype=torch.float64)
    for p in (0.1, 0.5, 0.9):
        theirs = transformers.TopPLogitsWarper(p)(None, logits.clone())
        assert torch.equal(top_p(logits, p), theirs)
    assert torch.equal(top_p(logits, 1.0), logits)
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            top_p(logits, p)


def test_sampling_follows_the_nucleus_and_the_temperature() -> None:
    logits = torch.tensor([3.0, 2.0, -torch.inf, 1.0, 0.0]).double()

    def language(ids: list[int]) -> Tensor:
        return logits

    generator = torch.Generator().manual_seed(0)
    drawn = sample(language, BOS, EOS, 4000, p=0.85, temperature=2.0, generator=generator)
    counts = torch.bincount(torch.tensor(drawn), minlength=5) / len(drawn)
    expected = top_p(logits / 2, 0.85).softmax(-1)
    assert counts[4] == 0
    torch.testing.assert_close(counts.double(), expected, rtol=0, atol=0.03)
    with pytest.raises(ValueError, match="temperature"):
        sample(language, BOS, EOS, 3, temperature=0.0)


# The cached ones ---------------------------------------------------------------------------------


@pytest.mark.parametrize("norm_first", [True, False])
def test_steps_with_a_cache_give_the_logits_of_the_whole(norm_first: bool) -> None:
    model = make_model(norm_first=norm_first)
    source, target = (
        torch.tensor([[3, 4, 5], [6, 3, 0]]),
        torch.tensor([[1, 4, 5, 6], [1, 3, 3, 4]]),
    )
    whole = model(source, target)
    cache, (memory, padding) = model.empty_cache(), model.encode(source)
    steps = [model.step(target[:, t : t + 1], memory, padding, cache) for t in range(4)]
    assert_close(torch.cat(steps, dim=1), whole)
    assert cache.length == 4


def test_case_16_padding_of_source_and_target_changes_no_real_logit() -> None:
    model = make_model()
    source, target = torch.tensor([[3, 4, 5]]), torch.tensor([[1, 4, 5]])
    expected = model(source, target)
    longer = model(F.pad(source, (0, 3)), F.pad(target, (0, 2)))
    assert_close(longer[:, :3], expected)


def test_case_11_recording_sees_both_attentions_of_every_layer_with_and_without_a_cache() -> None:
    model = make_model()
    source, target = torch.tensor([[3, 4, 5]]), torch.tensor([[1, 4]])
    with record(model) as whole:
        expected = model(source, target)
    shapes = [tuple(w.shape) for w in whole.attention]
    assert shapes == [(1, 2, 3, 3)] * 2 + [(1, 2, 2, 2), (1, 2, 2, 3)] * 2
    cache, (memory, padding) = model.empty_cache(), model.encode(source)
    model.step(target[:, :1], memory, padding, cache)
    with record(model.decoder) as step:
        last = model.step(target[:, 1:], memory, padding, cache)
    assert_close(last, expected[:, 1:])
    assert [tuple(w.shape) for w in step.attention] == [(1, 2, 1, 2), (1, 2, 1, 3)] * 2
    for one, all_rows in zip(step.attention, whole.attention[2:], strict=True):
        assert_close(one, all_rows[:, :, 1:])


SOURCES = torch.tensor([[3, 4, 5, 6], [6, 3, 2, 0], [5, 2, 0, 0], [4, 4, 4, 2]])


@pytest.mark.parametrize("seed", range(6))
def test_cached_greedy_equals_the_form_to_read(seed: int) -> None:
    model = make_model(seed)
    expected = [greedy_decode(as_function(model, s), BOS, EOS, 8) for s in SOURCES]
    assert generate_greedy(model, SOURCES, BOS, EOS, 8) == expected
    assert generate_greedy(model, SOURCES, BOS, EOS, 0) == [[]] * 4


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_cached_beam_search_equals_the_form_to_read(seed: int, beam: int) -> None:
    model = make_model(seed)
    for penalty in (0.0, 0.6, 2.0):
        expected = [beam_search(as_function(model, s), BOS, EOS, beam, 7, penalty) for s in SOURCES]
        assert generate_beam(model, SOURCES, BOS, EOS, beam, 7, penalty) == expected
    with pytest.raises(ValueError, match="at least 1"):
        generate_beam(model, SOURCES, BOS, EOS, 0, 7)


@pytest.mark.parametrize("seed", range(4))
def test_cached_nucleus_equals_the_form_to_read(seed: int) -> None:
    model = make_model(seed)
    for source in SOURCES:
        generators = [torch.Generator().manual_seed(seed) for _ in range(2)]
        expected = sample(as_function(model, source), BOS, EOS, 8, 0.8, 1.5, generators[0])
        came = generate_nucleus(model, source[None], BOS, EOS, 8, 0.8, 1.5, generators[1])
        assert came == [expected]
    assert generate_nucleus(model, SOURCES, BOS, EOS, 8, p=0.0) == generate_greedy(
        model, SOURCES, BOS, EOS, 8
    )
    with pytest.raises(ValueError, match="temperature"):
        generate_nucleus(model, SOURCES, BOS, EOS, 8, temperature=-1.0)


def test_no_texts_give_no_texts_and_no_steps_give_empty_ones() -> None:
    model = EncoderDecoder(20, 8, 2).eval()
    for source, length, expected in (
        (torch.ones(0, 3, dtype=torch.long), 4, []),
        (torch.tensor([[5, 2]]), 0, [[]]),
    ):
        assert generate_greedy(model, source, 1, 2, length) == expected
        assert generate_nucleus(model, source, 1, 2, length) == expected
        assert generate_beam(model, source, 1, 2, 3, length) == expected


def test_a_beam_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="beam must be at least 1; got 0"):
        beam_search(random_language(0), BOS, EOS, 0, 4)
    with pytest.raises(ValueError, match="beam must be at least 1; got 0"):
        generate_beam(make_model(), SOURCES, BOS, EOS, 0, 4)


def test_tests_of_generation_see_texts_that_end_and_texts_that_do_not() -> None:
    """Otherwise the tests above would hold for a generation that never stops, or always does."""
    texts = [text for seed in range(6) for text in generate_greedy(make_model(seed), SOURCES, BOS, EOS, 8)]  # fmt: skip
    assert {len(text) == 8 for text in texts} == {True, False}
    assert len({tuple(text) for text in texts}) > 5


def test_case_13_the_padding_row_of_the_one_table_stays_zero_in_training() -> None:
    model = EncoderDecoder(V, 8, 2, 1, 1)
    data = [(torch.tensor([3, 4, 0]), torch.tensor([4, 2, 0]))] * 8

    def loss(model: torch.nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        logits = model(batch[0], shift_right(batch[1], BOS))
        return F.cross_entropy(logits.flatten(0, 1), batch[1].flatten())  # padding counted, too

    before = model.embedding.weight.detach().clone()
    fit(model, data, loss, steps=5, learning_rate=0.05, device="cpu", progress=False)
    assert model.embedding.weight[0].eq(0).all()
    assert (model.embedding.weight - before)[1:].abs().max() > 1e-3
    assert len([n for n in model.state_dict() if "embedding" in n or "project" in n]) == 1


@pytest.mark.slow
def test_it_learns_to_reverse() -> None:
    torch.manual_seed(0)
    data = []
    for _ in range(400):
        ids = torch.randint(3, V, (4,))
        data.append((ids, torch.cat((ids.flip(0), torch.tensor([EOS])))))

    def loss(model: torch.nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        logits = model(batch[0], shift_right(batch[1], BOS))
        return F.cross_entropy(logits.flatten(0, 1), batch[1].flatten())

    model = EncoderDecoder(V, 32, 4, 1, 1, dropout=0.0)
    options = {"steps": 400, "learning_rate": 3e-3, "warmup": 20}
    fit(model, data, loss, device="cpu", progress=False, **options)
    source = torch.stack([ids for ids, _ in data[:50]])
    expected = source.flip(1).tolist()
    for texts in (
        generate_greedy(model.eval(), source, BOS, EOS, 8),
        generate_beam(model, source, BOS, EOS, 3, 8),
    ):
        assert sum(a == b for a, b in zip(texts, expected, strict=True)) >= 45
