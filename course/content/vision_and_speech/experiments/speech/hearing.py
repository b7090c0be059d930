"""What the chapter asks of a trained reader: where it hears a word, how far it looks, whom it fails."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import plotly.graph_objects as go
import torch
from torch import Tensor, nn

from course import figures
from course.content.vision_and_speech.experiments.speech.model import BLANK
from course.content.vision_and_speech.experiments.speech.recipe import ErrorRate, read, words
from course.datasets.dataset import Example
from course.datasets.spoken_digits.card import RATE
from course.datasets.spoken_digits.corpus import Utterance, load
from course.labs.speech.compute import find_runs
from course.labs.standard_layers import with_standard_layers
from encoder_core.inspect.recording import record

__all__ = [
    "STEP", "Kept", "Peak", "Said", "blank_only", "draw_over", "errors_by_voice", "join", "looked_away", "path_count",
    "peaks", "places", "probabilities", "right_and_wrong", "tone",
]  # fmt: skip

STEP = 0.04  # seconds from one step of the encoder to the next
_MIDDLE = 0.0125  # seconds from the start of a frame to its middle


@dataclass(frozen=True)
class Said:
    """Words that were joined, so that it is known where each begins and ends.

    Attributes:
        signal: `(samples,)`.
        words: what is said.
        spans: seconds, from and to, of each word.
    """

    signal: Tensor
    words: tuple[str, ...]
    spans: tuple[tuple[float, float], ...]


class Peak(NamedTuple):
    """Where a word is surest: the word, the seconds and the probability."""

    word: str
    seconds: float
    probability: float


def join(examples: Sequence[Example], pause: float = 0.1) -> Said:
    """Join words with a pause before each and after the last one."""
    data, parts, spans, length = load(), [], [], 0
    silence = torch.zeros(round(pause * RATE))
    for example in examples:
        signal = data.signal(example)
        parts += [silence, signal]
        start = length + len(silence)
        length = start + len(signal)
        spans.append((start / RATE, length / RATE))
    said = tuple(example.text for example in examples)
    return Said(torch.cat([*parts, silence]), said, tuple(spans))


def tone(hertz: float, seconds: float, rate: int = RATE) -> Tensor:
    """Return a pure tone `(samples,)`."""
    return (2 * math.pi * hertz * torch.arange(round(seconds * rate)) / rate).sin()


class Kept(Protocol):
    """The kept moments of a training, such as a theatre's `moments`."""

    @property
    def steps(self) -> Sequence[int]:
        """The updates after which a moment was kept."""

    def model(self, step: int) -> nn.Module:
        """The model of a moment."""


def blank_only(
    moments: Kept, signals: Sequence[Tensor], until: int = 120, count: int = 8
) -> dict[int, float]:
    """Return for kept moments up to an update the share of signals for which nothing but blanks is written.

    At most `count` of them, evenly picked; none where only the end was kept.
    """
    early = [step for step in moments.steps if step <= until]
    picked = early[:: max(1, math.ceil(len(early) / count))]
    found = {}
    for step in picked:
        texts = read(moments.model(step).eval(), signals)
        found[step] = sum(not text for text in texts) / len(texts)
    return found


def path_count(words: int, steps: int) -> int:
    """Return how many paths spell a text without two equal words in a row.

    A path cuts the steps into runs. With a blank before, between and after T words there are 2 T + 1 runs of which
    the T + 1 of blanks may be empty; so 2 T cuts are drawn from steps + T places.

    >>> path_count(words=1, steps=3)
    6
    """
    return math.comb(steps + words, 2 * words)


@torch.no_grad()
def probabilities(net: nn.Module, signal: Tensor) -> Tensor:
    """Return the probability of each symbol at each step, `(N', V)`, of a signal `(samples,)`."""
    logits: Tensor = net(signal[None])[0]  # (1, N', V)
    return logits[0].softmax(dim=-1)


def peaks(found: Tensor) -> list[Peak]:
    """Return the surest step of each run of a word in the likeliest path of `(N', V)` probabilities."""
    path = found.argmax(dim=-1).tolist()  # (N',)
    return [
        Peak(words([run.word])[0], STEP * run.surest + _MIDDLE, run.probability)
        for run in find_runs(path, found.numpy(), BLANK)
    ]


