"""The reader of digits hears people, where the learner asks for their recordings: the Free Spoken Digit Dataset.

First as it was trained, on synthetic voices, so that it knows nobody; then after some updates on three of the five
speakers, asked about other takes of these three, whom it knows now, and about the two whom it doesn't.

Nobody has run this on the real recordings yet: its tests have synthetic voices in an archive of the same layout.
"""

from __future__ import annotations

import copy
import functools
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course import datasets
from course.content.vision_and_speech.experiments.speech import model, recipe
from course.content.vision_and_speech.experiments.speech.model import BLANK
from course.content.vision_and_speech.experiments.speech.recipe import Collapse, ErrorRate
from course.content.vision_and_speech.on_request import missing
from course.datasets.dataset import Example
from course.datasets.public.archives import FREE_SPOKEN_DIGITS
from course.datasets.public.human_digits import HumanDigits
from course.datasets.spoken_digits.build import resample
from course.datasets.spoken_digits.card import RATE, WORDS
from course.datasets.spoken_digits.corpus import PAUSE, Utterance
from course.training import Settings, Training, train
from course.training.own_parts import key_of
from encoder_core.models.speech import ctc_loss

__all__ = ["KNOWN", "Heard", "Spoken", "adaptation", "asked", "collate", "hear", "measure"]

KNOWN = (
    "george",
    "jackson",
    "nicolas",
)  # the first three by name: chosen before anything was heard
SPEEDS = (0.85, 0.92, 1.0, 1.08, 1.18)  # a row is played at one of them
SETTINGS = Settings(
    steps=200, batch_size=16, learning_rate=1e-3, warmup=20, weight_decay=0.01, dropout=0.0
)
_LENGTHS = (1, 5)  # words of an utterance, as in the chapter's training
_ASKED = 60  # utterances of each speaker
_WIDTH = 12


class Heard(NamedTuple):
    """The word error rate of some speakers, before and after the updates."""

    who: str
    known: bool
    before: float
    after: float


class Spoken(NamedTuple):
    """A batch: signals `(B, samples)`, how many samples are real `(B,)`, words joined `(T,)`, words of each `(B,)`."""

    signals: Tensor
    samples: Tensor
    words: Tensor
    counts: Tensor


def hear(
    listener: nn.Module,
    ctc_collapse: Collapse,
    word_error_rate: ErrorRate,
    *,
    download: bool = False,
) -> str:
    """Return the word error rates for people as a table, or why there are none.

    Args:
        listener: a trained `DigitReader`; it stays as it is.
        ctc_collapse, word_error_rate: such as the learner's.
        download: fetch the recordings where they are not here yet.
    """
    try:
        data = datasets.load(FREE_SPOKEN_DIGITS.card.name, download=download)
    except (FileNotFoundError, ValueError) as error:
        return missing(FREE_SPOKEN_DIGITS.card, error, download=download)
    assert isinstance(data, HumanDigits)
    rows = measure(listener, data, ctc_collapse, word_error_rate)
    after = f"after {SETTINGS.steps} updates on three of them"
    lines = [f"{'word errors':{_WIDTH}} as trained   {after}"]
    for row in rows:
        whose = "known, by other takes" if row.known else "unknown"
        lines.append(f"{row.who:{_WIDTH}} {row.before:10.1%}   {row.after:6.1%}   {whose}")
    return "\n".join(lines)


def measure(
    listener: nn.Module,
    data: HumanDigits,
    ctc_collapse: Collapse,
    word_error_rate: ErrorRate,
    settings: Settings = SETTINGS,
) -> list[Heard]:
    """Return the word error rate of each speaker, and of the known and the unknown ones together."""
    questions = asked(data)
    errors = functools.partial(_errors, collapse=ctc_collapse, rate=word_error_rate)
    adapted = train(adaptation(listener, data, errors, settings)).model
    groups = {name: [name] for name in sorted(questions)}
    groups["known"] = [name for name in groups if name in KNOWN]
    groups["unknown"] = [name for name in groups if name not in (*KNOWN, "known")]
    found = []
    for who, names in groups.items():
        utterances = [each for name in names for each in questions[name]]
        if utterances:
            rates = (errors(net.eval(), utterances) for net in (listener, adapted))
            found.append(Heard(who, names[0] in KNOWN, *rates))
    return found


