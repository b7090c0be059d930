"""The training of chapter 09's second half: its front end, its batches, its model, and what is asked of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from course import datasets
from course.content import exercises
from course.content.vision_and_speech import sounds
from course.content.vision_and_speech.experiments.speech import (
    batches,
    front,
    hearing,
    model,
    recipe,
)
from encoder_core.models.log_mel import LogMel
from encoder_core.models.speech import ctc_collapse

Layer = exercises.get("stacking.EncoderLayer").model()


def small(training: Any) -> Any:
    settings = training.settings.changed(d_model=16, dim_feedforward=16, nhead=2)
    return training.fresh_model(settings).eval()


def test_an_even_picture_minds_neither_loudness_nor_microphone_nor_padding() -> None:
    ears = front.EvenLogMel(8000, 40)
    signal = 0.3 * torch.randn(2, 4000)
    torch.testing.assert_close(ears(signal), LogMel(8000, 40)(signal))
    energy = 1 + torch.rand(2, 30, 40)  # all of it loud: no floor, and every frame is speech
    lengths = torch.tensor([30, 20])
    even = ears.even(energy, lengths)
    microphone = torch.rand(40) + 0.5
    # log10 of float32 energies: roundings of numbers below 10, and of a mean of 30
    torch.testing.assert_close(ears.even(9 * energy, lengths), even, rtol=0, atol=1e-5)
    torch.testing.assert_close(ears.even(microphone * energy, lengths), even, rtol=0, atol=1e-5)
    energy[1, 20:] = 1e6
    torch.testing.assert_close(ears.even(energy, lengths)[1, :20], even[1, :20])


def test_the_learners_parts_compute_what_encoder_core_does() -> None:
    frame = exercises.get("speech.frame").model()
    mine = sounds.spoken_digits(Layer, frame, exercises.get("speech.ctc_collapse").model())
    standard = sounds.spoken_digits()
    own, plain = small(mine), small(standard)
    state = dict(own.state_dict())
    for i in range(2):  # the tables of a layer from outside are beside the layers
        bias = state.pop(f"encoder.position_biases.{i}.table")
        state[f"encoder.layers.{i}.self_attn.position_bias.table"] = bias
    plain.load_state_dict(state)
    for layer in plain.encoder.layers:
        layer.activation = torch.relu  # chapter 04's
    asked = recipe.asked("validation")["errors"][:3]
    signals = [each.signal for each in asked]
    with torch.no_grad():
        both = own(*recipe.padded(signals)), plain(*recipe.padded(signals))
        # The same products in another order: 40 * 3 terms of float32, four layers.
        torch.testing.assert_close(both[0][0], both[1][0], rtol=1e-3, atol=1e-3)
        alone, steps = own(signals[0][None])
        torch.testing.assert_close(alone[0], both[0][0][0, : int(steps[0])], rtol=1e-3, atol=1e-3)
    assert recipe.read(own, signals) == [recipe.read(own, [signal])[0] for signal in signals]
    picture = sounds.look_at_the_first(own)
    assert picture.weights.shape[2:] == (len(picture.tokens),) * 2
    assert len(sounds.read_the_shown(own)) == 5
    assert mine.parts == {"frame": "yours", "EncoderLayer": "yours", "ctc_collapse": "yours"}
    assert len({mine.key, standard.key, sounds.spoken_digits(changes=batches.PLAIN).key}) == 3


def test_unchanged_rows_are_the_sounds_that_will_be_asked() -> None:
    """Words joined as spectra, against the spectra of joined words."""
    torch.manual_seed(0)
    one = batches.Changes(
        pitches=(1.0,), stretch=0.0, tempo=0.0, tilt=0.0, bands=0, frames=0, lengths=(1, 1)
    )
    rows = batches.collate([batches.Speaker(3, 0)], one)
    data = datasets.load("spoken-digits")
    example = data.train[30 + int(rows.words[0]) - 1]
    assert example.label == int(rows.words[0]) - 1
    ears = front.EvenLogMel(data.rate, 40)
    signal = torch.nn.functional.pad(data.signal(example), (100, 100))
    energy = ears.energies(signal[None])
    even = ears.even(energy, torch.tensor([energy.shape[1]]))
    pause = int(rows.lengths[0]) - energy.shape[1]
    assert 2 <= pause <= 15
    torch.testing.assert_close(rows.frames[:, pause:], even, rtol=0, atol=1e-4)


def test_changed_rows_have_room_and_follow_the_seed() -> None:
    people = list(batches.speakers()[::20])
    torch.manual_seed(1)
    rows = batches.collate(people)
    torch.manual_seed(1)
    again = batches.collate(people)
    assert all(torch.equal(a, b) for a, b in zip(rows, again, strict=True))
    other = batches.collate(people)
    assert other.words.tolist() != rows.words.tolist()
    assert int(rows.counts.sum()) == len(rows.words)
    assert 1 <= int(rows.counts.min()) <= int(rows.counts.max()) <= 5
    several = rows.counts > 1
    assert int(rows.lengths[several].max()) <= batches.CHANGED.room
    assert torch.isfinite(rows.frames).all()


def test_a_layer_of_convolutions_reads_its_neighbours_and_no_padding() -> None:
    layer = model.ConvLayer(8, 2, 16).eval()
    x = torch.randn(1, 20, 8)
    padding = torch.arange(20)[None] >= 15
    changed = x.clone()
    changed[0, 15:] = 9.0
    torch.testing.assert_close(
        layer(changed, src_key_padding_mask=padding)[:, :15],
        layer(x, src_key_padding_mask=padding)[:, :15],
    )
    near = x.clone()
    near[0, 0] += 1
    moved = (layer(near) != layer(x)).any(dim=-1)[0].tolist()
    assert moved == [True] * 4 + [False] * 16


@pytest.mark.parametrize(("words", "steps"), [(1, 3), (2, 4), (2, 5), (3, 5)])
def test_the_number_of_paths(words: int, steps: int) -> None:
    paths = itertools.product(range(words + 1), repeat=steps)
    text = list(range(1, words + 1))
    assert hearing.path_count(words, steps) == sum(ctc_collapse(list(p)) == text for p in paths)


def test_peaks_are_the_surest_steps_of_runs() -> None:
    steps = torch.full((6, 11), 0.01)
    for step, (id, p) in enumerate([(0, 0.9), (4, 0.5), (4, 0.8), (0, 0.9), (4, 0.6), (8, 0.7)]):
        steps[step, id] = p
    found = hearing.peaks(steps)
    assert [peak.word for peak in found] == ["three", "three", "seven"]
    assert [round(peak.seconds, 4) for peak in found] == [0.0925, 0.1725, 0.2125]


class Says(torch.nn.Module):
    """Writes one word for a signal whose first sample is below `below`, and nothing but blanks for others."""

    def __init__(self, below: float) -> None:
        super().__init__()
        self.below = below

    def forward(self, signals: torch.Tensor, samples: torch.Tensor) -> tuple[Any, Any]:
        logits = torch.zeros(len(signals), 3, 11)
        logits[..., 0] = 1.0  # the blank
        logits[:, 1, 4] = 2.0 * (signals[:, 0] < self.below)
        return logits, torch.full((len(signals),), 3)


class Moments:
    steps = (0, 10, 20, 30, 200)

    def model(self, step: int) -> torch.nn.Module:
        return Says(below=step / 10)


def test_where_nothing_but_blanks_is_written() -> None:
    signals = [torch.tensor([float(first)] * (first + 2)) for first in range(4)]
    found = hearing.blank_only(Moments(), signals)
    assert found == {0: 1.0, 10: 0.75, 20: 0.5, 30: 0.25}, "200 is no early moment"
    assert list(hearing.blank_only(Moments(), signals, count=2)) == [0, 20]
    assert hearing.blank_only(Moments(), signals, until=-1) == {}


def test_what_is_asked_is_not_trained_on() -> None:
    data = datasets.load("spoken-digits")
    trained = {example.source for example in data.train}
    for split in ("validation", "test"):
        for utterances in recipe.asked(split).values():
            assert not trained & {each.voice for each in utterances}
    assert {len(each.digits) for each in recipe.asked("test")["ten"]} == {10}
    assert all("Scottish" in each.voice for each in recipe.asked("test")["accent"])


def test_errors_are_counted_as_the_exercise_does() -> None:
    rate = exercises.get("speech.word_error_rate").model()
    written = [["one", "two"], [], ["three", "three", "four"]]
    said = [["one"], ["nine", "nine"], ["three", "four"]]
    assert recipe._errors(written, said) == rate(written, said) == 4 / 5
