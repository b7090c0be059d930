"""What can be set in the attention lab, and the sentences that say why a setting cannot be.

`Settings` decide the numbers, and a change to them computes anew; `Selection` decides which of the
numbers are shown.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from course.labs.checkpoints import MINILM
from course.labs.faults import InvalidSetting, UnreadableSetting
from course.labs.packing import unpack_bits
from course.labs.settings_lab import MOST_HEADS, NARROWEST, check_heads, check_whole

LONGEST = 128  # tokens
COLDEST, HOTTEST = 0.1, 5.0  # temperatures
MASKS = ("none", "causal", "padding", "painted")
ENCODERS = ("pretrained", "fresh")


@dataclass(frozen=True)
class Painting:
    """A painted mask, `length` x `length`: bits as `packing.pack_bits` makes them."""

    length: int = 0
    bits: bytes = b""

    def blocked(self, length: int) -> NDArray[np.bool_]:
        """The mask at any length, True where blocked; what was not painted is free."""
        blocked = np.zeros((length, length), dtype=bool)
        kept = min(length, self.length)
        painted = unpack_bits(self.bits, self.length, self.length)
        blocked[:kept, :kept] = painted[:kept, :kept]
        return blocked


@dataclass(frozen=True)
class Settings:
    """Everything that the numbers depend on.

    Attributes:
        text: the sentence.
        pair: a second sentence, or nothing.
        padding: how many [PAD] tokens are appended.
        encoder: `"pretrained"` (all-MiniLM-L6-v2, or the checkpoint) or `"fresh"` (random weights).
        heads: H, of a fresh encoder; this and the next three.
        d_model: D, divisible by H.
        layers: how many.
        seed: which random weights.
        temperature: what the scores are divided by, beside the root of d_k; positive.
        scaled: whether the products are divided by the root of d_k.
        mask: `"none"`, `"causal"`, `"padding"` or `"painted"`, in all layers and heads.
        painted: the painted mask.
        off: `(layer, head)` of the heads that are switched off.
        device: where the encoder computes.
        checkpoint: another pretrained encoder, which cuts the text too; nothing is MiniLM.
    """

    text: str
    pair: str = ""
    padding: int = 0
    encoder: str = "pretrained"
    heads: int = 8
    d_model: int = 256
    layers: int = 2
    seed: int = 0
    temperature: float = 1.0
    scaled: bool = True
    mask: str = "none"
    painted: Painting = Painting()
    off: frozenset[tuple[int, int]] = frozenset()
    device: str = "cpu"
    checkpoint: str = MINILM


@dataclass(frozen=True)
class Selection:
    """Which layer, head, query and key are shown, from 0; and from which number of the values.

    `flow` has the heads whose lines are drawn, where it is not the chosen one alone; `shares` says
    whether the lines show what the values add to the output.
    """

    layer: int = 0
    head: int = 0
    query: int = 0
    key: int = 0
    dimension: int = 0
    flow: tuple[int, ...] = ()
    shares: bool = False

    def within(self, layers: int, heads: int, tokens: int, dimensions: int) -> Selection:
        """The nearest selection that exists in an encoder and text of this size."""
        sizes = {"layer": layers, "head": heads, "query": tokens, "key": tokens}
        sizes["dimension"] = dimensions
        kept: dict[str, Any] = {
            name: min(max(getattr(self, name), 0), n - 1) for name, n in sizes.items()
        }
        flow = tuple(sorted({head for head in self.flow if 0 <= head < heads}))
        kept["flow"] = () if flow == (kept["head"],) else flow
        return replace(self, **kept)


WIDEST = 512  # d_model of a fresh encoder
# name: (least, most, how the learner knows it)
_WHOLE = {
    "heads": (1, MOST_HEADS, "The number of heads"),
    "d_model": (NARROWEST, WIDEST, "d_model"),
    "layers": (1, 6, "The number of layers"),
    "seed": (0, 9999, "The seed"),
    "padding": (0, 32, "The number of [PAD] tokens"),
}


def check_settings(settings: Settings) -> None:
    """Say in a sentence what cannot be. How long the text is, is known after it is cut into tokens.

    Raises:
        InvalidSetting: the first setting that cannot be.

    >>> check_settings(Settings("A text.", encoder="fresh", heads=3, d_model=256))
    Traceback (most recent call last):
    course.labs.faults.InvalidSetting: d_model = 256 is not divisible by 3 heads: ...
    """
    if not isinstance(settings.text, str) or not isinstance(settings.pair, str):
        raise InvalidSetting("The sentences must be text.")
    if not settings.text.strip():
        raise InvalidSetting("There is no text: type a sentence, and the picture follows.")
    check_whole(settings, _WHOLE)
    if settings.encoder == "fresh":
        check_heads(settings.d_model, settings.heads, WIDEST)
    temperature = settings.temperature
    if isinstance(temperature, bool) or not isinstance(temperature, int | float):
        raise InvalidSetting("The temperature must be a number.")
    if not COLDEST <= temperature <= HOTTEST:
        raise InvalidSetting(
            f"The temperature must be from {COLDEST:g} to {HOTTEST:g}; 1 changes nothing."
        )
    for name, known in (("mask", MASKS), ("encoder", ENCODERS), ("device", devices())):
        if getattr(settings, name) not in known:
            here = f"{getattr(settings, name)!r}"
            raise InvalidSetting(f"The {name} must be one of {', '.join(known)}, not {here}.")


def devices() -> list[str]:
    """The devices that exist here, the CPU first."""
    found = ["cpu"]
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def read_setting(name: str, value: Any) -> Any:
    """A setting as it comes from the front end or from a caller, as `Settings` keeps it."""
    if name == "flow":
        return _read_heads(value)
    if name == "off":
        return frozenset((int(layer), int(head)) for layer, head in value)
    if name == "temperature" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if name == "painted" and not isinstance(value, Painting):
        return _read_painting(value)
    return value


def _read_heads(value: Any) -> tuple[int, ...]:
    whole = isinstance(value, list | tuple) and all(type(head) is int for head in value)
    if not whole:
        raise UnreadableSetting("The heads to draw must be a list of whole numbers.")
    return tuple(value)


def _read_painting(value: Any) -> Painting:
    try:
        painting = Painting(int(value["length"]), base64.b64decode(value["bits"]))
        painting.blocked(1)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise UnreadableSetting(f"The painted mask cannot be read: {error}.") from error
    return painting


def write_setting(value: Any) -> str:
    """A setting as text, the same each time."""
    if isinstance(value, frozenset):
        return repr(sorted(value))
    if isinstance(value, Painting):
        blocked = int(value.blocked(value.length).sum())
        return f"<{blocked} of {value.length**2} cells blocked>"
    return repr(value)
