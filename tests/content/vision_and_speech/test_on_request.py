"""People's digits and photographs, which chapter 09 reads on request: from small archives of the same layout."""

from __future__ import annotations

import hashlib
import io
import wave
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import datasets
from course.content import exercises
from course.content.vision_and_speech import humans, photographs, sounds
from course.content.vision_and_speech.experiments.speech import recipe
from course.datasets.public import human_digits
from course.datasets.public import photographs as photographs_data
from course.datasets.public.archives import CIFAR_10, FREE_SPOKEN_DIGITS, Archive
from course.datasets.public.download import folder
from course.datasets.public.human_digits import HumanDigits
from course.datasets.public.photographs import Photographs
from course.datasets.spoken_digits.card import WORDS
from encoder_core.models.vision import VisionTransformer, patchify
from tests.packed import packed

SPEAKERS = ("george", "jackson", "nicolas", "theo", "yweweler")
SIZES: dict[str, Any] = {"d_model": 16, "nhead": 2, "num_layers": 2, "dim_feedforward": 24}
collapse = exercises.get("speech.ctc_collapse").model()
word_error_rate = exercises.get("speech.word_error_rate").model()


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in a test")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def keep(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, files: Mapping[str, bytes]
) -> None:
    """Put an archive where a download would have put it."""
    archive: Archive = getattr(module, name)
    made = packed(files)
    archive = replace(archive, sha256=hashlib.sha256(made).hexdigest())
    monkeypatch.setattr(module, name, archive)
    folder().mkdir(parents=True, exist_ok=True)
    (folder() / archive.file).write_bytes(made)


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> HumanDigits:
    """Twelve takes of each digit by each speaker: a chord of the digit's and the speaker's frequency."""
    files = {}
    time = np.arange(1600) / 8000
    for high, speaker in enumerate(SPEAKERS):
        for digit in range(10):
            waves = np.sin(2 * np.pi * 250 * (digit + 1) * time)
            waves += np.sin(2 * np.pi * (2900 + 200 * high) * time)
            for take in range(12):
                samples = np.round((8000 + 200 * take) * waves).astype("<i2")
                made = io.BytesIO()
                with wave.open(made, "wb") as file:
                    file.setparams((1, 2, 8000, 0, "NONE", ""))
                    file.writeframes(samples.tobytes())
                files[f"fsdd-1.0.9/recordings/{digit}_{speaker}_{take}.wav"] = made.getvalue()
    keep(monkeypatch, human_digits, "FREE_SPOKEN_DIGITS", files)
    found = datasets.load("free-spoken-digits")
    assert isinstance(found, HumanDigits)
    return found


@pytest.fixture
def listener() -> nn.Module:
    training = sounds.spoken_digits()
    return training.fresh_model(training.settings.changed(**SIZES)).eval()


@pytest.mark.parametrize(
    "card", [FREE_SPOKEN_DIGITS.card, CIFAR_10.card], ids=lambda card: card.name
)
def test_without_the_set_a_sentence_says_so(card: datasets.Card, listener: nn.Module) -> None:
    def ask(download: bool) -> str:
        if card is CIFAR_10.card:
            return photographs.learn(download=download)
        return humans.hear(listener, collapse, word_error_rate, download=download)

    assert ask(False).startswith(
        f"{card.name} is not on this machine, and nothing was fetched. Set fetch = True to download it ("
    )
    assert "MB); that needs a network." in ask(False)
    said = ask(True)
    assert said.startswith(f"Nothing was computed. {card.name} could not be fetched from https://")
    assert said.count("no network in a test. Is there a network?") == 1


def test_an_archive_that_changed_is_named(
    monkeypatch: pytest.MonkeyPatch, listener: nn.Module
) -> None:
    keep(monkeypatch, human_digits, "FREE_SPOKEN_DIGITS", {"a/recordings/1_theo_0.wav": b"RIFF"})
    said = humans.hear(listener, collapse, word_error_rate)
    assert said.startswith("Nothing was computed. free-spoken-digits is not what it was: a/rec")
    keep(monkeypatch, photographs_data, "CIFAR_10", {"test_batch.bin": b"\x0c"})
    said = photographs.learn()
    assert said.startswith("Nothing was computed. cifar-10 is not what it was: test_batch has 1 b")


def test_each_speaker_is_heard_before_and_after(data: HumanDigits, listener: nn.Module) -> None:
    weights = {name: each.clone() for name, each in listener.state_dict().items()}
    settings = humans.SETTINGS.changed(steps=8, batch_size=8, warmup=0, learning_rate=1e-2)
    rows = humans.measure(listener, data, collapse, word_error_rate, settings)
    assert all(torch.equal(weights[name], each) for name, each in listener.state_dict().items())
    found = {row.who: row for row in rows}
    assert list(found) == [*SPEAKERS, "known", "unknown"]
    assert [row.known for row in rows] == [True, True, True, False, False, True, False]
    assert any(row.before != row.after for row in rows)
    questions = humans.asked(data)
    for who, names in (("theo", ["theo"]), ("known", list(humans.KNOWN))):
        utterances = [each for name in names for each in questions[name]]
        written = recipe.read(listener, [each.signal for each in utterances])
        spoken = [[WORDS[digit] for digit in each.digits] for each in utterances]
        assert found[who].before == word_error_rate(written, spoken)