def asked(data: HumanDigits, count: int = _ASKED) -> dict[str, list[Utterance]]:
    """Return utterances of each speaker, made of takes that are never trained on."""
    speakers = sorted({data.speaker(each) for each in data.test})
    return {
        name: data.utterances(
            [each for each in data.test if data.speaker(each) == name], count, _LENGTHS, seed=4
        )
        for name in speakers
    }


def _errors(
    net: nn.Module, utterances: Sequence[Utterance], collapse: Collapse, rate: ErrorRate
) -> float:
    written = recipe.read(net, [each.signal for each in utterances], collapse)
    return rate(written, [[WORDS[digit] for digit in each.digits] for each in utterances])


def adaptation(
    listener: nn.Module,
    data: HumanDigits,
    errors: Callable[[nn.Module, Sequence[Utterance]], float],
    settings: Settings = SETTINGS,
) -> Training:
    """Describe the updates on the takes of the known speakers that neither validation nor test has."""
    held_out = [each for each in data.validation if data.speaker(each) in KNOWN]
    utterances = data.utterances(held_out, _ASKED, _LENGTHS, seed=5)
    takes = {name: [each for each in data.train if data.speaker(each) == name] for name in KNOWN}
    weights = b"".join(each.numpy().tobytes() for each in listener.state_dict().values())
    codes = b"".join(data.codes[each.source, each.text] for each in data.train)
    return Training(
        name="vision_and_speech.human_digits",
        title="The reader of digits hears people",
        settings=settings,
        build=functools.partial(_copy, listener),
        data=tuple(example for own in takes.values() for example in own),
        collate=functools.partial(collate, data=data, takes=takes),
        loss=_loss,
        evaluate=lambda net: {"errors": errors(net, utterances)},
        figure="errors",
        key=key_of((sys.modules[__name__], model, recipe), (), weights, codes),
    )


def _copy(listener: nn.Module, settings: Settings) -> nn.Module:
    return copy.deepcopy(listener)


def _loss(net: nn.Module, batch: Spoken) -> Tensor:
    logits, steps = net(batch.signals, batch.samples)  # (B, N', V), (B,)
    texts = torch.split(batch.words, batch.counts.tolist())
    targets = nn.utils.rnn.pad_sequence(list(texts), batch_first=True)  # (B, T)
    return ctc_loss(logits, steps, targets, batch.counts, BLANK)


def collate(
    chosen: Sequence[Example], data: HumanDigits, takes: Mapping[str, Sequence[Example]]
) -> Spoken:
    """Let the speaker of each example say it, and up to four digits more, at a speed that is drawn.

    All that is random follows torch's generator. `takes` holds what each speaker may say.
    """
    draw = random.Random(int(torch.randint(2**62, ())))
    signals, words, counts = [], [], []
    for first in chosen:
        speed = draw.choice(SPEEDS)
        more = draw.choices(takes[data.speaker(first)], k=draw.randint(*_LENGTHS) - 1)
        said = [first, *more]
        draw.shuffle(said)
        parts = []
        for example in said:
            pause = torch.zeros(int(draw.uniform(*PAUSE) * RATE))
            parts += [pause, _play(data.signal(example), speed)]
        signals.append(torch.cat(parts))
        words += [WORDS.index(example.text) + 1 for example in said]
        counts.append(len(said))
    return Spoken(*recipe.padded(signals), torch.tensor(words), torch.tensor(counts))


def _play(signal: Tensor, speed: float) -> Tensor:
    """Play a signal faster or slower, which moves its frequencies too."""
    if speed == 1:
        return signal
    return torch.from_numpy(resample(signal.double().numpy(), RATE, round(RATE / speed))).float()
