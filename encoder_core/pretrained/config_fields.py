"""Validate the fields of a `config.json`.

Every field is of one of four kinds:

- read: a `Fields` method returns it, of the right type and within its range, or raises;
- harmless (`HARMLESS`): it changes no hidden state and no logit that this package computes;
- refused (`DEMANDED`): a value other than those listed needs a model that this package lacks;
- unknown: neither this package nor `transformers` reads it; a warning names it.

Source: the `transformers` library, version 5, `PreTrainedConfig` and the configurations of the four
families.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from encoder_core.pretrained.checkpoints import CheckpointError

__all__ = ["DEMANDED", "HARMLESS", "Fields"]

_MOST = 2**31 - 1

# Allowed values of a field, and what any other value means.
DEMANDED: dict[str, tuple[tuple[Any, ...], str]] = {
    "is_decoder": ((False, None), "a decoder, whose attention sees no later token"),
    "add_cross_attention": ((False, None), "layers that attend to another model's output"),
    "is_encoder_decoder": ((False, None), "an encoder and a decoder"),
    "cross_attention_hidden_size": ((None,), "layers that attend to another model's output"),
    "tie_encoder_decoder": ((False, None), "an encoder and a decoder"),
    "position_embedding_type": (("absolute", None), "another kind of positions"),
    "pruned_heads": (({}, [], None), "layers with some heads cut out"),
    "per_layer_config": (({}, None), "layers of different settings"),
    "quantization_config": (({}, None), "weights in an integer code"),
    "compression_config": (({}, None), "weights in an integer code"),
    "rope_scaling": (({}, None), "rotary positions that are scaled"),
    "rope_theta": ((None,), "one rotary base for all layers"),
    "partial_rotary_factor": ((1, None), "rotary positions on a part of each head"),
    "directionality": (("bidi", None), "attention in one direction"),
}


def _because(reason: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


# Fields that do not change the output, and why.
HARMLESS: dict[str, str] = {
    **_because("provenance",
        "_name_or_path name_or_path _commit_hash transformers_version adapter_transformers "
        "tokenizer_class prefix language"),
    **_because("further outputs of transformers",
        "output_hidden_states output_attentions return_dict use_return_dict use_cache output_past "
        "output_scores return_dict_in_generate torchscript tie_last_hidden_states"),
    **_because("speed and memory: how the same numbers are computed",
        "chunk_size_feed_forward gradient_checkpointing attn_implementation _attn_implementation "
        "_attn_implementation_autoset _attn_implementation_internal experts_implementation "
        "_experts_implementation_internal deterministic_flash_attn reference_compile "
        "repad_logits_with_grad"),
    **_because("models are loaded in float32",
        "dtype torch_dtype use_bfloat16"),
    **_because("heads that this package lacks",
        "id2label label2id num_labels _num_labels problem_type classifier_dropout "
        "classifier_pooling finetuning_task task_specific_params qa_dropout seq_classif_dropout "
        "sparse_prediction sparse_pred_ignore_index pooler_fc_size pooler_num_attention_heads "
        "pooler_num_fc_layers pooler_size_per_head pooler_type summary_activation "
        "summary_first_dropout summary_last_dropout summary_proj_to_labels summary_type "
        "summary_use_proj"),
    **_because("initial values, which the weights replace",
        "initializer_cutoff_factor sinusoidal_pos_embds tie_weights_"),
    **_because("ids of the tokenizer",
        "bos_token_id eos_token_id cls_token_id sep_token_id mask_token_id unk_token_id "
        "decoder_start_token_id forced_bos_token_id forced_eos_token_id"),
    **_because("generation",
        "max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty "
        "temperature top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size "
        "encoder_no_repeat_ngram_size bad_words_ids num_return_sequences remove_invalid_values "
        "exponential_decay_length_penalty suppress_tokens begin_suppress_tokens"),
}  # fmt: skip


class Fields:
    """The fields of a `config.json`, each read with its type and range.

    `source` names the file in errors. A field of another type or out of range raises CheckpointError
    with its name, the expected and the given value.

    >>> fields = Fields({"hidden_size": 384})
    >>> fields.whole("hidden_size", 768), fields.whole("num_hidden_layers", 12)
    (384, 12)
    """

    def __init__(self, settings: Mapping[str, Any], source: str = "config.json") -> None:
        if not isinstance(settings, Mapping):
            raise CheckpointError(
                f"{source} must hold an object of settings, but holds a {type(settings).__name__}."
            )
        self.settings, self.source = settings, source
        self.read: set[str] = set()

    def wrong(self, name: str, expected: str) -> CheckpointError:
        """Return the error for a field with a wrong value."""
        return CheckpointError(
            f"{self.source}: {name} must be {expected}, got {self.settings.get(name)!r:.80}."
        )

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field unchecked, and mark it as read."""
        self.read.add(name)
        return self.settings.get(name, default)

    def whole(self, name: str, default: int, least: int = 1, most: int = _MOST) -> int:
        """Return an integer from `least` to `most`."""
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(name, f"a whole number from {least} to {most}")
        return value

    def number(self, name: str, default: float, most: float = math.inf) -> float:
        """Return a finite number from 0 to `most`."""
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "a number")
        if not (0 <= value <= most and abs(value) < 1e38):
            raise self.wrong(name, f"a finite number from 0 to {most}")
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        """Return a bool."""
        value = self.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def one_of(self, name: str, default: str, known: Mapping[str, str]) -> str:
        """Return the entry of `known` for the field's value."""
        value = self.get(name, default)
        if not isinstance(value, str) or value not in known:
            raise self.wrong(name, f"one of {', '.join(known)} (others are not supported)")
        return known[value]

    def finish(self) -> None:
        """Refuse values that need another model, and warn about unknown fields; call it last."""
        for name, (allowed, meaning) in DEMANDED.items():
            value = self.settings.get(name)
            if name not in self.read and not any(
                value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed
            ):
                raise CheckpointError(
                    f"{self.source}: {name} is {value!r:.80}, which means {meaning}; only "
                    f"{allowed[0]!r} is supported."
                )
        known = self.read | set(HARMLESS) | set(DEMANDED)
        unknown = [str(name) for name in self.settings if name not in known]
        if unknown:
            warnings.warn(
                f"{self.source}: {', '.join(unknown)}: unknown, and ignored as by "
                "transformers' models of this family.",
                stacklevel=2,
            )
