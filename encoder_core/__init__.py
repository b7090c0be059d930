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
    # From text to vectors.
    "words": ("split_words",),
    "tokenizer": ("Batch", "Encoding", "WordPiece", "wordpiece"),
    "wordpiece_training": ("count_words", "train_wordpiece"),
    "embeddings": ("InputEmbedding", "TokenEmbedding", "lookup", "one_hot_lookup"),
    "positions": ("LearnedPositions", "SinusoidalPositions", "sinusoidal_positions"),
    "rotary": ("Rotary", "rotate_interleaved"),
    "alibi": ("alibi_bias", "alibi_slopes"),
    # Attention.
    "masks": ("causal_mask", "local_mask", "merge_masks", "padding_mask"),
    "attention": (
        "AttentionFunction",
        "fused_attention",
        "masked_softmax",
        "scaled_dot_product_attention",
    ),
    "local_attention": ("windowed_attention",),
    "heads": ("merge_heads", "split_heads"),
    "multihead": ("MultiheadAttention",),
    # The layer and the stack.
    "activations": ("activation_function", "gelu", "relu"),
    "feed_forward": ("FeedForward", "GatedFeedForward", "geglu", "swiglu"),
    "residual": ("layer_norm",),
    "encoder": ("TransformerEncoder", "TransformerEncoderLayer"),
    "decoder": ("TransformerDecoder", "TransformerDecoderLayer"),
    "packing": ("Packing", "encode_layers", "pack"),
    # Models by name.
    "bert": ("Bert", "BertConfig", "BertEmbeddings"),
    "modernbert": ("ModernBert", "ModernBertConfig", "ModernBertEmbeddings", "ModernBertLayer"),
    "tied": ("TiedProjection",),
    "masked_lm": ("MaskedLM", "MaskedLMHead"),
    "checkpoints": ("CheckpointError", "load_weights", "read_weights"),
    "loading": ("from_pretrained", "masked_lm_from_pretrained", "tokenizer_from_pretrained"),
    "pretrained": ("load_minilm", "minilm_folder", "sentence_embedding"),
    "recording": ("Recording", "record"),
    "interventions": ("ablate", "attention_function", "patch"),
    # Models for the applications.
    "text_encoder": ("TextEncoder", "fresh_encoder"),
    "pooling": ("first_token", "masked_max", "masked_mean"),
    "classification": ("SequenceClassifier", "TokenClassifier"),
    "encoder_decoder": ("EncoderDecoder",),
    "generation": ("generate_beam", "generate_greedy", "generate_nucleus"),
    "vision": ("VisionTransformer", "patchify", "unpatchify"),
    "log_mel": ("LogMel",),
    "speech": ("SpeechEncoder", "ctc_collapse", "ctc_loss"),
    # Training and speed.
    "training": ("History", "TrainingConfig", "fit"),
    "fast_cpu": ("FastCpu", "use_fast_cpu"),
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
