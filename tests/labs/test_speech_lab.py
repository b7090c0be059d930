"""The speech lab: it reads what the model reads, changes what it says, keeps no voice, refuses."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import encoder_core
from course import labs
from course.labs.speech.challenges import TASKS
from course.labs.speech.compute import (
    LONGEST,
    LOUDEST,
    MOST,
    NONE,
    SPOKEN,
    Listener,
    Settings,
    stretch,
)
from course.labs.speech.view import pack_sound, unpack_sound
from course.labs.speech.widget import NOT_KEPT, UNREADABLE, SpeechLab
from course.system.outputs import with_page
from encoder_core.inspect.recording import record
from encoder_core.models.log_mel import LogMel
from encoder_core.models.speech import SpeechEncoder, ctc_collapse
from tests.browser.toy_speech import MODEL
from tests.close import assert_close
from tests.labs.front import Front
from tests.typed import fits_a_notebook

NAMES = ["blank", "low", "middle", "high"]
RATE = 8000


@pytest.fixture(scope="module")
def toy() -> dict[str, Any]:
    """What the browser tests' cell makes: a reader of three tones, and its clips."""
    made: dict[str, Any] = {"torch": torch, "encoder_core": encoder_core}
    exec(MODEL, made)
    return made


@pytest.fixture
def lab(toy: dict[str, Any]) -> SpeechLab:
    return labs.SpeechLab(toy["listener"], toy["clips"], NAMES)


def plain(model: nn.Module, signal: Tensor) -> Tensor:
    """The model's logits `(F, V)` on one signal."""
    with torch.no_grad():
        logits, lengths = model(signal[None], torch.tensor([len(signal)]))
    found: Tensor = logits[0, : int(lengths[0])]
    return found


def random_listener(seed: int) -> Listener:
    torch.manual_seed(seed)
    model = SpeechEncoder(4, 8, 2, front_end=LogMel(rate=RATE, bands=12)).train()
    with torch.no_grad():
        model.classifier.weight.mul_(20)
    clips = [(str(n), 0.3 * torch.randn(3000 + 1700 * n).clamp(-1, 1), ()) for n in range(3)]
    return Listener(model, clips, NAMES, 0, RATE)


@pytest.mark.parametrize("seed", range(3))
def test_the_lab_reads_what_the_model_reads(seed: int) -> None:
    listener = random_listener(seed)
    model, signal = listener.model, listener.clips[seed][1]
    front_end: Any = model.front_end
    found = listener.listen(Settings(clip=seed))
    assert model.training  # as it was given
    model.eval()
    expected = plain(model, signal).softmax(dim=-1)
    assert_close(torch.from_numpy(found.probabilities), expected, terms=64)
    best = expected.argmax(dim=-1).tolist()
    assert list(found.text) == ctc_collapse(best, 0) == [run.word for run in found.runs]
    for run in found.runs:
        assert best[run.first : run.last + 1] == [run.word] * (run.last - run.first + 1)
        assert found.run_at(run.first) == found.run_at(run.last) == found.runs.index(run)
        assert run.probability == pytest.approx(expected[run.first : run.last + 1, run.word].max())
    assert len(found.energies) == front_end.lengths(torch.tensor([len(signal)])).item()
    assert_close(torch.from_numpy(found.energies), front_end(signal[None])[0])
    with torch.no_grad(), record(model) as recording:
        model(signal[None])
    assert found.attention is not None
    assert_close(torch.from_numpy(found.attention), torch.cat(recording.attention), terms=16)
    assert found.pitch == 0.04
    assert found.seconds == len(signal) / RATE


def test_each_part_of_the_model_keeps_its_mode() -> None:
    listener = random_listener(0)
    listener.model.train().encoder.eval()  # type: ignore[union-attr]
    before = [part.training for part in listener.model.modules()]
    assert {True, False} <= set(before)
    first, second = (listener.listen(Settings()).probabilities for _ in range(2))
    assert (first == second).all()  # nothing was dropped
    assert [part.training for part in listener.model.modules()] == before


