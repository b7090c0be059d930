"""The speech lab as a widget: settings in, drawings out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from course.labs.drawing import Drawing, Sent
from course.labs.faults import UnreadableSetting
from course.labs.settings_lab import SettingsLab
from course.labs.speech.challenges import TASKS
from course.labs.speech.compute import (
    LONGEST,
    MOST,
    NONE,
    SPOKEN,
    Listener,
    Result,
    Selection,
    Settings,
)
from course.labs.speech.form import clip_choices, form
from course.labs.speech.view import panels, still, summary, unpack_sound

TRIMMED = f"What is longer than {MOST:g} s is left out."
UNREADABLE = "The recording could not be read. Record again."
NOT_KEPT = "A recording of the microphone, which the notebook does not keep."


class SpeechLab(SettingsLab):
    """Listen to a recording, change it, speak one: what an encoder with a CTC head reads, frame by frame.

    Args:
        model: maps signals `(B, samples)` and their lengths `(B,)` to logits `(B, F, V)` and lengths `(B,)`, as
            `encoder_core.SpeechEncoder` does, and has a `front_end` such as `encoder_core.LogMel`.
        clips: for each its name, its signal `(samples,)` between -1 and 1, and the words that are said.
        names: the word of each id.
        blank: the id of CTC's blank.
        rate: samples a second, of the clips and of what the model was trained on.
        **settings: how the lab starts; any of `clip`, `then`, `speed`, `noise`, `cut_from`, `cut_to`, `frame`,
            `layer` and `head`.

    Raises:
        ValueError: a setting is invalid, or a clip is no signal; the text says why.
        TypeError: there is no such setting.
    """

    tasks = TASKS

    def __init__(
        self,
        model: nn.Module,
        clips: Sequence[tuple[str, Tensor, Sequence[str]]],
        names: Sequence[str],
        *,
        blank: int = 0,
        rate: int = 8000,
        **settings: Any,
    ) -> None:
        self.listener = Listener(model, clips, names, blank, rate)
        self._heard = (0, 0)  # of which result the samples are sent, and how often they were wanted
        self.begin(Settings(), Selection(), settings)
        super().__init__()

    def compute(self, asked: Settings, own: bool) -> Result:
        """Change the recording and read it."""
        return self.listener.listen(asked)

    def fit(self, result: Result, chosen: Selection) -> Selection:
        """The nearest frame, layer and head that there are."""
        layers, heads = (1, 1) if result.attention is None else result.attention.shape[:2]
        return Selection(
            min(max(chosen.frame, 0), len(result.probabilities) - 1),
            min(max(chosen.layer, 0), layers - 1),
            min(max(chosen.head, 0), heads - 1),
        )

    def read(self, name: str, value: Any) -> Any:
        """Convert what a control sends: seconds and the speed are floats."""
        is_float = name in ("speed", "cut_from", "cut_to")
        return float(value) if is_float and isinstance(value, int) else value

    def unchanged(self) -> Result:
        """The same clips without any change."""
        asked = self._made_from[0]
        return self.listener.listen(Settings(asked.clip, asked.then, take=asked.take))

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        attention = self.shown().attention
        layers, heads = (0, 0) if attention is None else attention.shape[:2]
        return form(self.listener, layers, heads)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        result, asked = self.shown(), self._made_from[0]
        of, times = self._heard
        heard = times if of == self._number else 0
        return Drawing(
            values={**self.settings, "recorded": "", "seconds": result.seconds},
            panels=panels(result, asked, self._chosen, self.listener, self._number, heard),
            summary=summary(result, asked, self._chosen, self.listener),
            notice=self._notice or (TRIMMED if result.trimmed else ""),
            choices={"clip": clip_choices(self.listener)},
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end; none of a recording of the microphone."""
        result, asked = self.shown(), self._made_from[0]
        if asked.clip == SPOKEN:
            return {"text/plain": f"{self!r}\n{NOT_KEPT}"}
        told = summary(result, asked, self._chosen, self.listener)
        return {
            "text/plain": "\n".join(filter(None, [repr(self), told, self._notice])),
            "image/svg+xml": still(result, self.listener, told),
        }

    def _everything(self, sent: Sent) -> tuple[dict[str, Any], list[bytes]]:
        """A view that opens gets the samples with the picture: it can play them without Python."""
        self._hear(None)
        return super()._everything(sent)

    def first_message(self) -> dict[str, Any]:
        """What a view shows before Python has answered; a notebook may keep it, so no voice is in it."""
        if self._made_from[0].clip == SPOKEN:
            return {}
        heard = self._heard
        message = super().first_message()
        self._heard = heard  # the views that there are have got no samples by this
        return message

    # What the buttons do, and the microphone

    def _turn(self, step: int) -> None:
        count = len(self.listener.clips)
        here = self._asked.clip
        self._asked = replace(self._asked, clip=(here + step) % count if here >= 0 else 0)
        self._chosen = replace(self._chosen, frame=0)

    def _next(self, _: Any) -> None:
        self._turn(1)

    def _before(self, _: Any) -> None:
        self._turn(-1)

    def _begin_cut(self, _: Any) -> None:
        self._asked = replace(self._asked, cut_from=self._second(self._chosen.frame))

    def _end_cut(self, _: Any) -> None:
        self._asked = replace(self._asked, cut_to=self._second(self._chosen.frame + 1))

    def _cut_word(self, _: Any) -> None:
        """Silence from halfway to the word before up to halfway to the word after; nothing, if something is."""
        if self._asked.cut_to > self._asked.cut_from:
            self._asked = replace(self._asked, cut_from=0.0, cut_to=0.0)
            return
        result, frame = self.shown(), self._chosen.frame
        if not result.runs:
            raise UnreadableSetting("No word is read, so there is none to silence.")
        middles = [(run.first + run.last + 1) / 2 for run in result.runs]
        word = min(range(len(middles)), key=lambda i: abs(middles[i] - frame - 0.5))
        edges = [
            0.0,
            *((a + b) / 2 for a, b in pairwise(middles)),
            len(result.probabilities),
        ]
        self._asked = replace(
            self._asked,
            cut_from=self._second(edges[word]),
            cut_to=min(self._second(edges[word + 1]), MOST),
        )

    def _second(self, frame: float) -> float:
        return float(round(min(frame * self.shown().pitch, MOST), 3))

    def _hear(self, _: Any) -> None:
        """Send the samples of what is shown: most of the bytes, which no picture waits for."""
        self.shown()
        self._heard = (self._number, self._heard[1] + 1)

    def _take_word(self, number: Any) -> None:
        """Move the frame to where a word is surest."""
        result = self.shown()
        if isinstance(number, int) and 0 <= number < len(result.runs):
            run = result.runs[number]
            column = result.probabilities[run.first : run.last + 1, run.word]
            self._chosen = replace(self._chosen, frame=run.first + int(column.argmax()))

    def _take_recording(self, text: Any) -> None:
        """Take in what was spoken: 16-bit samples at the lab's rate, in base64."""
        try:
            data = base64.b64decode(str(text), validate=True)
            sound = unpack_sound(data)
        except (binascii.Error, ValueError):
            raise UnreadableSetting(UNREADABLE) from None
        front: Any = self.listener.model.front_end
        if len(sound) < front.size:
            raise UnreadableSetting("The recording is shorter than one frame. Record again.")
        most = round(LONGEST * self.listener.rate)
        self.listener.spoken = torch.from_numpy(sound[:most].copy())
        take = self._asked.take + 1
        self._asked = Settings(clip=SPOKEN, then=NONE, take=take)
        self._chosen = replace(self._chosen, frame=0)

    def forget(self, _: Any = None) -> None:
        """Forget the recording of the microphone."""
        self.listener.spoken = None
        if self._asked.clip == SPOKEN:
            self._asked = replace(self._asked, clip=0)

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "next": _next,
        "before": _before,
        "begin_cut": _begin_cut,
        "end_cut": _end_cut,
        "cut_word": _cut_word,
        "word": _take_word,
        "hear": _hear,
        "recorded": _take_recording,
        "forget": forget,
    }
