"""Writing with a cache, batched: the very tokens of transformers' `generate`, and of a search without a cache."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import generation_peers as peers

from encoder_core.generation.decoding import beam_search, greedy_decode, sample
from encoder_core.generation.generate import (
    generate_beam,
    generate_greedy,
    generate_nucleus,
)
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.models.position_choice import POSITION_KINDS

BOS, V, LONGEST = 1, 9, 7


def sharp_model(
    seed: int, positions: str, layers: tuple[int, int], norm_first: bool
) -> EncoderDecoder:
    """A fresh model in float64, without ties, whose texts differ."""
    torch.manual_seed(seed)
    model = EncoderDecoder(V, 8, 2, *layers, positions=positions, norm_first=norm_first)
    model = model.double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(4.0 if "multihead_attn" in name else 1.5)  # what it reads counts most
            if "table" in name:  # a bias may start at zero
                parameter.add_(torch.randn_like(parameter))
    return model


def some_sources() -> Tensor:
    """Sources of three lengths, `(B, S)`."""
    source = torch.randint(3, V, (4, 5))  # (B, S)
    source[1, 3:] = source[2, 1:] = 0
    return source


def dividing_end(model: EncoderDecoder, source: Tensor) -> tuple[int, int]:
    """The token that, as the end, cuts the texts at the most different places; and at how many."""
    endless = generate_greedy(model, source, BOS, -1, LONGEST)

    def places(end: int) -> int:
        return len({text.index(end) if end in text else LONGEST for text in endless})

    end = max(range(2, V), key=places)
    return end, places(end)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    positions=st.sampled_from([*POSITION_KINDS, "sinusoidal+relative"]),
    layers=st.sampled_from([(1, 1), (2, 1), (1, 3)]),
    norm_first=st.booleans(),
    beam=st.integers(1, 4),
    penalty=st.sampled_from([0.0, 0.6, 2.0]),
)
def test_a_batch_with_a_cache_writes_what_each_text_is_without_one(
    seed: int,
    positions: str,
    layers: tuple[int, int],
    norm_first: bool,
    beam: int,
    penalty: float,
) -> None:
    model = sharp_model(seed, positions, layers, norm_first)
    source = some_sources()
    eos, _ = dividing_end(model, source)

    def whole(
        row: Tensor,
    ) -> Callable[[list[int]], Tensor]:  # the logits after a text, all of it computed again
        def next_logits(ids: list[int]) -> Tensor:
            with torch.inference_mode():
                return model(row[row != 0][None], torch.tensor([ids]))[0, -1]  # (V,)

        return next_logits

    alone = [whole(row) for row in source]
    assert generate_greedy(model, source, BOS, eos, LONGEST) == [
        greedy_decode(logits, BOS, eos, LONGEST) for logits in alone
    ]
    assert generate_beam(model, source, BOS, eos, beam, LONGEST, penalty) == [
        beam_search(logits, BOS, eos, beam, LONGEST, penalty) for logits in alone
    ]
    for row, logits in zip(source, alone, strict=True):
        drawn = [torch.Generator().manual_seed(seed) for _ in range(2)]
        texts = generate_nucleus(model, row[None], BOS, eos, LONGEST, 0.9, 1.5, drawn[0])
        assert texts == [sample(logits, BOS, eos, LONGEST, 0.9, 1.5, drawn[1])]


def test_that_property_is_tried_on_batches_whose_texts_end_at_different_times() -> None:
    lengths = []
    for seed in range(8):
        model = sharp_model(seed, "relative", (1, 1), True)
        lengths.append(dividing_end(model, some_sources())[1])
    assert sorted(lengths)[2] > 1  # in most of them


def test_the_tokens_are_those_of_transformers_with_equal_weights() -> None:
    pytest.importorskip("transformers")
    lengths, texts = set[int](), set[tuple[int, ...]]()
    for seed in (0, 1):
        torch.manual_seed(seed)
        size = peers.Size(8, 16, 2, 32, 2, 40)
        theirs = peers.marian(size, init_std=0.3)
        mine = peers.ours(size, theirs)
        source = torch.randint(3, size.vocab_size, (6, 7))  # (B, S)
        source[::2, 5:] = peers.PAD
        for beam in (1, 2, 4):
            written = peers.written_by_ours(mine, source, beam, 12)
            assert written == peers.written_by_marian(theirs, source, beam, 12)
            lengths |= {len(text) for text in written}
            texts |= {tuple(text) for text in written}
    assert len(lengths) >= 4
    assert len(texts) >= 10
