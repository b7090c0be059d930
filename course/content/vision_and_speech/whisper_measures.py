"""What section 10 measures on Whisper: transcripts, where its heads look, and what silence takes away.

All of it needs the weights; `whisper` shows a recording where they are not installed. A place is 20 ms: 320 samples.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import datasets
from encoder_core.inspect.recording import record
from encoder_core.models.whisper import Whisper, whisper_log_mel
from encoder_core.pretrained.whisper import Transcript, load_whisper, transcribe

__all__ = [
    "PLACE", "Head", "HeadMap", "Looks", "SelfHeads", "Silenced", "Written", "attention_by", "count_gone",
    "find_orders", "find_self_heads", "look_up", "map_heads", "plain_words", "signal", "silence", "silence_all",
    "transcripts", "word_times",
]  # fmt: skip

Head = tuple[int, int]  # a layer and a head of it, from 0
PLACE = 0.02  # seconds of a place of the encoder
_SAMPLES = 320  # of a place
_NEAR, _FAR = 5, 10  # places: up to 0.1 s is the neighbourhood, beyond 0.2 s is elsewhere
_BEGIN = ("<|startoftranscript|>", "<|notimestamps|>")
_SHORTEST = 0.15  # seconds that are silenced at least


class Written(NamedTuple):
    """A sentence as it stands in the book's transcript, and as the model wrote it."""

    spoken: str
    written: str


class SelfHeads(NamedTuple):
    """How the encoder's heads look, the mean of five sentences.

    Attributes:
        near: `(layers, H)`: the share of a head's weight within 0.1 s.
        alike: `(layers, H)`: how alike the spectrum is that a head looks at beyond 0.2 s (cosine, after the
            sentence's mean spectrum is subtracted), weighted with its attention.
        chance: the same without a head, over all pairs of places beyond 0.2 s.
    """

    near: Tensor
    alike: Tensor
    chance: float


class HeadMap(NamedTuple):
    """A head's weights `(N, N)`: of 40 ms as queries the mean, of 40 ms as keys the sum."""

    layer: int
    head: int
    weights: Tensor


class Looks(NamedTuple):
    """Where a head of the decoder looks while each of T tokens is written: `weights` `(T, N)`, 20 ms a place."""

    pieces: tuple[str, ...]
    weights: Tensor


class Silenced(NamedTuple):
    """What is written when a stretch of a sentence is silenced.

    Attributes:
        clip: the sentence's number.
        head: which head of the decoder told where the word is.
        word: found in the stretch from `start` to `end`, in seconds.
        before: as it is written of the whole sentence.
        after: of what is left.
        gone: whether the word itself is missing or replaced.
        others: the share of the other words that still stand.
    """

    clip: int
    head: Head
    word: str
    start: float
    end: float
    before: str
    after: str
    gone: bool
    others: float


def signal(clip: int) -> Tensor:
    """Return the sound of a sentence, `(samples,)`."""
    data = datasets.load("read-aloud")
    return data.signal(data.test[clip])  # type: ignore[attr-defined,no-any-return]


def plain_words(text: str) -> list[str]:
    """Cut a text into words: lower case, no punctuation, a hyphen between two words.

    >>> plain_words("And Mr. John Dashwood, cold-hearted")
    ['and', 'mr', 'john', 'dashwood', 'cold', 'hearted']
    """
    return re.findall(r"[a-z']+", text.lower())


def transcripts() -> list[Written]:
    """Write down the five sentences."""
    data = datasets.load("read-aloud")
    return [Written(each.text, _transcribe(number).text) for number, each in enumerate(data.test)]


@functools.cache
def _transcribe(clip: int) -> Transcript:
    return transcribe(signal(clip))


@contextmanager
def attention_by(model: Whisper, make: Callable[[nn.Module], nn.Module]) -> Iterator[None]:
    """Put what `make` returns for each attention of the encoder in its place, for a while."""
    layers = list(model.encoder.layers)
    held = [layer.self_attn for layer in layers]
    try:
        for layer, attention in zip(layers, held, strict=True):
            layer.self_attn = make(attention)  # type: ignore[arg-type]
        yield
    finally:
        for layer, attention in zip(layers, held, strict=True):
            layer.self_attn = attention


