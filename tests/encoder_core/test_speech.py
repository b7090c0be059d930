"""The speech front end and encoder, against loops, transformers' spectrogram and brute force."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from encoder_core.models.log_mel import LogMel, frame, hertz_to_mel, mel_filters, mel_to_hertz
from encoder_core.models.speech import SpeechEncoder, ctc_collapse, ctc_loss
from encoder_core.training.loop import fit
from tests.close import assert_close


@given(samples=st.integers(0, 40), size=st.integers(1, 12), hop=st.integers(1, 12))
def test_frames_equal_slices_and_only_whole_ones_count(samples: int, size: int, hop: int) -> None:
    signal = torch.randn(2, samples)
    frames = frame(signal, size, hop)
    starts = range(0, samples - size + 1, hop)
    assert frames.shape == (2, len(starts), size)
    for index, start in enumerate(starts):
        assert torch.equal(frames[:, index], signal[:, start : start + size])


def test_frame_refuses_what_makes_no_frames() -> None:
    for size, hop in [(0, 1), (1, 0)]:
        with pytest.raises(ValueError, match="at least 1"):
            frame(torch.ones(1, 4), size, hop)


def test_mel_filters_equal_those_of_transformers() -> None:
    audio = pytest.importorskip("transformers.audio_utils")
    for bands, size, rate in [(80, 400, 16000), (10, 256, 8000)]:
        theirs = audio.mel_filter_bank(
            num_frequency_bins=size // 2 + 1, num_mel_filters=bands, min_frequency=0.0,
            max_frequency=rate / 2, sampling_rate=rate, norm=None, mel_scale="htk",
        )  # fmt: skip
        assert_close(mel_filters(bands, size, rate), torch.tensor(theirs).float())


def test_log_mel_equals_that_of_transformers() -> None:
    audio = pytest.importorskip("transformers.audio_utils")
    signal = torch.randn(1, 3000, dtype=torch.float64).clamp(-1, 1)
    ours = LogMel(rate=16000, bands=40).double()
    theirs = audio.spectrogram(
        signal[0].numpy(), torch.hann_window(400, dtype=torch.float64).numpy(), frame_length=400,
        hop_length=160, power=2.0, center=False, mel_filters=mel_filters(40, 400, 16000).numpy(),
        log_mel="log10", mel_floor=1e-10,
    )  # fmt: skip
    assert_close(ours(signal)[0], torch.tensor(theirs).T.double(), dtype=torch.float32)


def test_a_tone_lights_the_band_of_its_frequency() -> None:
    time = torch.arange(16000) / 16000
    front_end = LogMel(rate=16000, bands=40)
    centres = mel_to_hertz(torch.linspace(0, 1, 42) * hertz_to_mel(torch.tensor(8000.0)))[1:-1]
    for hertz in (300.0, 1000.0, 3000.0):
        energies = front_end(torch.sin(2 * math.pi * hertz * time)[None])[0].mean(0)
        brightest = centres[energies.argmax()]
        assert (brightest / hertz).log2().abs() < 0.15


def test_lengths_are_those_of_the_frames_and_silence_is_finite() -> None:
    front_end = LogMel(rate=16000)
    for samples in (0, 399, 400, 559, 560, 16000):
        energies = front_end(torch.zeros(1, samples))
        assert energies.shape[1] == int(front_end.lengths(torch.tensor(samples)))
        assert energies.isfinite().all()
    assert front_end.state_dict() == {}


@given(ids=st.lists(st.integers(0, 3), max_size=12))
def test_ctc_collapse_equals_groupby(ids: list[int]) -> None:
    assert ctc_collapse(ids, blank=0) == [k for k, _ in itertools.groupby(ids) if k != 0]


@pytest.mark.parametrize("target", [[1], [1, 2], [1, 1], [2, 1, 2]])
def test_ctc_loss_sums_over_every_way_to_stretch_the_text(target: list[int]) -> None:
    logits = torch.randn(1, 4, 3, dtype=torch.float64)
    p = logits[0].softmax(-1)
    ways = [w for w in itertools.product(range(3), repeat=4) if ctc_collapse(list(w)) == target]
    total = sum(math.prod(float(p[t, i]) for t, i in enumerate(way)) for way in ways)
    loss = ctc_loss(logits, torch.tensor([4]), torch.tensor([target]), torch.tensor([len(target)]))
    assert loss.dtype == torch.float64
    assert loss.item() == pytest.approx(-math.log(total) / len(target), rel=1e-12)


def test_ctc_loss_of_a_text_that_does_not_fit_is_zero_with_finite_gradients() -> None:
    logits = torch.randn(1, 1, 3, requires_grad=True)
    loss = ctc_loss(logits, torch.tensor([1]), torch.tensor([[1, 2]]), torch.tensor([2]))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_near_to_float32(dtype: torch.dtype) -> None:
    model, signal = SpeechEncoder(7, 12, 3).eval(), 0.1 * torch.randn(2, 4000)
    expected, lengths = model(signal)
    logits, same = model.to(dtype)(signal.to(dtype))
    assert logits.dtype == dtype
    assert torch.equal(same, lengths)
    coarser = torch.float32 if dtype == torch.float64 else dtype
    assert_close(logits.float(), expected, dtype=coarser)


def test_case_16_padding_changes_nothing_in_the_real_steps() -> None:
    model = SpeechEncoder(6, 16, 2).double().eval()
    signal = torch.randn(2, 6000, dtype=torch.float64)
    for samples in ([6000, 3000], [5999, 400], [4321, 100]):
        lengths = torch.tensor(samples)
        logits, steps = model(signal, lengths)
        for row, (count, real) in enumerate(zip(samples, steps.tolist(), strict=True)):
            if real == 0:
                assert count < 400
                continue
            alone, alone_steps = model(signal[row : row + 1, :count])
            assert alone_steps.item() == real == alone.shape[1]
            assert_close(logits[row, :real], alone[0])
    assert logits.isfinite().all()


def test_a_signal_without_one_frame_is_answered_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="at least one frame of 400 samples; got 399"):
        SpeechEncoder(6, 16, 2)(torch.randn(1, 399))


@pytest.mark.slow
def test_it_learns_to_write_down_tones() -> None:
    torch.manual_seed(0)
    hertz = {1: 500.0, 2: 1200.0, 3: 2600.0}
    time = torch.arange(2400) / 16000
    silence = torch.zeros(800)

    def speak(text: list[int]) -> Tensor:
        parts = [torch.cat((torch.sin(2 * math.pi * hertz[i] * time), silence)) for i in text]
        return torch.cat(parts) + 0.01 * torch.randn(len(text) * 3200)

    texts = [torch.randint(1, 4, (3,)) for _ in range(64)]
    data = [(speak(text.tolist()), text) for text in texts]
    model = SpeechEncoder(4, 32, 2, front_end=LogMel(bands=40), dropout=0.0)

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        logits, steps = model(batch[0])
        return ctc_loss(logits, steps, batch[1], torch.full((len(batch[0]),), 3))

    fit(
        model, data, loss, steps=200, batch_size=16, learning_rate=2e-3, warmup=10,
        device="cpu", progress=False,
    )  # fmt: skip
    logits, _ = model.eval()(torch.stack([signal for signal, _ in data]))
    written = [ctc_collapse(ids) for ids in logits.argmax(-1).tolist()]
    assert sum(a == b.tolist() for a, b in zip(written, texts, strict=True)) >= 58
