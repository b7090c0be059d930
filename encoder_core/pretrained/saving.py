"""Write a BERT as Hugging Face's files: what `from_pretrained` and `transformers` read.

Source: the names of `BertForMaskedLM` in `transformers`; `families.py` reads the same ones.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from encoder_core.models.bert import Bert
from encoder_core.models.masked_lm import MaskedLM
from encoder_core.text.tokenizer import WordPiece, write_vocabulary

__all__ = ["save_masked_lm"]

# Our names as regular expressions, and theirs.
_NAMES = (
    (r"^encoder\.embeddings\.token\.", "bert.embeddings.word_embeddings."),
    (r"^encoder\.embeddings\.position\.", "bert.embeddings.position_embeddings."),
    (r"^encoder\.embeddings\.segment\.", "bert.embeddings.token_type_embeddings."),
    (r"^encoder\.embeddings\.norm\.", "bert.embeddings.LayerNorm."),
    (r"^encoder\.pooler\.", "bert.pooler.dense."),
    (r"^encoder\.layers\.", "bert.encoder.layer."),
    (r"\.self_attn\.out_proj\.", ".attention.output.dense."),
    (r"\.self_attn\.", ".attention.self."),
    (r"\.linear1\.", ".intermediate.dense."),
    (r"\.linear2\.", ".output.dense."),
    (r"\.norm1\.", ".attention.output.LayerNorm."),
    (r"\.norm2\.", ".output.LayerNorm."),
    (r"^head\.dense\.", "cls.predictions.transform.dense."),
    (r"^head\.norm\.", "cls.predictions.transform.LayerNorm."),
    (r"^head\.output\.bias$", "cls.predictions.bias"),
)


def save_masked_lm(folder: Path | str, model: MaskedLM, tokenizer: WordPiece) -> None:
    """Write `config.json`, `model.safetensors`, `vocab.txt` and `tokenizer_config.json` into a folder.

    Raises:
        TypeError: the encoder is not a `Bert`.
        ValueError: its positions are counted as RoBERTa's, which these names do not say.
    """
    encoder = model.encoder
    if not isinstance(encoder, Bert):
        raise TypeError(f"Only a Bert can be written so; this is a {type(encoder).__name__}.")
    if encoder.config.positions_after_padding or not encoder.config.segments:
        raise ValueError("Only BERT's own settings can be written so: segments, positions from 0.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_renamed(model.state_dict()), folder / "model.safetensors", {"format": "pt"})
    write_vocabulary(folder / "vocab.txt", tokenizer.vocabulary)
    how = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": tokenizer.lowercase,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": tokenizer.chinese,
    }
    for name, facts in (("config", _settings(encoder)), ("tokenizer_config", how)):
        text = json.dumps(facts, indent=2)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _settings(encoder: Bert) -> dict[str, object]:
    config = encoder.config
    return {
        "model_type": "bert",
        "architectures": ["BertForMaskedLM"],
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "num_attention_heads": config.nhead,
        "num_hidden_layers": config.num_layers,
        "intermediate_size": config.dim_feedforward,
        "max_position_embeddings": config.max_length,
        "type_vocab_size": config.segments,
        "pad_token_id": config.padding_idx,
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.attention_dropout,
        "hidden_act": config.activation,
        "layer_norm_eps": config.layer_norm_eps,
        "initializer_range": config.std,
    }


def _renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights, and cut each layer's three projections apart; leave the tied table out."""
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name.startswith("head.output.") and not name.endswith("bias"):
            continue  # the token table itself
        part = re.fullmatch(r"(.*\.self_attn\.)in_proj_(weight|bias)", name)
        names = (
            [f"{part[1]}{which}.{part[2]}" for which in ("query", "key", "value")]
            if part
            else [name]
        )
        for each, own in zip(names, tensor.chunk(len(names)), strict=True):
            for pattern, theirs in _NAMES:
                each = re.sub(pattern, theirs, each)
            found[each] = own.detach().float().cpu().contiguous().clone()
    return found