# ------------------------------------------------------------------------------------------- self-attention


@torch.inference_mode()
def find_self_heads() -> SelfHeads:
    """Measure all heads on all sentences."""
    near, alike, chance = [], [], []
    for clip in range(len(datasets.load("read-aloud").test)):
        weights, similar = _encoder_weights(clip), _similarity(clip)  # (layers, H, N, N), (N, N)
        place = torch.arange(len(similar))
        distance = (place[:, None] - place).abs()  # (N, N)
        near.append((weights * (distance <= _NEAR)).sum(-1).mean(-1))  # (layers, H)
        far = weights * (distance > _FAR)
        alike.append((far * similar).sum((-1, -2)) / far.sum((-1, -2)))
        chance.append(float(similar[distance > _FAR].mean()))
    return SelfHeads(
        torch.stack(near).mean(0), torch.stack(alike).mean(0), sum(chance) / len(chance)
    )


@torch.inference_mode()
def map_heads(heads: Sequence[tuple[int, int]], clip: int = 1) -> list[HeadMap]:
    """Return the weights of some heads on a sentence, pooled to 40 ms."""
    weights = _encoder_weights(clip)
    places = weights.shape[-1] // 2 * 2
    found = []
    for layer, head in heads:
        full = weights[layer, head, :places, :places]
        pooled = full.reshape(places // 2, 2, places // 2, 2).mean(1).sum(-1)  # (N / 2, N / 2)
        found.append(HeadMap(layer, head, pooled))
    return found


def _encoder_weights(clip: int) -> Tensor:
    """Each head's weights at the places of the sentence, `(layers, H, N, N)`; the rest of 30 s is silence."""
    model, sound = load_whisper()[0], signal(clip)
    places = len(sound) // _SAMPLES
    with record(model.encoder) as recording:
        model.encoder(model.embed(whisper_log_mel(sound[None])))
    return torch.cat([each[:, :, :places, :places] for each in recording.attention])


def _similarity(clip: int) -> Tensor:
    """How alike the spectra of each two places are, `(N, N)`."""
    sound = signal(clip)
    places = len(sound) // _SAMPLES
    mel = (
        whisper_log_mel(sound[None])[0].T[: 2 * places].reshape(places, 2, -1).mean(1)
    )  # (N, bands)
    centred = F.normalize(mel - mel.mean(dim=0), dim=-1)
    return centred @ centred.T


# ------------------------------------------------------------------------------------------ cross-attention


@torch.inference_mode()
def find_orders() -> Tensor:
    """Measure how well each head follows the reading, `(layers, H)`, the mean of five sentences.

    It is the correlation of a token's number with the place of the head's largest weight.
    """
    clips = range(len(datasets.load("read-aloud").test))
    return torch.stack([_order(_decoder_weights(clip)) for clip in clips]).mean(0)


def look_up(head: Head, clip: int) -> Looks:
    """Return where a head looks while a sentence is written."""
    return Looks(_transcribe(clip).pieces, _decoder_weights(clip)[head])


@functools.lru_cache(maxsize=5)
@torch.inference_mode()
def _decoder_weights(clip: int) -> Tensor:
    """Cross-attention while each token is written, `(layers, H, T, N)`."""
    model, words = load_whisper()
    sound, written = signal(clip), _transcribe(clip)
    ids = torch.tensor([[*map(words.index, _BEGIN), *written.ids]])  # (1, 2 + T)
    memory, _ = model.encode(whisper_log_mel(sound[None]))
    x = model.embedding(ids) + model.token_positions[: ids.shape[1]]
    with record(model.decoder) as recording:
        model.decoder(x, memory, tgt_is_causal=True)
    cross = [
        each
        for name, each in zip(recording.names, recording.attention, strict=True)
        if name.endswith("multihead_attn")
    ]
    # A token is written by the query of the token before it.
    return torch.cat(cross)[:, :, 1:-1, : len(sound) // _SAMPLES]


def _order(weights: Tensor) -> Tensor:
    """Correlate the number of a token with where each head looks most, `(layers, H)`; 0 if it never moves."""
    place = weights.argmax(dim=-1).float()  # (layers, H, T)
    number = torch.arange(place.shape[-1], dtype=torch.float)
    a, b = place - place.mean(-1, keepdim=True), number - number.mean()
    order: Tensor = (a * b).sum(-1) / (a.norm(dim=-1) * b.norm()).clamp(min=1e-6)
    return order


def word_times(looks: Looks) -> list[tuple[str, float, float]]:
    """Return each written word with the seconds in which the head finds it.

    A word begins where the weight of its first token is largest, less the 50 ms that a window reaches back, and ends
    where the next begins.
    """
    peaks = looks.weights.argmax(dim=-1).tolist()
    words: list[tuple[str, float]] = []
    for piece, peak in zip(looks.pieces, peaks, strict=True):
        if piece.startswith(" "):
            words.append((piece.strip(), PLACE * peak))
        elif re.search(r"[A-Za-z-]", piece):
            words[-1] = words[-1][0] + piece, words[-1][1]
    ends = [start for _, start in words[1:]] + [PLACE * looks.weights.shape[1]]
    found = []
    for (word, start), end in zip(words, ends, strict=True):
        begin = max(0.0, start - 0.05)
        found.append((word, begin, max(end - 0.05, begin + _SHORTEST)))
    return found


# -------------------------------------------------------------------------------------------------- silence


def silence(word: str, head: Head, clip: int) -> Silenced:
    """Silence a word of a sentence, its first occurrence, where a head finds it, and write down what is left."""
    times = word_times(look_up(head, clip))
    names = [each for each, _, _ in times]
    if word not in names:
        raise KeyError(f"Sentence {clip} has the words {', '.join(names)}; got {word!r}.")
    return _silence(clip, head, names.index(word), times)


def silence_all(head: Head, clip: int) -> list[Silenced]:
    """Silence each word of a sentence by itself."""
    times = word_times(look_up(head, clip))
    return [_silence(clip, head, number, times) for number in range(len(times))]


def _silence(clip: int, head: Head, number: int, times: list[tuple[str, float, float]]) -> Silenced:
    word, start, end = times[number]
    sound = signal(clip).clone()
    sound[int(16_000 * start) : int(16_000 * end)] = 0
    before, after = _transcribe(clip).text, transcribe(sound).text
    stands = _standing(plain_words(before), plain_words(after))
    # A written word may be several plain ones ("old-sposed"): count those before it.
    first = sum(len(plain_words(name)) for name, _, _ in times[:number])
    own = range(first, first + len(plain_words(word)))
    others = [found for place, found in enumerate(stands) if place not in own]
    gone = not all(stands[place] for place in own)
    return Silenced(clip, head, word, start, end, before, after, gone, sum(others) / len(others))


def count_gone(trials: Sequence[Silenced], offset: int = 0) -> tuple[int, int]:
    """Count how often the word `offset` places after the silenced one is gone, and of how many.

    Takes all trials of each sentence in their order, as `silence_all` returns them.
    """
    gone = count = 0
    for clip in dict.fromkeys(each.clip for each in trials):
        own = [each for each in trials if each.clip == clip]
        spans, start = [], 0
        for each in own:
            spans.append(range(start, start + len(plain_words(each.word))))
            start = spans[-1].stop
        for number, each in enumerate(own):
            if 0 <= number + offset < len(own):
                stands = _standing(plain_words(each.before), plain_words(each.after))
                gone += not all(stands[place] for place in spans[number + offset])
                count += 1
    return gone, count


def _standing(before: list[str], after: list[str]) -> list[bool]:
    """Whether each word of `before` is in `after`, in order."""
    stands = [False] * len(before)
    for block in difflib.SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        for place in range(block.a, block.a + block.size):
            stands[place] = True
    return stands