def test_what_it_is_asked_it_has_not_learned_from(data: HumanDigits, listener: nn.Module) -> None:
    training = humans.adaptation(listener, data, lambda net, utterances: float(len(utterances)))
    assert {data.speaker(each) for each in training.data} == set(humans.KNOWN)
    assert len(training.data) == 3 * 10 * 2, "the takes from 10 on"
    assert not set(training.data) & {*data.validation, *data.test}
    assert training.evaluate(listener) == {"errors": 60}
    questions = humans.asked(data)
    assert {name: {each.voice for each in own} for name, own in questions.items()} == {
        name: {name} for name in SPEAKERS
    }
    assert {len(each.digits) for own in questions.values() for each in own} == {1, 2, 3, 4, 5}
    state = listener.state_dict()
    next(iter(state.values())).view(-1)[0] += 1
    again = humans.adaptation(listener, data, lambda net, utterances: 0.0)
    assert again.key != training.key, "another listener is another training"


def test_a_batch_says_the_digits_of_one_speaker_a_row(data: HumanDigits) -> None:
    takes = {name: [each for each in data.train if data.speaker(each) == name] for name in SPEAKERS}
    torch.manual_seed(0)
    chosen = [takes["theo"][0], takes["george"][3], takes["theo"][5]] * 4
    batch = humans.collate(chosen, data, takes)
    assert batch.signals.shape == (12, int(batch.samples.max()))
    assert int(batch.counts.sum()) == len(batch.words)
    assert set(batch.counts.tolist()) <= {1, 2, 3, 4, 5}
    rows = torch.split(batch.words, batch.counts.tolist())
    for row, first, signal, samples in zip(rows, chosen, batch.signals, batch.samples, strict=True):
        assert (first.label or 0) + 1 in row.tolist()
        assert not signal[samples:].any()
        # a word has 1,600 samples at speed 1, and a pause of 160 to 1,200 before it
        least, most = 1600 / max(humans.SPEEDS) + 159, 1600 / min(humans.SPEEDS) + 1201
        assert least * len(row) <= samples <= most * len(row)
    torch.manual_seed(0)
    again = humans.collate(chosen, data, takes)
    assert torch.equal(again.signals, batch.signals)


def test_the_table_tells_known_from_unknown(
    data: HumanDigits, listener: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [humans.Heard("jackson", True, 0.5, 0.125), humans.Heard("theo", False, 0.75, 0.25)]
    monkeypatch.setattr(humans, "measure", lambda *_: rows)
    lines = humans.hear(listener, collapse, word_error_rate).splitlines()
    assert lines == [
        "word errors  as trained   after 200 updates on three of them",
        "jackson           50.0%    12.5%   known, by other takes",
        "theo              75.0%    25.0%   unknown",
    ]


def painted(count: int, first: int) -> bytes:
    """Noise with a bright band, whose colour and height tell the class; in the binary version's records."""
    draw = np.random.default_rng(first)
    rows = []
    for label in (np.arange(count) % 10).tolist():
        pixels = draw.integers(0, 40, (3, 32, 32))
        top = 8 * (label // 3)
        pixels[label % 3, top : top + 8] += 180
        rows.append(bytes([label]) + pixels.astype(np.uint8).tobytes())
    return b"".join(rows)


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> Photographs:
    files = {"data_batch_1.bin": painted(300, 1), "test_batch.bin": painted(100, 2)}
    keep(monkeypatch, photographs_data, "CIFAR_10", files)
    found = datasets.load("cifar-10")
    assert isinstance(found, Photographs)
    return found


def test_it_is_a_vision_transformer_that_cuts_as_it_is_told() -> None:
    calls = []

    def cut(asked: Tensor, patch: int) -> Tensor:
        calls.append((tuple(asked.shape), patch))
        return patchify(asked, patch)

    torch.manual_seed(0)
    ours = photographs.PhotoReader(**SIZES, cut=cut).eval()
    theirs = VisionTransformer(32, 4, 10, **SIZES, pooling="mean").eval()
    theirs.load_state_dict(ours.state_dict())
    asked = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(ours(asked), theirs(asked))
    assert calls == [((2, 3, 32, 32), 4)]


def test_a_batch_is_flipped_and_shifted() -> None:
    image = torch.arange(3 * 32 * 32).reshape(3, 32, 32) % 251
    torch.manual_seed(0)
    batch, labels = photographs.collate([(image.byte(), 7)] * 40)
    assert labels.tolist() == [7] * 40
    ways = {}
    for flipped in (False, True):
        one = photographs.prepare((image.flip(-1) if flipped else image)[None].byte())[0]
        wide = F.pad(one, (4, 4, 4, 4))
        for y in range(9):
            for x in range(9):
                ways[flipped, y, x] = wide[:, y : y + 32, x : x + 32]
    taken = [[way for way, seen in ways.items() if torch.equal(seen, each)] for each in batch]
    assert all(len(way) == 1 for way in taken)
    flips = [way[0][0] for way in taken]
    assert 8 <= sum(flips) <= 32, "40 coins: fewer than 8 heads or tails have a chance of 3e-5"
    assert len({way[0][1:] for way in taken}) > 20


def test_it_learns_what_can_be_seen(images: Photographs) -> None:
    layer = exercises.get("stacking.EncoderLayer").model()
    cut = exercises.get("vision.patchify").model()
    said = photographs.learn(layer, cut, steps=60, batch_size=32, warmup=5, **SIZES)
    lines = said.splitlines()
    assert lines[0].startswith("60 updates in ")
    assert lines[0].endswith(" s, 270 photographs")
    share = float(lines[1].removeprefix("photographs never seen: ").removesuffix("% right"))
    assert share > 30, "guessing is 10 % of 100 images, and 6 standard deviations more are 28 %"
    assert lines[2].startswith("best: ")
    linear = float(lines[3].rpartition(" ")[2].removesuffix("%"))
    assert lines[3].startswith("guessing: 10.0%; a linear classifier on 64 mean colours: ")
    assert linear == pytest.approx(100 * photographs.linear_baseline(images), abs=0.06)
    assert linear > 80
