"""A Transformer encoder, one concept a file, readable as a textbook and fast enough to use.

Every public name can be imported from here; its file is loaded when the name is first used, so
that importing the package costs next to nothing. The file names tell what is where.

>>> from encoder_core import MultiheadAttention
>>> MultiheadAttention.__module__
'encoder_core.multihead'
"""

from __future__ import annotations

import importlib
from typing import Any

# Where each public name lives. A test holds this equal to what the files themselves say.
_FILES: dict[str, tuple[str, ...]] = {
    "attention": (
        "AttentionFunction",
        "fused_attention",
        "masked_softmax",
        "scaled_dot_product_attention",
    ),
    "bert": ("Bert", "BertConfig", "BertEmbeddings"),
    "checkpoints": ("CheckpointError", "load_weights", "read_weights"),
    "encodings": ("Batch", "Encoding"),
    "heads": ("merge_heads", "split_heads"),
    "local_attention": ("windowed_attention",),
    "masks": ("causal_mask", "local_mask", "merge_masks", "padding_mask"),
    "masked_lm": ("MaskedLM", "MaskedLMHead"),
    "modernbert": ("ModernBert", "ModernBertConfig", "ModernBertEmbeddings", "ModernBertLayer"),
    "multihead": ("MultiheadAttention",),
    "loading": (
        "from_pretrained",
        "masked_lm_from_pretrained",
        "tokenizer_from_pretrained",
    ),
    "pretrained": ("load_minilm", "minilm_folder", "sentence_embedding"),
    "packing": ("Packing", "encode_layers", "pack"),
    "recording": ("Recording", "ablate", "attention_function", "patch", "record"),
    "tokenizer": ("WordPiece", "wordpiece"),
    "wordpiece_training": ("count_words", "train_wordpiece"),
    "words": ("split_words",),
}
_HOME = {name: file for file, names in _FILES.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Load the file of a public name when the name is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'encoder_core' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"encoder_core.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
