"""The frozen sounds: what a code stands for, that no voice is in two splits, and how digits are joined."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch

from course import datasets
from course.datasets.recordings import compress, expand
from course.datasets.spoken_digits import build, corpus
from course.datasets.spoken_digits.card import RATE, WORDS


def test_every_voice_says_every_digit_in_one_split() -> None:
    data = datasets.load("spoken-digits")
    assert isinstance(data, corpus.SpokenDigits)
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    splits, said = defaultdict(set), defaultdict(list)
    for name, examples in parts.items():
        for example in examples:
            splits[example.source].add(name)
            said[example.source].append(example.label)
            assert example.text == WORDS[example.label or 0]
    assert all(len(names) == 1 for names in splits.values())
    assert all(sorted(labels) == list(range(10)) for labels in said.values())
    held_out = {example.source for example in data.test}
    assert {example.source.removesuffix(", Scottish") for example in data.accent} <= held_out
    assert sum(map(len, parts.values())) + len(data.accent) == data.card.examples
    assert corpus.TABLE.stat().st_size == data.card.size
    assert len({data.signal(example).numpy().tobytes() for example in data.train}) == len(
        data.train
    )
    for example in (*data.validation, *data.accent):
        signal = data.signal(example)
        assert signal.dtype == torch.float32
        assert 0.2 < len(signal) / RATE < 1.2  # seconds
        assert 0.09 < signal.square().mean().sqrt() < 0.11  # equally loud


def test_utterances_are_one_voices_digits_with_pauses_between() -> None:
    data = datasets.load("spoken-digits")
    assert isinstance(data, corpus.SpokenDigits)
    found = data.utterances(data.validation, 20, (1, 3), seed=1)
    again = data.utterances(data.validation, 20, (1, 3), seed=1)
    assert all(torch.equal(a.signal, b.signal) for a, b in zip(found, again, strict=True))
    assert {len(each.digits) for each in found} == {1, 2, 3}
    sounds = {(e.source, e.label): data.signal(e) for e in data.validation}
    for each in found:
        assert each.voice in {example.source for example in data.validation}
        parts = [sounds[each.voice, digit] for digit in each.digits]
        assert each.signal[-len(parts[-1]) :].equal(parts[-1])
        pause = len(each.signal) - sum(map(len, parts))
        assert 0.02 * RATE * len(parts) - len(parts) <= pause <= 0.15 * RATE * len(parts)


def test_codes_keep_a_signal_within_their_steps() -> None:
    signal = np.concatenate([np.linspace(-1, 1, 999), np.geomspace(1e-4, 1, 99)])
    back = expand(compress(signal))
    # Neighbouring codes of size s lie (s + 1/255) * log(256) / 127 apart; rounding takes half of that.
    step = (np.abs(signal) + 1 / 255) * np.log(256) / 127
    assert (np.abs(back - signal) <= 0.52 * step + 1e-7).all()
    assert compress(np.array([2.0, -2.0])).tolist() == [255, 0]


def test_a_tone_keeps_its_pitch_at_another_rate_and_silence_is_cut() -> None:
    times = np.arange(22050) / 22050
    tone = build.resample(np.sin(2 * np.pi * 440 * times), 22050)
    assert len(tone) == RATE
    assert np.abs(tone - np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).max() < 1e-9
    high = build.resample(np.sin(2 * np.pi * 6000 * times), 22050)  # beyond what the rate can hold
    assert np.abs(high).max() < 1e-9
    padded = np.concatenate([np.zeros(3000), tone, np.zeros(2000)])
    assert len(tone) <= len(build.trim(padded)) <= len(tone) + 4 * RATE // 100


def test_voices_that_are_nearly_the_same_are_kept_once_and_near_ones_together() -> None:
    def voice(level: float) -> list[torch.Tensor]:
        return [torch.full((20, 4), level)] * 10

    voices = {"a": 0.0, "b": 0.1, "c": 0.3, "d": 0.6, "e": 2.0, "f": 3.0}
    assert build.families({name: voice(level) for name, level in voices.items()}) == [
        ["a", "c", "d"],
        ["e"],
        ["f"],
    ]
    lone = [[f"voice {i}"] for i in range(30)]
    split = build.split_of([["a", "c", "d"], *lone])
    assert {split[name] for name in "acd"} == {"train"}
    assert [list(split.values()).count(name) for name in ("test", "validation")] == [14, 8]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
def test_the_sounds_are_made_again_byte_by_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "TABLE", tmp_path / "digits.gz")
    build.write()
    assert (tmp_path / "digits.gz").read_bytes() == corpus.TABLE.read_bytes()