def places(net: nn.Module, count: int = 100, split: str = "validation") -> tuple[Tensor, float]:
    """Say where the peaks are in utterances of three words that are read right.

    Returns:
        The place of each peak in its word `(peaks,)`, 0 at its beginning and 1 at its end; and the share of the
        steps whose likeliest symbol is the blank.
    """
    data, draw = load(), random.Random(3)
    by_voice: dict[str, list[Example]] = {}
    for example in getattr(data, split):
        by_voice.setdefault(example.source, []).append(example)
    found, blanks = [], []
    for _ in range(count):
        said = join(draw.choices(by_voice[draw.choice(sorted(by_voice))], k=3))
        steps = probabilities(net, said.signal)
        blanks.append((steps.argmax(dim=-1) == BLANK).float().mean())
        own = peaks(steps)
        if tuple(peak.word for peak in own) == said.words:
            pairs = zip(own, said.spans, strict=True)
            found += [(peak.seconds - start) / (end - start) for peak, (start, end) in pairs]
    return torch.tensor(found), float(torch.stack(blanks).mean())


@torch.no_grad()
def looked_away(net: nn.Module, signals: Sequence[Tensor]) -> Tensor:
    """Return how far each head looks, `(layers, H)`, in seconds: the mean distance, by weight."""
    twin: Any = with_standard_layers(net)
    total: list[Tensor] = []
    for signal in signals:
        with record(twin) as recording:
            twin(signal[None])
        weights = torch.stack([each[0] for each in recording.attention])  # (layers, H, N', N')
        step = torch.arange(weights.shape[-1])
        apart = STEP * (step - step[:, None]).abs()  # (N', N')
        total.append((weights * apart).sum(dim=-1).mean(dim=-1))
    return torch.stack(total).mean(dim=0)


def errors_by_voice(
    written: Sequence[list[str]],
    spoken: Sequence[list[str]],
    voices: Sequence[str],
    word_error_rate: ErrorRate,
) -> dict[str, float]:
    """Return the word error rate of each voice, the worst first."""
    rates = {}
    for voice in dict.fromkeys(voices):
        own = [place for place, other in enumerate(voices) if other == voice]
        rates[voice] = word_error_rate([written[i] for i in own], [spoken[i] for i in own])
    return dict(sorted(rates.items(), key=lambda item: -item[1]))


def right_and_wrong(
    written: Sequence[list[str]], spoken: Sequence[list[str]], utterances: Sequence[Utterance]
) -> tuple[int, int]:
    """Choose an utterance of three words or more that was read right, and the shortest that was not.

    Of the first sort one of at most two seconds, if there is one; where no text is wrong, the shortest.
    """
    order = sorted(range(len(utterances)), key=lambda place: len(utterances[place].signal))
    right = [i for i in range(len(order)) if written[i] == spoken[i] and len(spoken[i]) >= 3]
    wrong = [i for i in order if written[i] != spoken[i]]
    short = [i for i in right if len(utterances[i].signal) <= 2 * RATE]
    return (short or right or order)[0], (wrong or order)[0]


def draw_over(
    front: Any, said: Said, found: Sequence[Peak] = (), *, title: str = "", top: float | None = None
) -> go.Figure:
    """Draw log-mel energies, low bands below; where words begin and end, and where each is heard."""
    energies = front(said.signal[None])[0]  # (N, bands)
    above = (energies - (energies.max() - 4)).clamp(min=0)  # powers of ten above a floor
    rounded = [[round(x, 1) for x in row] for row in above.T.flip(0).tolist()]
    figure = figures.heatmap(
        torch.tensor(rounded),
        column_title="frames of 10 ms",
        row_title="mel bands",
        title=title,
        top=top,
    )
    a_frame = front.hop / RATE
    figure.update_yaxes(showticklabels=False)
    for word, (start, end) in zip(said.words, said.spans, strict=True):
        for edge in (start, end):
            figure.add_vline(x=edge / a_frame, line={"color": "#555555", "dash": "dot", "width": 1})
        middle = (start + end) / 2 / a_frame
        figure.add_annotation(
            x=middle, y=1, yref="paper", yanchor="bottom",
            text=word, showarrow=False, font={"size": 12},
        )  # fmt: skip
    for peak in found:
        figure.add_vline(x=peak.seconds / a_frame, line={"color": "#d55e00", "width": 3})
    figure.update_layout(height=420)
    return figure
