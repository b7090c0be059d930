"""What can be set in the cost lab, and the sentences that say why a setting is invalid."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import torch

from course.labs.faults import InvalidSetting
from course.labs.settings_lab import check_heads, check_whole
from encoder_core.inspect.costs import AttentionKind

WIDEST, MOST_HEADS = 8192, 128
KINDS: Mapping[AttentionKind, str] = {
    "explicit": "with all scores at once",
    "blockwise": "in blocks of keys",
    "fused": "fused (SDPA)",
}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_WHOLE = {
    "batch": (1, 4096, "The batch"),
    "length": (1, 65_536, "The length"),
    "d_model": (4, WIDEST, "d_model"),
    "heads": (1, MOST_HEADS, "The number of heads"),
    "dim_feedforward": (1, 65_536, "dim_feedforward"),
    "layers": (1, 128, "The number of layers"),
}


@dataclass(frozen=True)
class Settings:
    """Everything that the costs depend on; at first MiniLM, with eight texts of 128 tokens.

    Attributes:
        batch: B, texts.
        length: S, tokens of each.
        d_model: D, divisible by the heads.
        heads: H.
        dim_feedforward: F.
        layers: of the stack.
        precision: of weights and activations, one of `DTYPES`.
        device: `"cpu"` or `"cuda"`.
        attention: one of `KINDS`.
        training: forward and backward, or forward alone.
    """

    batch: int = 8
    length: int = 128
    d_model: int = 384
    heads: int = 12
    dim_feedforward: int = 1536
    layers: int = 6
    precision: str = "float32"
    device: str = "cpu"
    attention: AttentionKind = "explicit"
    training: bool = False

    @property
    def size(self) -> tuple[int, int, int, int, int]:
        """Batch, length, d_model, heads and dim_feedforward, in the order of `layer_costs`."""
        return self.batch, self.length, self.d_model, self.heads, self.dim_feedforward

    @property
    def bytes_per_number(self) -> int:
        """4 in float32, 2 in half precision."""
        return DTYPES[self.precision].itemsize


@dataclass(frozen=True)
class Selection:
    """The part that is looked at, by its place in the layer."""

    part: int = 0


# Sizes of a layer and of a stack. Sources: the models' published configurations; Devlin et al. 2019, section 3;
# Warner et al. 2024, "Smarter, Better, Faster, Longer" (ModernBERT), table 4.
PRESETS: Mapping[str, dict[str, int]] = {
    "toy": {"d_model": 64, "heads": 4, "dim_feedforward": 256, "layers": 2},
    "minilm": {"d_model": 384, "heads": 12, "dim_feedforward": 1536, "layers": 6},
    "bert-base": {"d_model": 768, "heads": 12, "dim_feedforward": 3072, "layers": 12},
    "bert-large": {"d_model": 1024, "heads": 16, "dim_feedforward": 4096, "layers": 24},
    # Three matrices 768 x 1,152 in its gated network: as many weights as two of 768 x 1,728.
    "modernbert-base": {"d_model": 768, "heads": 12, "dim_feedforward": 1728, "layers": 22},
}
LONG = {"batch": 1, "length": 8192}


def preset_of(settings: Settings) -> str:
    """Return the preset whose sizes are set; "" where there is none.

    >>> preset_of(Settings())
    'minilm'
    """
    matching = (
        name
        for name, sizes in PRESETS.items()
        if all(getattr(settings, size) == value for size, value in sizes.items())
    )
    return next(matching, "")


@functools.cache
def devices() -> tuple[str, ...]:
    """Return the devices of this machine."""
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def check_settings(settings: Settings) -> None:
    """Raise for the first invalid setting.

    Raises:
        InvalidSetting: the text says which, and what to do.

    >>> check_settings(Settings(heads=7))
    Traceback (most recent call last):
    course.labs.faults.InvalidSetting: d_model = 384 is not divisible by 7 heads: ...
    """
    check_whole(settings, _WHOLE)
    check_heads(settings.d_model, settings.heads, WIDEST)
    if settings.device not in devices():
        raise InvalidSetting(f"The device is one of {', '.join(devices())}.")
    if settings.precision not in DTYPES:
        raise InvalidSetting(f"The precision is one of {', '.join(DTYPES)}.")
    if settings.precision == "float16" and settings.device == "cpu":
        raise InvalidSetting("float16 is for a GPU: on a CPU choose float32 or bfloat16.")
    if settings.attention not in KINDS:
        raise InvalidSetting(f"The attention is one of {', '.join(get_args(AttentionKind))}.")
    if not isinstance(settings.training, bool):
        raise InvalidSetting("training must be True or False.")


def steps(settings: Settings) -> dict[str, list[int]]:
    """Return where a control's steps lead: sizes double, and what must fit does.

    >>> steps(Settings(d_model=64, heads=4))["heads"]
    [1, 2, 4, 8, 16, 32, 64]
    """
    widths = sorted({k * 2**power for k in (2, 3) for power in range(1, 13)})  # 4, 6, 8, 12, 16
    counts = range(1, min(settings.d_model, MOST_HEADS) + 1)
    quarters = (settings.d_model * k // 4 for k in range(2, 33))
    allowed: dict[str, list[int]] = {
        "batch": doubling(4096),
        "length": doubling(65_536),
        "d_model": [w for w in widths if w % settings.heads == 0 and w <= WIDEST],
        "heads": [count for count in counts if settings.d_model % count == 0],
        "dim_feedforward": sorted({quarter for quarter in quarters if quarter <= 65_536}),
    }
    return allowed


def doubling(most: int) -> list[int]:
    """Return 1, 2, 4, ... up to `most`.

    >>> doubling(9)
    [1, 2, 4, 8]
    """
    return [2**power for power in range(most.bit_length()) if 2**power <= most]


def read_setting(name: str, value: Any) -> Any:
    """Convert what a plot's point or a control sends; a length from the curve is a text.

    >>> read_setting("length", "1,024")
    1024
    """
    if name == "length" and isinstance(value, str):
        digits = value.replace(",", "")
        return int(digits) if digits.isdecimal() else value
    return value
