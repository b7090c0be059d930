"""What can be set in the shape tracer, and the sentences that say why a setting cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from course.labs.checkpoints import MINILM
from course.labs.faults import InvalidSetting
from course.labs.settings_lab import MOST_HEADS, NARROWEST, check_heads, check_whole

LONGEST, WIDEST = 48, 128  # tokens of a text, d_model of a fresh encoder
ENCODERS = ("pretrained", "fresh", "own")
_WHOLE = {
    "layers": (1, 6, "The number of layers"),
    "d_model": (NARROWEST, WIDEST, "d_model"),
    "heads": (1, MOST_HEADS, "The number of heads"),
    "dim_feedforward": (1, 4 * WIDEST, "dim_feedforward"),
    "seed": (0, 9999, "The seed"),
}


@dataclass(frozen=True)
class Settings:
    """Everything that the numbers depend on.

    Attributes:
        text: the first text.
        second: a second one, so that there is a batch and padding; or nothing.
        encoder: `"pretrained"` (all-MiniLM-L6-v2, or the checkpoint), `"fresh"` (random weights) or
            `"own"`.
        d_model: D, of a fresh encoder; so are the rest.
        heads: H, a divisor of D.
        layers: how many.
        dim_feedforward: F.
        norm_first: pre-norm (True) or post-norm (False).
        seed: which random weights.
        checkpoint: another pretrained encoder, which cuts the texts too; nothing is MiniLM.
    """

    text: str = "The bank of the river was green."
    second: str = "Money in the bank."
    encoder: str = "pretrained"
    d_model: int = 24
    heads: int = 4
    layers: int = 2
    dim_feedforward: int = 96
    norm_first: bool = False
    seed: int = 0
    checkpoint: str = MINILM


@dataclass(frozen=True)
class Selection:
    """What is looked at, all from 0.

    Attributes:
        step: which of all steps.
        head: which head, where there are heads.
        item: which text of the batch.
        row: a token.
        column: a number, or another token.
        first: the first number that is shown of a wide vector.
    """

    step: int = 0
    head: int = 0
    item: int = 0
    row: int = 2
    column: int = 0
    first: int = 0


def check_settings(settings: Settings) -> None:
    """Say in a sentence what cannot be. How long the texts are, is known after they are cut.

    Raises:
        InvalidSetting: the first setting that cannot be.

    >>> check_settings(Settings(text=" "))
    Traceback (most recent call last):
    course.labs.faults.InvalidSetting: There is no text: type a sentence, and ...
    """
    if not isinstance(settings.text, str) or not isinstance(settings.second, str):
        raise InvalidSetting("The texts must be text.")
    if not settings.text.strip():
        raise InvalidSetting("There is no text: type a sentence, and the picture follows.")
    if settings.encoder not in ENCODERS:
        raise InvalidSetting(f"The encoder is one of {', '.join(ENCODERS)}.")
    if settings.encoder == "fresh":
        check_whole(settings, _WHOLE)
        check_heads(settings.d_model, settings.heads, WIDEST)
    if not isinstance(settings.norm_first, bool):
        raise InvalidSetting("norm_first must be True or False.")
