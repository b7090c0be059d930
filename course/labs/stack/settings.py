"""What can be set in the stack lab, and the sentences that say why a setting cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from course.labs.checkpoints import MINILM
from course.labs.faults import InvalidSetting
from course.labs.settings_lab import MOST_HEADS, NARROWEST, check_heads, check_whole

DEEPEST, WIDEST, LONGEST = 24, 128, 64  # layers, d_model, tokens
TEXT = "The animal didn't cross the street because it was too tired."
INITIALISATIONS = {
    "xavier": "Xavier uniform (Glorot and Bengio 2010, equation 16), and biases, as in torch.nn.Transformer",
    "normal": "N(0, 0.02²), as BERT was initialised (Devlin et al. 2019, its published code)",
    "large": "N(0, 1), as torch.randn gives it: far too large",
}
_WHOLE = {
    "depth": (1, DEEPEST, "The number of layers"),
    "d_model": (NARROWEST, WIDEST, "d_model"),
    "heads": (1, MOST_HEADS, "The number of heads"),
    "seed": (0, 9999, "The seed"),
}


@dataclass(frozen=True)
class Settings:
    """Everything that the numbers depend on.

    Attributes:
        text: the text that walks through the stack.
        depth: N, the number of layers.
        norm_first: pre-norm (True) or post-norm (False).
        residual: whether a sub-layer's input is added to its output.
        layer_norm: whether there are layer norms.
        dropout: the chance of dropping a number, as in training; 0 is none.
        initialisation: one of `INITIALISATIONS`.
        seed: which random weights.
        d_model: D, divisible by the heads.
        heads: H.
        minilm: whether the pretrained encoder is shown beside.
        checkpoint: another pretrained encoder in MiniLM's place; nothing is MiniLM.
    """

    text: str = TEXT
    depth: int = 12
    norm_first: bool = False
    residual: bool = True
    layer_norm: bool = True
    dropout: float = 0.0
    initialisation: str = "xavier"
    seed: int = 0
    d_model: int = 64
    heads: int = 4
    minilm: bool = False
    checkpoint: str = MINILM


@dataclass(frozen=True)
class Selection:
    """What is looked at.

    Attributes:
        encoder: which of the encoders in the picture, from 0.
        layer_shown: 0 is the input, then what comes out of each layer.
        row: a token.
        column: another.
    """

    encoder: int = 0
    layer_shown: int = DEEPEST
    row: int = 2
    column: int = 8


def check_settings(settings: Settings) -> None:
    """Say in a sentence what cannot be. How long the text is, is known after it is cut into tokens.

    Raises:
        InvalidSetting: the first setting that cannot be.

    >>> check_settings(Settings(depth=25))
    Traceback (most recent call last):
    course.labs.faults.InvalidSetting: The number of layers must be a whole number ...
    """
    if not isinstance(settings.text, str) or not settings.text.strip():
        raise InvalidSetting("There is no text: type a sentence, and the picture follows.")
    check_whole(settings, _WHOLE)
    check_heads(settings.d_model, settings.heads, WIDEST)
    for name in ("norm_first", "residual", "layer_norm", "minilm"):
        if not isinstance(getattr(settings, name), bool):
            raise InvalidSetting(f"{name} must be True or False.")
    dropout = settings.dropout
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise InvalidSetting("Dropout is a chance: from 0 to less than 1.")
    if settings.initialisation not in INITIALISATIONS:
        known = ", ".join(INITIALISATIONS)
        raise InvalidSetting(f"The initialisation is one of {known}.")
