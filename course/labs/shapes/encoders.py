"""The encoder that is traced, taken apart into what the tracer needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from course.labs.checkpoints import MINILM, checkpoint
from course.labs.faults import InvalidSetting, OwnFailed
from course.labs.shapes.settings import LONGEST, Settings
from encoder_core.embeddings import InputEmbedding
from encoder_core.models.bert import BertEmbeddings
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.text.encodings import Batch, pad_encodings

NAMES = (
    "self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight",
    "self_attn.out_proj.bias", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias",
    "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias",
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """An encoder in parts.

    Attributes:
        name: which encoder.
        embeddings: `BertEmbeddings`, `InputEmbedding` with sinusoidal positions, or None.
        layers: the layers, in evaluation mode.
        norm: what comes after the last layer, or None.
        d_model: D.
        own: whether it is the learner's.
    """

    name: str
    embeddings: nn.Module | None
    layers: Sequence[nn.Module]
    norm: nn.Module | None
    d_model: int
    own: bool = False


@lru_cache(maxsize=8)
def batch_of(text: str, second: str, source: str = MINILM) -> Batch:
    """One or two texts, cut as a checkpoint does and padded.

    Raises:
        InvalidSetting: a text has more tokens than the lab draws; there is no such checkpoint.
    """
    known = checkpoint(source)
    texts = [text, second] if second.strip() else [text]
    batch = pad_encodings([known.cut(text, None) for text in texts], known.padding)
    if batch.ids.shape[1] > LONGEST:
        raise InvalidSetting(
            f"The longer text has {batch.ids.shape[1]} tokens; the lab draws at most {LONGEST}. "
            "Shorten it, and the picture follows."
        )
    return batch


def parts_of(settings: Settings, model: nn.Module | None) -> Parts:
    """The encoder that is asked for.

    Raises:
        InvalidSetting: the learner's own is asked for, but none was given.
        OwnFailed: the learner's own cannot be taken apart.
    """
    if settings.encoder == "own":
        if model is None:
            raise InvalidSetting(
                "There is no encoder of your own here: ShapeTracer(model=...) takes one."
            )
        return take_apart(model)
    if settings.encoder == "pretrained":
        return _pretrained(settings.checkpoint)
    sizes = (settings.d_model, settings.heads, settings.layers, settings.dim_feedforward)
    words = len(checkpoint(settings.checkpoint).vocabulary)
    encoder = _fresh(words, *sizes, settings.norm_first, settings.seed)
    stack = encoder.encoder
    return Parts(
        "a fresh encoder", encoder.embedding, list(stack.layers), stack.norm, settings.d_model
    )


def _pretrained(source: str) -> Parts:
    known = checkpoint(source)
    if known.pre_norm:
        raise InvalidSetting(
            f"{known.name} is a ModernBERT: this lab traces layers with the weights of "
            "torch.nn.TransformerEncoderLayer. AttentionLab and StackLab show it."
        )
    embeddings, layers = known.model.embeddings, list(known.layers())
    return Parts(known.short, embeddings, layers, None, known.model.config.d_model)


def take_apart(model: nn.Module) -> Parts:
    """Find embeddings, layers and final norm in a learner's model.

    Raises:
        OwnFailed: there are no layers, or a layer has not the weights of
            `torch.nn.TransformerEncoderLayer`.
    """
    holders = [
        module
        for _, module in model.named_modules()
        if isinstance(getattr(module, "layers", None), nn.ModuleList)
    ]
    if not holders or not len(holders[0].layers):
        raise OwnFailed(
            "Your model has no nn.ModuleList called layers, in which this lab looks for them."
        )
    layers: list[nn.Module] = list(holders[0].layers)
    for number, layer in enumerate(layers):
        missing = [name for name in NAMES if name not in layer.state_dict()]
        if missing:
            raise OwnFailed(
                f"Your layer {number} has no {missing[0]}: this lab traces layers with the weights "
                "of torch.nn.TransformerEncoderLayer."
            )
    norm = getattr(holders[0], "norm", None)
    embeddings = next((part for part in model.modules() if _known(part)), None)
    return Parts(
        name=f"your {type(model).__name__}",
        embeddings=embeddings,
        layers=layers,
        norm=norm if isinstance(norm, nn.Module) else None,
        d_model=layers[0].state_dict()["norm1.weight"].shape[0],
        own=True,
    )


def _known(part: nn.Module) -> bool:
    return isinstance(part, BertEmbeddings) or (
        isinstance(part, InputEmbedding) and part.segment is None and part.norm is None
    )


@lru_cache(maxsize=4)
def _fresh(
    size: int,
    d_model: int,
    heads: int,
    layers: int,
    dim_feedforward: int,
    norm_first: bool,
    seed: int,
) -> TextEncoder:
    """An encoder with a vocabulary of `size` tokens. torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        encoder = TextEncoder(
            size, d_model, heads, layers, dim_feedforward, norm_first=norm_first, activation="relu"
        )
    return encoder.eval()


def weights_of(layer: nn.Module) -> dict[str, Tensor]:
    """A layer's weights by `torch.nn.TransformerEncoderLayer`'s names."""
    return {name: value.detach() for name, value in layer.state_dict().items()}