def test_changes_are_made_one_after_the_other() -> None:
    listener = random_listener(0)
    first, second = (signal for _, signal, _ in listener.clips[:2])
    joined, _, _ = listener.heard(Settings(then=1))
    assert torch.equal(joined, torch.cat([first, second]))
    cut, _, _ = listener.heard(Settings(cut_from=0.1, cut_to=0.2))
    assert cut[800:1600].abs().max() == 0
    assert torch.equal(cut[:800], first[:800])
    assert torch.equal(cut[1600:], first[1600:])
    assert first[800:1600].abs().max() > 0  # the clip itself is as it was
    for decibels in (LOUDEST, 0, 20):
        quiet = 0.02 * first  # nothing of it is clipped
        noisy, _, _ = Listener(
            listener.model, [("quiet", quiet, ())], NAMES, 0, RATE
        ).heard(Settings(noise=decibels))  # fmt: skip
        ratio = quiet.square().mean() / (noisy - quiet).square().mean()
        # The power of 3,000 samples of noise varies by sqrt(2 / 3000): five times that is 0.6 dB.
        assert float(10 * ratio.log10()) == pytest.approx(decibels, abs=0.6)
    long, _, trimmed = listener.heard(Settings(then=2, speed=0.7))
    assert not trimmed
    assert len(long) == round((len(first) + len(listener.clips[2][1])) / 0.7)


@pytest.mark.parametrize("speed", [0.7, 0.85, 1.0, 1.3])
def test_a_stretched_tone_is_a_tone_of_another_pitch(speed: float) -> None:
    time = torch.arange(RATE) / RATE
    found = stretch(torch.sin(2 * torch.pi * 400 * time), speed)
    assert len(found) == round(RATE / speed)
    # 400 periods before and after; float32's angles of up to 2,500 have errors of about 1e-4.
    expected = torch.sin(2 * torch.pi * 400 * torch.arange(len(found)) / len(found))
    assert (found - expected).abs().max() < 1e-3
    above = stretch(torch.sin(2 * torch.pi * 3500 * time), 1.4)  # 4,900 Hz has no place below 4,000
    assert above.abs().max() < 1e-2


def test_what_is_read_is_told_in_words_tables_and_a_still_picture(lab: SpeechLab) -> None:
    front = Front(lab).ready()
    told = front.last["summary"]
    assert "read as “low high middle”. That is right." in told
    sound = front.panels["sound"]
    assert [run["word"] for run in sound["runs"]] == ["low", "high", "middle"]
    assert len(front.data["sound"]["energies"]) == sound["rows"] * sound["columns"]
    assert len(front.data["sound"]["curves"]) == 4 * 2 * sound["frames"]
    assert sum(sound["looks"]) == pytest.approx(1, abs=1e-4 * sound["frames"])
    heard = unpack_sound(front.data["sound"]["sound"])
    np.testing.assert_allclose(heard, lab.shown().signal, atol=0.5 / 32767 + 1e-7)
    assert front.panels["words"]["row_labels"] == ["low", "high", "middle"]
    rows = {row["label"]: row for row in front.panels["texts"]["rows"]}
    assert rows["Read"]["right"]
    front.move(noise=LOUDEST)
    rows = {row["label"]: row for row in front.panels["texts"]["rows"]}
    assert not rows["Read"]["right"]
    assert "Said is “low high middle”." in front.last["summary"]
    still = lab.still()
    assert repr(lab) == f"SpeechLab(noise={LOUDEST})"
    assert still["text/plain"].startswith(repr(lab))
    ElementTree.fromstring(still["image/svg+xml"])
    for page in with_page(still).values():
        fits_a_notebook(page)


