"""A Transformer encoder, one concept a file, readable as a textbook and fast enough to use.

Every public name can be imported from here; its file is loaded when the name is first used, so
that importing the package costs next to nothing. The file names tell what is where.

>>> from encoder_core import MultiheadAttention
>>> MultiheadAttention.__module__
'encoder_core.multihead'
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType
from typing import Any

# Where each public name lives. A test holds this equal to what the files themselves say.
_FILES: dict[str, tuple[str, ...]] = {
    # From text to vectors.
    "text.words": (
        "Word",
        "is_chinese",
        "is_punctuation",
        "join_letters",
        "normalise",
        "normalise_text",
        "split_words",
    ),
    "text.spacing": ("join_as_written",),
    "text.added_tokens": ("AddedToken", "AddedTokens"),
    "text.tokenizer": ("WordPiece", "read_vocabulary", "wordpiece", "write_vocabulary"),
    "text.encodings": ("Batch", "Encoding", "encode_texts", "pad_encodings", "truncate"),
    "text.wordpiece_training": ("count_words", "train_wordpiece"),
    "text.characters": ("CharacterTokenizer",),
    "text.pairs": ("next_sentence_pairs", "sentence_pair"),
    "embeddings": (
        "InputEmbedding",
        "TokenEmbedding",
        "initialise_embedding",
        "lookup",
        "one_hot_lookup",
    ),
    "positions": (
        "LearnedPositions",
        "SinusoidalPositions",
        "alibi_bias",
        "alibi_slopes",
        "positions_from_ids",
        "sinusoidal_positions",
    ),
    "relative": ("AlibiBias", "RelativeBias", "T5Bias", "spread_over_pairs", "t5_buckets"),
    "rotary": (
        "Pairing",
        "Rotary",
        "half_to_interleaved",
        "interleaved_to_half",
        "rotary_angles",
        "rotate_interleaved",
    ),
    "tied": ("TiedProjection",),
    # Attention.
    "attention": (
        "AttentionFunction",
        "AttentionStrategy",
        "attend",
        "fused_attention",
        "masked_softmax",
        "merge_heads",
        "scaled_dot_product_attention",
        "scores",
        "split_heads",
    ),
    "masks": (
        "additive_mask",
        "block_future",
        "blocked_rows",
        "causal_mask",
        "check_mask",
        "drop_empty_padding",
        "join_head_masks",
        "local_mask",
        "match_masks",
        "merge_masks",
        "padding_mask",
    ),
    "second_derivative": ("allow_second_derivative", "attention_gradient"),
    "local_attention": ("suits", "windowed_attention"),
    "multihead": ("MultiheadAttention",),
    "watching": ("Watchers", "this_thread"),
    # The layer and the stack.
    "activations": ("Activation", "activation_function", "gelu", "relu"),
    "feed_forward": ("FeedForward", "GatedFeedForward", "geglu", "swiglu"),
    "checks": (
        "has_values",
        "may_be_kept",
        "read_bool",
        "require_batch_first",
        "require_batch_first_layers",
        "require_sources",
        "require_width",
    ),
    "residual": ("get_clones", "layer_norm"),
    "stack": ("run_layers", "takes_strategy"),
    "encoder": ("TransformerEncoder", "TransformerEncoderLayer"),
    "decoder": ("TransformerDecoder", "TransformerDecoderLayer"),
    # Encoders by name.
    "models.bert": ("Bert", "BertConfig", "BertEmbeddings", "encode_embedded"),
    "models.modernbert": (
        "ModernBert",
        "ModernBertConfig",
        "ModernBertEmbeddings",
        "ModernBertLayer",
    ),
    "models.masked_lm": ("MaskedLM", "MaskedLMHead"),
    "pretrained.loading": (
        "encoder_from_weights",
        "from_pretrained",
        "masked_lm_from_pretrained",
        "masked_lm_from_weights",
        "tokenizer_from_pretrained",
    ),
    "pretrained.tokenizer_files": ("read_wordpiece",),
    "pretrained.config_fields": ("DEMANDED", "HARMLESS", "Fields"),
    "pretrained.families": ("FAMILIES", "Family", "family_of"),
    "pretrained.checkpoints": (
        "CheckpointError",
        "load_weights",
        "read_json_object",
        "read_weights",
        "rename_weights",
        "stack_projections",
    ),
    "pretrained.hub": ("find_checkpoint",),
    "pretrained.minilm": ("load_minilm", "minilm_folder", "sentence_embedding"),
    # Looking inside.
    "inspect.recording": ("Recording", "record"),
    "inspect.interventions": ("ablate", "attention_function", "attentions_of", "patch"),
    "inspect.costs": (
        "AttentionKind",
        "Cost",
        "Memory",
        "encoder_memory",
        "layer_costs",
        "saved_numbers",
    ),
    "models.modes": ("evaluating",),
    "inspect.machine": (
        "Machine",
        "copy_bandwidth",
        "matmul_peak",
        "measure_machine",
        "synchronize",
    ),
    # Models for the applications.
    "models.text_encoder": ("TextEncoder",),
    "models.fresh": ("LayerMaker", "fresh_encoder"),
    "models.position_choice": ("POSITION_KINDS", "PositionChoice", "read_positions"),
    "models.pooling": ("Pooling", "first_token", "masked_max", "masked_mean", "pooling_function"),
    "models.classification": ("SequenceClassifier", "TokenClassifier"),
    "models.encoder_decoder": ("EncoderDecoder",),
    "generation.decoding": (
        "beam_search",
        "greedy_decode",
        "length_penalised",
        "nucleus_probabilities",
        "require_temperature",
        "sample",
        "shift_right",
        "top_p",
    ),
    "generation.generate": ("generate_beam", "generate_greedy", "generate_nucleus"),
    "generation.scores": ("chrf", "corpus_bleu", "word_error_rate"),
    "cache": ("KeyValueCache", "LayerCache"),
    "cached_attention": ("attend_to_memory", "attend_to_past"),
    "models.vision": ("VisionTransformer", "patchify", "unpatchify"),
    "models.log_mel": (
        "LogMel",
        "frame",
        "hertz_to_mel",
        "mel_filters",
        "mel_to_hertz",
        "triangles",
    ),
    "models.speech": ("SpeechEncoder", "ctc_collapse", "ctc_loss"),
    # Training and speed.
    "training.loop": ("fit", "start_training"),
    "training.config": (
        "Control",
        "History",
        "Record",
        "TrainingConfig",
        "require_loss",
        "require_rate",
    ),
    "training.run": ("Run",),
    "training.state": ("load_training", "remove_unfinished", "save_training", "writing_error"),
    "training.facts": ("parse_facts", "require_facts"),
    "training.lock": ("lock_checkpoint",),
    "training.rollback": ("Rollback",),
    "training.batches": ("Batches", "batch_indices", "step_seed"),
    "training.gradients": ("clip_gradients", "layers_of"),
    "training.masking": (
        "MaskedBatch",
        "hide_chosen",
        "mask_collate",
        "mask_tokens",
        "masked_lm_loss",
        "perplexity",
    ),
    "training.optimizers": (
        "MuonWithAdamW",
        "OptimizerName",
        "hidden_matrices",
        "make_adamw",
        "make_muon",
        "make_optimizer",
        "require_optimizer",
        "state_names",
    ),
    "training.randomness": ("DRAWING", "own_generator"),
    "training.schedule": (
        "Rates",
        "Schedule",
        "learning_rate",
        "parameter_groups",
        "require_schedule",
        "scheduled_rate",
    ),
    "training.devices": ("Precision", "choose_device", "choose_precision", "to_device"),
    "training.distributed": ("Processes", "average_gradients", "join_processes", "same_weights"),
    "training.sharding": (
        "gather_whole",
        "held_bytes",
        "is_sharded",
        "local_part",
        "require_shardable",
        "reshard",
        "shard_as",
        "shard_model",
    ),
    "training.compiling": ("compile_layers", "list_layers"),
    "training.interrupts": ("Interrupts",),
    "pretrain.pretraining": ("Pretraining", "run_pretraining"),
    "pretrain.presets": ("PRESETS", "Preset", "numbers_of"),
    "pretrain.corpus": ("HUB", "fetch_corpus"),
    "pretrain.memory": ("keep_memory",),
    "pretrain.planning": ("PEAKS", "Plan", "plan_pretraining"),
    "pretrain.token_file": ("Blocks", "documents", "text_files", "write_token_file"),
    "pretrain.hiding": ("hide_tokens",),
    "pretrain.throughput": ("training_flops",),
    "pretrain.log": ("Log", "read_log"),
    "pretrained.saving": ("save_masked_lm",),
    "models.whisper": ("Whisper", "WhisperConfig", "slaney_filters", "whisper_log_mel"),
    "pretrained.ctranslate2": ("read_ctranslate2",),
    "pretrained.whisper": ("Transcript", "load_whisper", "transcribe", "whisper_folder"),
    "fast.packing": ("Packing", "encode_layers", "pack"),
    "fast.blockwise": ("blockwise_attention",),
    "fast.fast_cpu": ("FastCpu", "use_fast_cpu"),
    "fast.layouts": ("BlockedLinear", "Layout", "TransposedLinear"),
    "fast.prepacked": ("PrepackedLayer", "can_prepack", "prepack", "undo_prepack"),
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


_NEW = {
    "blockwise", "compiling", "config", "corpus", "costs", "ctranslate2", "facts", "fresh",
    "generate", "hiding", "lock", "log", "loop", "machine", "memory", "minilm", "planning",
    "position_choice", "presets", "pretraining", "run", "saving", "scores", "sharding", "state",
    "throughput", "token_file", "whisper",
}  # fmt: skip
# Where files of the first version are now: `from encoder_core.decoding import top_p` still works.
_MOVED = {
    "alibi": "positions",
    "heads": "attention",
    "inputs": "checks",
    "bert_config": "models.bert",
    "modernbert_config": "models.modernbert",
    **{f"training_{file}": f"training.{file}" for file in ("facts", "lock", "run", "state")},
    **{
        file.rpartition(".")[2]: file
        for file in _FILES
        if "." in file and file.rpartition(".")[2] not in _NEW
    },
}


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module under the name that it had."""

    def find_spec(
        self, fullname: str, path: Any, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, file = fullname.rpartition(".")
        known = package == __name__ and file in _MOVED
        return importlib.util.spec_from_loader(fullname, self) if known else None

    def exec_module(self, module: ModuleType) -> None:
        file = module.__name__.rpartition(".")[2]
        sys.modules[module.__name__] = importlib.import_module(f"{__name__}.{_MOVED[file]}")


sys.meta_path.append(_Moved())
