"""The tokens and the encoder that the attention lab's settings ask for.

Everything here is cached: moving a slider must not load, cut or draw anything twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from course.labs.attention.settings import LONGEST, Settings
from course.labs.checkpoints import MINILM, checkpoint
from course.labs.faults import InvalidSetting
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.positions import sinusoidal_positions


@dataclass(frozen=True)
class Tokens:
    """A text, or a pair, cut into tokens.

    Attributes:
        labels: the tokens as text, L of them.
        ids: their numbers.
        type_ids: 0 for the first sentence, 1 for the second.
        real: how many of them are not [PAD], which stand at the end.
    """

    labels: tuple[str, ...]
    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    real: int


@lru_cache(maxsize=8)
def tokens_of(text: str, pair: str, padding: int, source: str = MINILM) -> Tokens:
    """Cut a text or a pair as a checkpoint does, and append padding.

    Raises:
        InvalidSetting: the text has no tokens, or more than the lab can draw; there is no such
            checkpoint.
    """
    cutter = checkpoint(source)
    encoding = cutter.cut(text, pair if pair.strip() else None)
    real = len(encoding)
    if real + padding > LONGEST:
        of_them = f", {padding} of them [PAD]" if padding else ""
        raise InvalidSetting(
            f"The text has {real + padding} tokens{of_them}; the lab draws at most {LONGEST}. "
            "Shorten it, and the picture follows."
        )
    return Tokens(
        labels=(*encoding.tokens, *["[PAD]"] * padding),
        ids=(*encoding.ids, *[cutter.padding] * padding),
        type_ids=(*encoding.type_ids, *[0] * padding),
        real=real,
    )


def layers_of(settings: Settings) -> Sequence[nn.Module]:
    """The encoder's layers, in evaluation mode, on the settings' device."""
    if settings.encoder == "pretrained":
        return list(checkpoint(settings.checkpoint).layers(settings.device))
    shape = (settings.d_model, settings.heads, settings.seed, settings.device)
    return [_fresh_layer(*shape, number) for number in range(settings.layers)]


def embed(settings: Settings, tokens: Tokens) -> Tensor:
    """What goes into the first layer, `(1, L, D)`, on the settings' device."""
    if settings.encoder == "pretrained":
        return _embed_pretrained(tokens, settings.checkpoint, settings.device)
    return embed_fresh(tokens, settings.d_model, settings.seed).to(settings.device)


def end_of(settings: Settings) -> nn.Module:
    """What comes after the last layer: a norm, or nothing."""
    if settings.encoder == "pretrained":
        return checkpoint(settings.checkpoint).end(settings.device)
    return nn.Identity()


@lru_cache(maxsize=8)
def _embed_pretrained(tokens: Tokens, source: str, device: str) -> Tensor:
    return checkpoint(source).embed(tokens.ids, tokens.type_ids, device)


@lru_cache(maxsize=8)
def embed_fresh(tokens: Tokens, d_model: int, seed: int) -> Tensor:
    """Random vectors, the same for the same token, plus sinusoidal positions."""
    vectors = {number: _random_vector(number, d_model, seed) for number in set(tokens.ids)}
    x = torch.stack([vectors[number] for number in tokens.ids])  # (L, D)
    return (x + sinusoidal_positions(len(tokens.ids), d_model))[None]  # (1, L, D)


def _random_vector(number: int, d_model: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(100_003 * seed + number)
    return torch.randn(d_model, generator=generator)  # (D,)


@lru_cache(maxsize=6)
def _fresh_layer(d_model: int, heads: int, seed: int, device: str, number: int) -> nn.Module:
    """A layer with the weights of `_fresh_weights`, whatever the number of heads."""
    layer = TransformerEncoderLayer(d_model, heads, 4 * d_model, dropout=0.0, device="meta")
    layer.load_state_dict(_fresh_weights(d_model, seed, number), assign=True)
    return layer.to(device).eval()


@lru_cache(maxsize=6)
def _fresh_weights(d_model: int, seed: int, number: int) -> dict[str, Tensor]:
    """A layer's random weights. They depend on neither the number of heads nor that of layers.

    torch's global generator is left as it was.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(1_009 * seed + number)
        return TransformerEncoderLayer(d_model, 1, 4 * d_model, dropout=0.0).state_dict()