def test_the_samples_are_sent_to_a_view_that_opens_and_when_they_are_to_be_played(
    lab: SpeechLab,
) -> None:
    front = Front(lab).ready()
    assert "sound" in front.data["sound"]
    front.move(speed=0.8)
    assert front.data["sound"].keys() == {"energies", "curves"}
    assert len(lab.first_message()["buffers"]) == 4  # with the table's numbers
    front.move(frame=2)
    assert "sound" not in front.sent_last
    for asked in (1, 2):  # of two views each may ask
        front.move(hear=asked)
        heard = unpack_sound(front.data["sound"]["sound"])
        np.testing.assert_allclose(heard, lab.shown().signal, atol=0.5 / 32767 + 1e-7)
    front.move(frame=3)
    assert "sound" not in front.sent_last
    front.move(noise=LOUDEST)
    assert "sound" not in front.data["sound"]
    lab._handle_custom_msg({"type": "ready", "view": "view-2"}, [])  # another view opens
    front.move(frame=4)
    assert "sound" not in front.sent_last


def test_the_frame_moves_by_keys_words_and_clips(lab: SpeechLab) -> None:
    front = Front(lab).ready()
    front.move(frame=3)
    assert "sound" not in front.sent_last  # no sound is sent again for a step
    assert front.panels["sound"]["chosen"] == [0, 3]
    front.move(word=2)
    run = lab.shown().runs[2]
    assert run.first <= lab.settings["frame"] <= run.last
    assert front.panels["words"]["chosen"] == 2
    front.move(frame=10**6)
    assert lab.settings["frame"] == len(lab.shown().probabilities) - 1
    before = front.panels["sound"]["looks"]
    front.move(head=1)
    assert front.panels["sound"]["looks"] != before
    front.move(next=True)
    assert lab.settings["clip"] == 1
    front.move(before=True)
    front.move(before=True)
    assert lab.settings["clip"] == 2


def test_a_stretch_is_silenced_at_the_frame_and_around_a_word(lab: SpeechLab) -> None:
    front = Front(lab).ready()
    front.move(frame=5)
    front.move(begin_cut=True)
    front.move(frame=9)
    front.move(end_cut=True)
    assert (lab.settings["cut_from"], lab.settings["cut_to"]) == (0.2, 0.4)
    assert lab.shown().signal[1600:3200].any() == np.False_
    front.move(cut_word=True)
    assert lab.shown().signal[1600:3200].any()
    front.move(word=1)
    front.move(cut_word=True)
    low, high, middle = ((run.first + run.last + 1) / 2 * 0.04 for run in lab.unchanged().runs)
    assert lab.settings["cut_from"] == pytest.approx((low + high) / 2, abs=1e-3)
    assert lab.settings["cut_to"] == pytest.approx((high + middle) / 2, abs=1e-3)


def sent(signal: Tensor) -> str:
    return base64.b64encode(pack_sound(signal.numpy())).decode()


def test_a_recording_is_read_and_the_notebook_keeps_none_of_it(
    lab: SpeechLab, toy: dict[str, Any]
) -> None:
    front = Front(lab).ready()
    assert front.last["choices"]["clip"][-1][0] != SPOKEN
    voice = toy["spoken"](["high", "low"])
    front.move(recorded=sent(voice))
    assert lab.settings["clip"] == SPOKEN
    assert front.last["choices"]["clip"][-1] == [SPOKEN, "your recording"]
    assert front.last["values"]["recorded"] == ""  # the page forgets it too
    expected = plain(toy["listener"], torch.from_numpy(unpack_sound(pack_sound(voice.numpy()))))
    assert list(lab.shown().text) == ctc_collapse(expected.argmax(dim=-1).tolist(), 0)
    assert lab.still() == {"text/plain": f"{lab!r}\n{NOT_KEPT}"}
    assert lab.first_message() == {}
    front.move(recorded=sent(toy["spoken"](["low"])))
    assert list(lab.shown().text) != ctc_collapse(expected.argmax(dim=-1).tolist(), 0)
    front.move(recorded=sent(torch.randn(10 * RATE).clamp(-1, 1)))
    assert lab.shown().seconds == LONGEST
    front.move(clip=0)
    assert lab.first_message()["panels"]
    front.move(forget=True)
    assert lab.listener.spoken is None


