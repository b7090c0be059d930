"""Examples of a public set as what they are: colour images, and sounds that can be played."""

from __future__ import annotations

import base64
import html
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course.datasets.dataset import Printed
from course.system.png import rgb_png

__all__ = ["Pictures", "Players", "wav"]

_SHADES = " .:-=+*#%@"
_PER_ROW = 2  # images in a row of characters
_STEP = 2  # pixels that one character stands for, across and down
_TIMES = 3  # a pixel of the image is so many on the screen


def wav(samples: bytes, rate: int) -> bytes:
    """Return a WAV file of 16-bit samples, one channel."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples)
    return made.getvalue()


@dataclass(frozen=True)
class Pictures(Printed):
    """Images in a row, each over its class; `pixels` holds each one's bytes, `(height, width, 3)`."""

    pixels: Sequence[bytes] = ()
    size: tuple[int, int] = (32, 32)

    def __repr__(self) -> str:
        lines = []
        for start in range(0, len(self.examples), _PER_ROW):
            row = range(start, min(start + _PER_ROW, len(self.examples)))
            drawn = [self._characters(self.pixels[place]) for place in row]
            width = len(drawn[0][0])
            names = (self._name(place) for place in row)
            lines.append("   ".join(f"{name:{width}}" for name in names).rstrip())
            lines += ["   ".join(parts).rstrip() for parts in zip(*drawn, strict=True)] + [""]
        return "\n".join(lines)

    def _name(self, place: int) -> str:
        label = self.examples[place].label
        return self.dataset.classes[label] if label is not None else self.examples[place].text

    def _characters(self, pixels: bytes) -> list[str]:
        """Draw the brightness of an image: two characters for a square of pixels."""
        height, width = self.size
        lines = []
        for y in range(0, height, _STEP):
            line = ""
            for x in range(0, width, _STEP):
                at = 3 * (width * y + x)  # the upper left pixel of the square
                red, green, blue = pixels[at : at + 3]
                bright = (0.299 * red + 0.587 * green + 0.114 * blue) / 255
                line += 2 * _SHADES[round(bright * (len(_SHADES) - 1))]
            lines.append(line)
        return lines

    def _repr_html_(self) -> str:
        height, width = self.size
        figures = []
        for place, pixels in enumerate(self.pixels):
            name = html.escape(self._name(place))
            image = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
            data = base64.b64encode(rgb_png(image)).decode()
            figures.append(
                '<figure style="margin: 4px; display: inline-block; text-align: center">'
                f'<img alt="{name}" width="{_TIMES * width}" height="{_TIMES * height}" '
                f'style="image-rendering: pixelated" src="data:image/png;base64,{data}">'
                f"<figcaption>{name}</figcaption></figure>"
            )
        return f"<div>{''.join(figures)}</div>"


@dataclass(frozen=True)
class Players(Printed):
    """Sounds, each with its word and its speaker; `samples` holds each one's 16-bit samples."""

    samples: Sequence[bytes] = ()
    rate: int = 8000

    def __repr__(self) -> str:
        lines = [
            f"{each.text:8} {len(samples) / 2 / self.rate:.2f} s   {each.source}"
            for each, samples in zip(self.examples, self.samples, strict=True)
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = ["<tr><th>word</th><th>sound</th><th>source</th></tr>"]
        for each, samples in zip(self.examples, self.samples, strict=True):
            data = base64.b64encode(wav(samples, self.rate)).decode()
            word, source = html.escape(each.text), html.escape(each.source)
            player = (
                f'<audio controls preload="none" aria-label="{word}, {source}" '
                f'src="data:audio/wav;base64,{data}"></audio>'
            )
            rows.append(f"<tr><td>{word}</td><td>{player}</td><td>{source}</td></tr>")
        return f"<table>{''.join(rows)}</table>"
