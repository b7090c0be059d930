"""Public sets of images and sounds, with small archives of the same layout on a server of this machine.

The real archives have never been read here: no test goes beyond this machine.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import re
import shutil
import struct
import threading
import wave
import zlib
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from course import datasets
from course.datasets.dataset import Card
from course.datasets.public import human_digits, photographs
from course.datasets.public.archives import (
    ARCHIVES,
    CIFAR_10,
    FREE_SPOKEN_DIGITS,
    SPEECH_COMMANDS,
    Archive,
)
from course.datasets.public.download import folder
from course.datasets.public.fetch import NotHereError
from course.datasets.public.showing import Players
from course.datasets.public.waves import read_wav
from course.datasets.spoken_digits.card import RATE, WORDS
from course.system.png import rgb_png
from tests.packed import packed

Files = dict[str, bytes]


class Shelf:
    """A server on this machine: what it has, how often it was asked, how many answers it cuts off."""

    def __init__(self) -> None:
        self.content, self.asked, self.breaks = b"", 0, 0
        shelf = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shelf.asked += 1
                if not shelf.content:
                    self.send_error(404)
                    return
                shelf.breaks -= 1
                sent = shelf.content[:40] if shelf.breaks >= 0 else shelf.content
                self.send_response(200)
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def publish(self, archive: Archive, files: Files) -> Archive:
        """Offer a tar file; return the archive with its address, size and sum."""
        return self.offer(archive, packed(files))

    def offer(self, archive: Archive, content: bytes) -> Archive:
        self.content = content
        card = replace(archive.card, size=len(content))
        url = f"http://127.0.0.1:{self.server.server_port}/set.tar.gz"
        return replace(archive, card=card, url=url, sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    found = Shelf()
    yield found
    found.close()


def tone(seconds: float, rate: int = RATE, hertz: float = 500.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def as_wav(signal: np.ndarray, rate: int = RATE, channels: int = 1, width: int = 2) -> bytes:
    made = io.BytesIO()
    samples = (
        (128 + 127 * signal).astype(np.uint8) if width == 1 else (32767 * signal).astype("<i2")
    )
    with wave.open(made, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(samples, channels).tobytes())
    return made.getvalue()


@functools.cache
def spoken(speakers: tuple[str, ...] = ("george", "nicolas", "theo"), takes: int = 12) -> Files:
    """Files as in the release v1.0.9: its folder, what is no recording, 8 kHz, 16 bits."""
    root = "free-spoken-digit-dataset-1.0.9"
    files = {f"{root}/README.md": b"# Free Spoken Digit Dataset", f"{root}/utils/fsdd.py": b"pass"}
    for speaker in speakers:
        for digit in range(10):
            for take in range(takes):
                signal = tone(0.02, hertz=100.0 * (digit + 1))
                files[f"{root}/recordings/{digit}_{speaker}_{take}.wav"] = as_wav(signal)
    return files


def batch(labels: list[int], first: int = 0) -> bytes:
    """Records as in the binary version: a label, 1,024 bytes of red, of green, of blue."""
    rows = []
    for number, label in enumerate(labels, start=first):
        channels = [bytes([number % 256]) * 1024, bytes(range(256)) * 4, bytes([label]) * 1024]
        rows.append(bytes([label]) + b"".join(channels))
    return b"".join(rows)


def photos() -> Files:
    root = "cifar-10-batches-bin"
    files = {f"{root}/batches.meta.txt": b"airplane\n", f"{root}/readme.html": b"<html>"}
    files[f"{root}/test_batch.bin"] = batch([3, 9])  # not in the order of the names
    for number in (2, 1):
        labels = [(row + number) % 10 for row in range(30)]
        files[f"{root}/data_batch_{number}.bin"] = batch(labels, 30 * (number - 1))
    return files


@pytest.fixture
def digits(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> human_digits.HumanDigits:
    archive = shelf.publish(FREE_SPOKEN_DIGITS, spoken())
    monkeypatch.setattr(human_digits, "FREE_SPOKEN_DIGITS", archive)
    found = datasets.load("free-spoken-digits", download=True)
    assert isinstance(found, human_digits.HumanDigits)
    return found


@pytest.fixture
def images(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> photographs.Photographs:
    monkeypatch.setattr(photographs, "CIFAR_10", shelf.publish(CIFAR_10, photos()))
    found = datasets.load("cifar-10", download=True)
    assert isinstance(found, photographs.Photographs)
    return found


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.card.name)
def test_a_card_names_the_release_and_is_listed(archive: Archive) -> None:
    card: Card = archive.card
    assert card.download
    assert re.fullmatch("[0-9a-f]{64}", archive.sha256)
    assert archive.sha256[:8] in card.origin
    assert archive.url.startswith("https://")
    assert card in datasets.available().cards


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.card.name)
def test_nothing_is_fetched_without_being_asked(
    archive: Archive, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("it was asked for"))
    with pytest.raises(FileNotFoundError) as caught:
        datasets.load(archive.card.name)
    name = archive.card.name
    said = str(caught.value)
    assert said.startswith(f"{name} is not on this machine. datasets.load(")
    assert all(part in said for part in ("download=True", archive.url, archive.card.licence, "MB"))
    assert not folder().exists()


def test_it_is_fetched_once_and_kept(shelf: Shelf, digits: human_digits.HumanDigits) -> None:
    assert shelf.asked == 1
    again = datasets.load("free-spoken-digits")
    assert shelf.asked == 1
    assert again == digits
    sum_ = hashlib.sha256(shelf.content).hexdigest()
    assert [path.name for path in folder().iterdir()] == [f"free-spoken-digits-{sum_[:8]}.tar.gz"]


def test_a_broken_download_is_repeated_once(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = shelf.publish(CIFAR_10, photos())
    monkeypatch.setattr(photographs, "CIFAR_10", archive)
    shelf.breaks = 2
    with pytest.raises(
        NotHereError, match=r"not what was published: .* and has 40 bytes\. Nothing"
    ):
        datasets.load("cifar-10", download=True)
    assert shelf.asked == 2
    assert not list(folder().iterdir())
    shelf.breaks = 1
    assert len(datasets.load("cifar-10", download=True).test) == 2
    (folder() / archive.file).write_bytes(b"damaged since")
    with pytest.raises(NotHereError, match=r"cifar-10 is broken on this machine\. datasets\.load"):
        datasets.load("cifar-10")
    assert len(datasets.load("cifar-10", download=True).test) == 2


def test_without_a_network_or_room_one_sentence_says_so(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive = shelf.publish(FREE_SPOKEN_DIGITS, spoken(takes=1))
    monkeypatch.setattr(human_digits, "FREE_SPOKEN_DIGITS", archive)
    shelf.content = b""
    with pytest.raises(
        NotHereError, match=r"fetched from http://\S+: Not Found\. Is there a network"
    ):
        datasets.load("free-spoken-digits", download=True)
    away = replace(archive, url="http://127.0.0.1:9/set.tar.gz")  # nobody listens there
    monkeypatch.setattr(human_digits, "FREE_SPOKEN_DIGITS", away)
    with pytest.raises(NotHereError, match=r"could not be fetched .* refused\. Is there a network"):
        datasets.load("free-spoken-digits", download=True)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(
        NotHereError, match=r"has room for 1 kB\. Make room, or name another folder"
    ):
        datasets.load("free-spoken-digits", download=True)
    assert not list(folder().iterdir())
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        NotHereError, match=r"can't be kept in .* Name a folder that can be written"
    ):
        datasets.load("free-spoken-digits", download=True)


def test_a_copy_that_was_fetched_elsewhere_is_taken(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = shelf.publish(FREE_SPOKEN_DIGITS, spoken(takes=1))
    monkeypatch.setattr(human_digits, "FREE_SPOKEN_DIGITS", archive)
    content, shelf.content = shelf.content, b""
    copy = folder() / archive.file
    with pytest.raises(NotHereError, match=re.escape(f"fetched elsewhere may lie at {copy}.")):
        datasets.load("free-spoken-digits", download=True)
    copy.write_bytes(content)
    assert len(datasets.load("free-spoken-digits").test) == 30


def test_a_wrong_name_and_a_wrong_setting_are_named(shelf: Shelf) -> None:
    with pytest.raises(KeyError, match="no data set 'cifar10'; did you mean 'cifar-10'"):
        datasets.load("cifar10")
    with pytest.raises(ValueError, match="take 'takes', each speaker known, or 'speakers'"):
        datasets.load("free-spoken-digits", split="people")


def test_the_takes_are_split_as_their_makers_do(digits: human_digits.HumanDigits) -> None:
    assert tuple(map(len, (digits.train, digits.validation, digits.test))) == (60, 150, 150)
    takes = {
        name: {int(each.source.rpartition(" ")[2]) for each in getattr(digits, name)}
        for name in ("train", "validation", "test")
    }
    assert takes == {"test": {0, 1, 2, 3, 4}, "validation": {5, 6, 7, 8, 9}, "train": {10, 11}}
    everyone = {digits.speaker(each) for each in digits.test}
    assert (
        everyone == {digits.speaker(each) for each in digits.train} == {"george", "nicolas", "theo"}
    )
    assert all(each.text == WORDS[each.label or 0] for each in digits.train)


def test_speakers_can_be_held_out(digits: human_digits.HumanDigits) -> None:
    apart = datasets.load("free-spoken-digits", split="speakers")
    assert isinstance(apart, human_digits.HumanDigits)
    parts = {name: getattr(apart, name) for name in ("train", "validation", "test")}
    who = {name: {apart.speaker(each) for each in part} for name, part in parts.items()}
    assert who == {"train": {"george"}, "validation": {"nicolas"}, "test": {"theo"}}
    assert {len(part) for part in parts.values()} == {120}


def test_a_sound_is_what_was_recorded(digits: human_digits.HumanDigits) -> None:
    for example in digits.test[:20]:
        signal = digits.signal(example)
        expected = tone(0.02, hertz=100.0 * ((example.label or 0) + 1))
        # mu-law has 127 steps a side: the largest is log(256) / 127 of a sample's size, half of it either way
        bound = 0.5 * np.log(256) / 127 * (np.abs(expected).max() + 1 / 255) * 1.05
        assert signal.shape == (160,)
        assert float(np.abs(signal.numpy() - expected).max()) < bound


def test_digits_are_joined_to_utterances_of_one_speaker(digits: human_digits.HumanDigits) -> None:
    made = digits.utterances(digits.test, 40, (2, 4), seed=3)
    assert {len(each.digits) for each in made} == {2, 3, 4}
    assert {each.voice for each in made} == {"george", "nicolas", "theo"}
    again = digits.utterances(digits.test, 40, (2, 4), seed=3)
    assert all(torch.equal(a.signal, b.signal) for a, b in zip(made, again, strict=True))
    # each digit has its own frequency, so the signal says what the digits are
    short = next(each for each in made if len(set(each.digits)) == 2 == len(each.digits))
    spectrum = torch.fft.rfft(short.signal, n=RATE).abs()  # 1 Hz a bin
    said = {digit for digit in range(10) if spectrum[100 * (digit + 1)] > 0.5 * spectrum.max()}
    assert 2 * (160 + 160) <= len(short.signal) <= 2 * (160 + 1200)  # a pause before each digit
    assert set(short.digits) <= said
    with pytest.raises(ValueError, match="no examples to join"):
        digits.utterances((), 1, (1, 1))


def test_ten_sounds_can_be_played(digits: human_digits.HumanDigits) -> None:
    shown = digits.show(10)
    assert isinstance(shown, Players)
    assert [each.text for each in shown.examples] == list(WORDS)
    assert len({digits.speaker(each) for each in shown.examples}) > 1, "of more than one speaker"
    assert len(repr(shown).splitlines()) == 10
    assert "0.02 s" in repr(shown)
    html = shown._repr_html_()
    played = re.findall(r'src="data:audio/wav;base64,([^"]+)"', html)
    assert len(played) == 10
    signal = read_wav(base64.b64decode(played[3]))
    # 16-bit samples: half a step of 1/32767, and the factor 32768 / 32767 between the two ways
    expected = digits.signal(shown.examples[3]).numpy()
    assert np.abs(signal - expected).max() < 1 / 32767
    assert "three, " in html


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a/README.md": b"gone"}, r"no file is named like recordings.*; another is a/README.md"),
        ({"a/recordings/7_jackson_3.wav": b"RIFF"}, r"7_jackson_3\.wav is no WAV file"),
        ({"a/recordings/7_jackson_3.wav": as_wav(np.zeros(0))}, "without a single sample"),
    ],
)
def test_another_layout_is_named(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, files: Files, said: str
) -> None:
    archive = shelf.publish(FREE_SPOKEN_DIGITS, files)
    monkeypatch.setattr(human_digits, "FREE_SPOKEN_DIGITS", archive)
    with pytest.raises(ValueError, match=f"free-spoken-digits is not what it was: .*{said}"):
        datasets.load("free-spoken-digits", download=True)


def test_what_is_no_archive_is_named(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.publish(CIFAR_10, photos())
    cut_off = shelf.content[:300]
    for content in (b"<html>moved</html>", cut_off):
        monkeypatch.setattr(photographs, "CIFAR_10", shelf.offer(CIFAR_10, content))
        with pytest.raises(ValueError, match=r"cifar-10 is not what it was: .* can't be read: "):
            datasets.load("cifar-10", download=True)


def commands() -> Files:
    """Files as in version 0.02: other words, noise, lists; one second at 16 kHz."""
    second = as_wav(tone(1.0, 16_000), 16_000)
    files = {"./README.md": b"Speech Commands", "./_background_noise_/pink.wav": second}
    for word in ("seven", "bed", "one"):
        for speaker in ("004ae714", "0a7c2a8d", "f17be97f"):
            files[f"./{word}/{speaker}_nohash_0.wav"] = second
    files["./validation_list.txt"] = b"bed/0a7c2a8d_nohash_0.wav\nseven/0a7c2a8d_nohash_0.wav\n"
    files["./testing_list.txt"] = b"one/f17be97f_nohash_0.wav\nseven/f17be97f_nohash_0.wav\n"
    return files


def test_speech_commands_are_its_digits_at_8_khz(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = shelf.publish(SPEECH_COMMANDS, commands())
    monkeypatch.setattr(human_digits, "SPEECH_COMMANDS", archive)
    data = datasets.load("speech-commands", download=True)
    assert isinstance(data, human_digits.HumanDigits)
    assert tuple(map(len, (data.train, data.validation, data.test))) == (3, 1, 2)
    assert {(each.text, data.speaker(each)) for each in data.test} == {
        ("one", "f17be97f"),
        ("seven", "f17be97f"),
    }
    signal = data.signal(data.test[0])
    assert signal.shape == (8000,)
    # the tone is 500 whole turns, so that resampling keeps it; mu-law: see above
    assert float((signal - torch.from_numpy(tone(1.0))).abs().max()) < 0.012
    unlisted = {name: content for name, content in commands().items() if "testing" not in name}
    archive = shelf.publish(SPEECH_COMMANDS, unlisted)
    monkeypatch.setattr(human_digits, "SPEECH_COMMANDS", archive)
    with pytest.raises(ValueError, match=r"validation_list\.txt or testing_list\.txt is missing"):
        datasets.load("speech-commands", download=True)


@pytest.mark.parametrize(("channels", "width"), [(1, 2), (2, 2), (1, 1)])
def test_wav_files_of_other_kinds(channels: int, width: int) -> None:
    signal = read_wav(as_wav(tone(0.1), RATE, channels, width))
    assert signal.shape == (800,)
    # a sample of 8 bits is off by a step of 1/128 at most; of 16 bits by 1/32768, and scaled by 32767 / 32768
    assert np.abs(signal - tone(0.1)).max() < (2 / 128 if width == 1 else 2 / 32768)


def test_wav_files_that_can_not_be_read() -> None:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 3, RATE, 0, "NONE", ""))
        file.writeframes(bytes(30))
    with pytest.raises(ValueError, match="24-bit samples, where 8 or 16 were expected"):
        read_wav(made.getvalue())
    cut_off = as_wav(tone(0.1))[:30]
    with pytest.raises(ValueError, match="no WAV file that can be read"):
        read_wav(cut_off)


def test_images_are_read_in_the_order_of_their_batches(images: photographs.Photographs) -> None:
    assert tuple(map(len, (images.train, images.validation, images.test))) == (54, 6, 2)
    everything = {each.text for each in (*images.train, *images.validation, *images.test)}
    assert len(everything) == 62 == len(images.pixels)
    assert {each.text: each.label for each in images.test} == {
        "cat (image 60)": 3,
        "truck (image 61)": 9,
    }
    for example in images.train:
        pixels = images.pixels[images.numbers[example.text]]
        number = int(example.text.split()[-1][:-1])
        red, green, blue = pixels.int()
        assert set(red.flatten().tolist()) == {number}
        assert green.flatten().tolist() == [*range(256)] * 4
        assert set(blue.flatten().tolist()) == {example.label}
    chosen, labels = images.tensors(images.test)
    assert chosen.shape == (2, 3, 32, 32)
    assert chosen.dtype == torch.uint8
    assert labels.tolist() == [3, 9]
    assert torch.equal(images.image(images.test[0]), chosen[0].float() / 255)
    assert {each.label for each in images.few(2).train} == set(range(10))


def test_ten_images_are_shown_as_images(images: photographs.Photographs) -> None:
    shown = images.show(10)
    assert [each.label for each in shown.examples] == list(range(10))
    html = shown._repr_html_()
    drawn = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert len(drawn) == 10
    assert 'alt="horse"' in html
    expected = images.pixels[images.numbers[shown.examples[7].text]].permute(1, 2, 0)
    assert torch.equal(torch.from_numpy(read_png(base64.b64decode(drawn[7]))), expected)
    lines = repr(shown).splitlines()
    assert max(map(len, lines)) <= 92
    assert lines[0].split() == ["airplane", "automobile"]
    assert len(lines) == 5 * 18 - 1


def read_png(content: bytes) -> np.ndarray:
    """Read the PNG files that `rgb_png` writes: 8 bits, RGB, no filter; each chunk's sum is compared."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        chunks[kind] = content[at + 8 : at + 8 + size]
        (sum_,) = struct.unpack(">I", content[at + 8 + size : at + 12 + size])
        assert sum_ == zlib.crc32(kind + chunks[kind])
        at += 12 + size
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3).copy()


def test_a_png_file_is_what_another_reader_sees() -> None:
    Image = pytest.importorskip("PIL.Image", reason="Pillow, which reads PNG, is not installed")
    pixels = bytes(range(2 * 3 * 3))
    made = rgb_png(np.frombuffer(pixels, np.uint8).reshape(2, 3, 3))
    with Image.open(io.BytesIO(made)) as image:
        assert (image.size, image.mode, image.tobytes()) == ((3, 2), "RGB", pixels)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (batch([1, 2])[:-1], "test_batch has 6,145 bytes, no multiple of 3,073"),
        (batch([1, 12]), "in row 1 of test_batch, the label is 12, not a number from 0 to 9"),
        (None, "it has data_batch_1, data_batch_2 and no more"),
    ],
)
def test_images_of_another_layout_are_named(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, content: bytes | None, said: str
) -> None:
    files = {name: kept for name, kept in photos().items() if "test_batch" not in name}
    if content is not None:
        files["cifar-10-batches-bin/test_batch.bin"] = content
    monkeypatch.setattr(photographs, "CIFAR_10", shelf.publish(CIFAR_10, files))
    with pytest.raises(ValueError, match=f"cifar-10 is not what it was: {said}"):
        datasets.load("cifar-10", download=True)