def test_what_is_invalid_is_told(lab: SpeechLab, toy: dict[str, Any]) -> None:
    front = Front(lab).ready()
    front.move(recorded="no base64!")
    assert UNREADABLE in front.last["notice"]
    assert lab.settings["clip"] == 0
    front.move(recorded=sent(torch.zeros(3)))
    assert "shorter than one frame" in front.last["notice"]
    front.move(clip=SPOKEN)
    assert "There is no recording yet" in front.last["notice"]
    front.move(clip=0, cut_to=99.0)
    assert f"between 0 and {MOST:g} s" in front.last["notice"]
    front.move(cut_to=0.0, speed=9)
    assert "The speed must be from 0.7 to 1.4" in front.last["notice"]
    with pytest.raises(ValueError, match="no clip 7"):
        labs.SpeechLab(toy["listener"], toy["clips"], NAMES, clip=7)
    with pytest.raises(ValueError, match="at least one clip"):
        labs.SpeechLab(toy["listener"], [], NAMES)
    with pytest.raises(ValueError, match=r"should be a signal \(samples,\)"):
        labs.SpeechLab(toy["listener"], [("two", torch.zeros(1, 9000), ["low"])], NAMES)


def test_what_is_too_long_is_cut_and_told(toy: dict[str, Any]) -> None:
    long = ("long", torch.zeros(round(0.75 * MOST * RATE)), ["low"])
    lab = labs.SpeechLab(toy["listener"], [long], NAMES, then=0)
    assert lab.shown().seconds == MOST
    assert "left out" in lab.drawing().notice


class OwnLayer(nn.Module):
    """A layer that has no attention of this package's."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, src: Tensor, **_: object) -> Tensor:
        changed: Tensor = src + self.linear(src)
        return changed


def test_a_model_without_attention_to_record_is_shown_without_it() -> None:
    model = SpeechEncoder(4, 8, 2, front_end=LogMel(rate=RATE, bands=12))
    model.encoder.layers[0] = OwnLayer()
    model.encoder.layers[1] = OwnLayer()
    lab = labs.SpeechLab(model, [("noise", 0.1 * torch.randn(4000), ())], NAMES)
    front = Front(lab).ready()
    assert front.panels["sound"]["looks"] == []
    assert all(group["label"] != "Attention of the frame" for group in lab.form()["groups"])


def test_tasks_are_reached_by_what_they_ask_for(lab: SpeechLab) -> None:
    front = Front(lab).ready()

    def reached() -> set[str]:
        return {each["id"] for each in front.challenges if "why" in each}

    front.move(noise=LOUDEST)
    assert "noise-alone" in reached()
    front.move(noise=40, clip=1, then=NONE)
    assert "twice" not in reached()  # "middle low low" alone joins nothing
    front.move(clip=1, then=0)
    read = [lab.listener.word(i) for i in lab.shown().text]
    assert any(a == b for a, b in pairwise(read))
    assert "twice" in reached()
    front.move(clip=0, then=NONE, cut_from=0.0, cut_to=0.7)
    assert [run.word for run in lab.shown().runs] == [2]
    assert "one-word-gone" not in reached()  # two are
    front.move(cut_to=0.36)
    assert "one-word-gone" in reached()
    front.move(cut_word=True)
    attention = lab.shown().attention
    assert attention is not None
    place = np.arange(attention.shape[-1])
    away = np.abs(place[:, None] - place) * 0.04 > 0.4
    clear = (attention == attention.max(axis=-1, keepdims=True)) & (attention >= 0.15)
    found = (clear & away).any(axis=-1)  # (layers, H, F)
    (far_look,) = (each.reached for each in TASKS.challenges if each.id == "far-look")
    layer, head, frame = np.argwhere(~found)[0]
    front.move(layer=int(layer), head=int(head), frame=int(frame))
    assert not far_look(lab)
    layer, head, frame = np.argwhere(found)[0]
    front.move(layer=int(layer), head=int(head), frame=int(frame))
    assert far_look(lab)
    assert "far-look" in reached()
