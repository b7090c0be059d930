"""Build a `WordPiece` from the files of a checkpoint, or refuse them by file and field.

Five files are read: `tokenizer.json` (complete by itself), `vocab.txt` (the vocabulary),
`tokenizer_config.json` (settings and special tokens), and from older versions
`special_tokens_map.json` and `added_tokens.json`. If two of them contradict each other, programs
disagree on which one counts, so that is an error.

As in `transformers`, texts are truncated and padded only on request: `model_max_length` and the
blocks `truncation` and `padding` set no length.

Source: the `transformers` library, version 5, `tokenization_utils_base.py` and
`tokenization_bert.py`; the `tokenizers` library, the format of `tokenizer.json`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from encoder_core.pretrained.checkpoints import CheckpointError, read_json_object
from encoder_core.text.added_tokens import AddedToken
from encoder_core.text.tokenizer import WordPiece, read_vocabulary

__all__ = ["read_wordpiece"]

_BERT = ("BertTokenizer", "DistilBertTokenizer")
_GENERIC = ("PreTrainedTokenizer", "TokenizersBackend")
_NAMES: dict[str, str | None] = {
    "bos_token": None,
    "eos_token": None,
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
_EXTRA = ("additional_special_tokens", "extra_special_tokens", "model_specific_special_tokens")
_FLAGS = ("special", "single_word", "lstrip", "rstrip", "normalized")

# Allowed values of the fields of tokenizer_config.json.
_DEMANDED: dict[str, tuple[Any, ...]] = {
    "padding_side": ("right", None),
    "truncation_side": ("right", None),
    "pad_token_type_id": (0, None),
    "split_special_tokens": (False, None),
    "add_bos_token": (False, None),
    "add_eos_token": (False, None),
    "add_prefix_space": (False, None),
    "do_basic_tokenize": (True, None),
    "never_split": ([], None),
    "clean_text": (True, None),
    "wordpieces_prefix": ("##", None),
    "init_inputs": ([], None),
    "word_tokenizer_type": ("basic", None),
    "subword_tokenizer_type": ("wordpiece", None),
    "auto_map": ({}, None),
}
_READ = (
    "do_lower_case", "strip_accents", "tokenize_chinese_chars", "tokenizer_class",
    "added_tokens_decoder",
)  # fmt: skip
# Fields that do not change the ids: lengths, which the caller sets, spacing of decoded text, the
# model's inputs, provenance.
_HARMLESS = (
    "model_max_length", "max_len", "max_length", "stride", "truncation_strategy", "truncation",
    "padding", "pad_to_multiple_of", "clean_up_tokenization_spaces", "model_input_names",
    "name_or_path", "_name_or_path", "special_tokens_map_file", "tokenizer_file",
    "full_tokenizer_file", "backend", "is_local", "local_files_only", "processor_class",
    "chat_template", "use_fast", "from_slow", "trim_offsets", "errors", "transformers_version",
    "_commit_hash", "verbose",
)  # fmt: skip


def read_wordpiece(folder: Path) -> WordPiece:
    """Build the WordPiece tokenizer that the files of a folder describe.

    Raises FileNotFoundError if the folder has neither `tokenizer.json` nor `vocab.txt`, and
    CheckpointError, with file and field, if the tokenizer is of another kind, a file is damaged, or a
    setting is not supported.

    >>> from encoder_core.pretrained.minilm import minilm_folder
    >>> read_wordpiece(minilm_folder()).encode("Hi").ids
    [101, 7632, 102]
    """
    try:
        return _Files(folder).tokenizer()
    except CheckpointError:
        raise
    except ValueError as error:  # from the vocabulary or an added token
        raise CheckpointError(f"{folder}: {error}") from None


class _Files:
    """The files of one folder, each read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.whole = self._read("tokenizer.json")
        self.settings = self._read("tokenizer_config.json") or {}
        self.old_names = self._read("special_tokens_map.json") or {}
        self.old_added = self._read("added_tokens.json") or {}
        config = self._read("config.json") or {}
        self.model_type = config.get("model_type")
        self.kind = self.settings.get("tokenizer_class") or config.get("tokenizer_class")

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        return read_json_object(path) if path.is_file() else None

    def refuse(self, file: str, field: str, expected: str, given: Any) -> CheckpointError:
        return CheckpointError(
            f"{self.folder / file}: {field} must be {expected}, got {given!r:.120}."
        )

    def tokenizer(self) -> WordPiece:
        """Read all files and check them against each other."""
        if self.whole is None and not (self.folder / "vocab.txt").is_file():
            raise FileNotFoundError(
                f"{self.folder} has neither vocab.txt nor tokenizer.json, so no WordPiece "
                "tokenizer. RoBERTa and ModernBERT cut text by byte pairs; use "
                "tokenizers.Tokenizer.from_file on a tokenizer.json."
            )
        model = self._model()
        plain = self._follows_settings()
        self._check_settings()
        vocabulary = self._vocabulary(model)
        names = self._names(plain)
        used = self._used(names, plain)
        if self.whole is not None:
            self._check_whole(self.whole, used, vocabulary, plain)
        return WordPiece(
            vocabulary,
            specials=[used[f"{kind}_token"] for kind in ("pad", "unk", "cls", "sep", "mask")],
            added=self._added(names),
            **self._normaliser(plain),
        )

    def _model(self) -> Mapping[str, Any]:
        """Return the model block of `tokenizer.json`, checked to be a supported WordPiece."""
        if self.whole is None:
            return {}
        file, model = "tokenizer.json", self.whole.get("model")
        if not isinstance(model, dict):
            raise self.refuse(file, "model", "an object", model)
        kind = model.get("type") or (
            "WordPiece" if "max_input_chars_per_word" in model and "merges" not in model else None
        )
        if kind != "WordPiece":
            raise CheckpointError(
                f"{self.folder / file}: the tokenizer is {kind!r:.40}, not WordPiece. RoBERTa and "
                "ModernBERT cut text by byte pairs; use tokenizers.Tokenizer.from_file on this file."
            )
        if model.get("continuing_subword_prefix", "##") != "##":
            raise self.refuse(
                file, "continuing_subword_prefix", "'##'", model["continuing_subword_prefix"]
            )
        if model.get("max_input_chars_per_word", 100) != 100:
            raise self.refuse(
                file, "max_input_chars_per_word", "100", model["max_input_chars_per_word"]
            )
        return model

    def _follows_settings(self) -> bool:
        """Return whether `transformers` builds this tokenizer from `tokenizer_config.json` alone."""
        kind = self.kind
        if kind is None:
            if self.model_type in ("bert", "distilbert"):
                return True
            if self.whole is None or self.model_type in ("roberta", "xlm-roberta"):
                raise self.refuse(
                    "tokenizer_config.json",
                    "tokenizer_class",
                    f"named, for a model of type {self.model_type!r:.40}",
                    kind,
                )
            return False
        name = kind.removesuffix("Fast") if isinstance(kind, str) else None
        if name not in _BERT + _GENERIC or (name in _GENERIC and self.whole is None):
            raise self.refuse(
                "tokenizer_config.json",
                "tokenizer_class",
                f"one of {', '.join(_BERT)}, or with a tokenizer.json PreTrainedTokenizerFast or "
                "TokenizersBackend",
                kind,
            )
        return name in _BERT

    def _check_settings(self) -> None:
        """Refuse unsupported settings, and warn about unknown ones."""
        file = "tokenizer_config.json"
        for name, allowed in _DEMANDED.items():
            given = self.settings.get(name)
            if not any(
                given == one and isinstance(given, bool) == isinstance(one, bool) for one in allowed
            ):
                raise self.refuse(file, name, f"{allowed[0]!r} (nothing else is supported)", given)
        known = {*_DEMANDED, *_READ, *_HARMLESS, *_EXTRA}
        unknown = [n for n in self.settings if n not in known and not n.endswith("_token")]
        if unknown:
            warnings.warn(
                f"{self.folder / file}: {', '.join(unknown)}: unknown, and ignored as by "
                "transformers' BertTokenizer.",
                stacklevel=2,
            )

    def _vocabulary(self, model: Mapping[str, Any]) -> dict[str, int]:
        """Read the vocabulary; if two files have it, it must be the same."""
        path = self.folder / "vocab.txt"
        lines = read_vocabulary(path) if path.is_file() else None
        if self.whole is None:
            return lines or {}
        ids = model.get("vocab")
        if not isinstance(ids, dict) or not all(
            isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in ids.values()
        ):
            raise self.refuse("tokenizer.json", "model.vocab", "an object of tokens and ids", ids)
        if len(set(ids.values())) != len(ids):
            raise self.refuse("tokenizer.json", "model.vocab", "with every id once", "one twice")
        if lines is not None:
            one = {(token.rstrip(), number) for token, number in lines.items()}
            other = {(token.rstrip(), number) for token, number in ids.items()}
            for token, number in sorted(one ^ other, key=lambda entry: entry[1])[:1]:
                where = "vocab.txt" if (token, number) in one else "tokenizer.json"
                raise CheckpointError(
                    f"{self.folder}: vocab.txt and tokenizer.json have different vocabularies: "
                    f"{token!r} with the id {number} is in {where} only. Remove the wrong file."
                )
        return dict(ids)

    def _names(self, plain: bool) -> dict[str, str]:
        """Read the special tokens that the files name, by their role."""
        names: dict[str, str] = {}
        padding = (self.whole or {}).get("padding")
        for key, default in _NAMES.items():
            given, old = self.settings.get(key), self.old_names.get(key)
            if given is not None and old is not None and _content(given) != _content(old):
                raise self.refuse(
                    "special_tokens_map.json", key, f"as tokenizer_config.json says, {given!r}", old
                )
            value = old if given is None else given
            if value is None and plain:
                value = default
            elif value is None and key == "pad_token" and isinstance(padding, dict):
                value = padding.get("pad_token")
            name = _content(value)
            if value is not None and not name:
                raise self.refuse("tokenizer_config.json", key, "a token", value)
            if name:
                names[key] = name
        return names

    def _used(self, names: Mapping[str, str], plain: bool) -> dict[str, str]:
        """Return the token of each role: `names`, else as `tokenizer.json` uses them, else BERT's."""
        used = {key: default for key, default in _NAMES.items() if default is not None}
        whole = self.whole or {}
        if not plain:
            unknown = whole.get("model", {}).get("unk_token")
            used["unk_token"] = unknown if isinstance(unknown, str) else used["unk_token"]
            ends = _ends(whole.get("post_processor"))
            if ends is not None:
                used["cls_token"], used["sep_token"] = (str(name) for name, _ in ends)
        return used | dict(names)

    def _normaliser(self, plain: bool) -> dict[str, Any]:
        """Read the settings of the normaliser; if two files have them, they must agree."""
        keys = {
            "lowercase": ("do_lower_case", True),
            "strip_accents": ("strip_accents", None),
            "chinese": ("tokenize_chinese_chars", True),
        }
        given: dict[str, Any] = {}
        for key, (name, default) in keys.items():
            given[key] = self.settings.get(name, default)
            if not isinstance(given[key], bool) and not (
                key == "strip_accents" and given[key] is None
            ):
                raise self.refuse("tokenizer_config.json", name, "true or false", given[key])
        if self.whole is None:
            return given
        block = self.whole.get("normalizer")
        if not isinstance(block, dict) or block.get("type") != "BertNormalizer":
            raise self.refuse("tokenizer.json", "normalizer", "a BertNormalizer", block)
        file = {
            "lowercase": block.get("lowercase", True),
            "strip_accents": block.get("strip_accents"),
            "chinese": block.get("handle_chinese_chars", True),
        }
        if block.get("clean_text", True) is not True:
            raise self.refuse(
                "tokenizer.json", "normalizer.clean_text", "true", block["clean_text"]
            )
        for key, (name, _) in keys.items():
            if not isinstance(file[key], bool) and not (
                key == "strip_accents" and file[key] is None
            ):
                raise self.refuse(
                    "tokenizer.json", f"normalizer: {key}", "true or false", file[key]
                )
            if (plain or name in self.settings) and _resolved(given, key) != _resolved(file, key):
                said = "says" if name in self.settings else "says nothing, which means"
                raise CheckpointError(
                    f"{self.folder}: tokenizer_config.json {said} {name}={given[key]!r}, and "
                    f"tokenizer.json's normalizer has {file[key]!r}. Write the right one into both."
                )
        return file

    def _check_whole(
        self,
        whole: Mapping[str, Any],
        names: Mapping[str, str],
        vocabulary: Mapping[str, int],
        plain: bool,
    ) -> None:
        """Check the remaining blocks of `tokenizer.json`."""
        file = "tokenizer.json"
        known = "version truncation padding added_tokens normalizer pre_tokenizer post_processor"
        for name in whole:
            if name not in (*known.split(), "decoder", "model"):
                raise self.refuse(file, name, "absent (unknown field)", whole[name])
        unknown = whole["model"].get("unk_token", "[UNK]")
        if unknown != names["unk_token"]:
            raise self.refuse(file, "model.unk_token", repr(names["unk_token"]), unknown)
        cutter = whole.get("pre_tokenizer")
        if not isinstance(cutter, dict) or cutter.get("type") != "BertPreTokenizer":
            raise self.refuse(file, "pre_tokenizer", "a BertPreTokenizer", cutter)
        ends = [(names[key], vocabulary.get(names[key])) for key in ("cls_token", "sep_token")]
        processor = whole.get("post_processor")
        if (processor is not None or not plain) and _ends(processor) != ends:
            raise self.refuse(
                file, "post_processor", f"{ends[0][0]} A {ends[1][0]} B {ends[1][0]}", processor
            )
        decoder = whole.get("decoder")
        if decoder is not None and decoder != {
            "type": "WordPiece",
            "prefix": "##",
            "cleanup": True,
        }:
            raise self.refuse(file, "decoder", "a WordPiece with the prefix ##", decoder)
        self._check_blocks(whole, names, vocabulary)

    def _check_blocks(
        self,
        whole: Mapping[str, Any],
        names: Mapping[str, str],
        vocabulary: Mapping[str, int],
    ) -> None:
        """Require that texts are truncated and padded on the right, with the padding token."""
        pad = names["pad_token"]
        demanded: dict[str, dict[str, Any]] = {
            "padding": {
                "direction": "Right",
                "pad_token": pad,
                "pad_id": vocabulary.get(pad),
                "pad_type_id": 0,
            },
            "truncation": {"direction": "Right"},
        }
        for name, fields in demanded.items():
            block = whole.get(name)
            if block is not None and not isinstance(block, dict):
                raise self.refuse("tokenizer.json", name, "an object or null", block)
            for field, value in fields.items():
                given = (block or {}).get(field, value)
                if given != value or isinstance(given, bool):
                    raise self.refuse("tokenizer.json", f"{name}.{field}", repr(value), given)

    def _added(self, names: Mapping[str, str]) -> list[AddedToken]:
        """Return the added tokens of all files, in the order of their ids."""
        tokens = self._declared()
        old: dict[str, Any] = {} if "added_tokens_decoder" in self.settings else self.old_names
        ordered = sorted(tokens.values(), key=lambda token: token.number or 0)
        for key, name in names.items():
            if name not in tokens:
                given = old.get(key) or self.settings.get(key)
                tokens[name] = self._token(given if isinstance(given, dict) else name, key)
                ordered.append(tokens[name])
            elif not tokens[name].special:
                raise self.refuse("tokenizer_config.json", key, "a special token", name)
        declared = set(tokens) - set(names.values())
        for value, key in self._extra():
            name = _content(value) or ""
            if not name:
                raise self.refuse("tokenizer_config.json", key, "a list of tokens", value)
            listed = value in (self.settings.get(key) or [])  # an object there has all its flags
            token = self._token(value, key, special=not listed)
            known = tokens.setdefault(name, token)
            if known is token:
                ordered.append(token)
            elif (isinstance(value, dict) or name not in declared) and (
                replace(known, number=None) != token
            ):
                expected = f"as elsewhere, {known}"
                raise self.refuse("tokenizer_config.json", f"{key}: {name}", expected, value)
        return ordered

    def _extra(self) -> list[tuple[Any, str]]:
        """Return the special tokens that have no role."""
        found: list[tuple[Any, str]] = []
        old: dict[str, Any] = {} if "added_tokens_decoder" in self.settings else self.old_names
        lists = [self.settings.get(key) for key in _EXTRA] + [old.get(key) for key in _EXTRA]
        filled = [value for value in lists if value]
        if any(value != filled[0] for value in filled):
            raise self.refuse("tokenizer_config.json", " and ".join(_EXTRA[:2]), "the same", filled)
        for source in (self.settings, old):
            for key, value in source.items():
                if key in _EXTRA and value is not None:
                    values = list(value.values()) if isinstance(value, dict) else value
                    if not isinstance(values, list):
                        raise self.refuse("tokenizer_config.json", key, "a list of tokens", value)
                    found += [(one, key) for one in values]
                elif key.endswith("_token") and key not in _NAMES and isinstance(value, str | dict):
                    found.append((value, key))
        return found

    def _declared(self) -> dict[str, AddedToken]:
        """Return the tokens that are declared with an id."""
        whole = (self.whole or {}).get("added_tokens")
        if whole is not None and not isinstance(whole, list):
            raise self.refuse("tokenizer.json", "added_tokens", "a list", whole)
        tokens = self._collect([(entry, None) for entry in whole or []], "tokenizer.json")
        decoder = self.settings.get("added_tokens_decoder")
        if decoder is not None:
            if not isinstance(decoder, dict) or not all(
                n.isascii() and n.isdigit() for n in decoder
            ):
                raise self.refuse(
                    "tokenizer_config.json",
                    "added_tokens_decoder",
                    "an object of ids and tokens",
                    decoder,
                )
            pairs = [(entry, int(number)) for number, entry in decoder.items()]
            others = self._collect(pairs, "tokenizer_config.json")
            if whole is not None and others != tokens:
                raise CheckpointError(
                    f"{self.folder}: tokenizer.json's added_tokens and tokenizer_config.json's "
                    "added_tokens_decoder are not the same. Write the right ones into both."
                )
            tokens = others
        return self._join_old(tokens, decoder is not None)

    def _join_old(self, tokens: dict[str, AddedToken], complete: bool) -> dict[str, AddedToken]:
        """Add the tokens of `added_tokens.json`, or check that they are known if the others are `complete`."""
        lists = [self.settings.get(key) for key in _EXTRA[:2]]
        lists.append(self.old_names.get("extra_special_tokens"))
        special = {
            one
            for names in lists
            if isinstance(names, list)
            for one in names
            if isinstance(one, str)
        }
        unsure = {_content(value) for value, _ in self._extra()} - special
        for key in _NAMES:
            special.add(_content(self.settings.get(key) or self.old_names.get(key)) or "")
        for name, number in self.old_added.items():
            if isinstance(number, bool) or not isinstance(number, int) or not name or number < 0:
                raise self.refuse("added_tokens.json", name, "the id of a token", number)
            known = tokens.get(name)
            if (known is None and complete) or (known is not None and known.number != number):
                raise self.refuse("added_tokens.json", name, "as the other files say", number)
            if known is None:
                is_special = name in special
                if name in unsure and not is_special:
                    raise CheckpointError(
                        f"{self.folder}: {name!r} is in added_tokens.json and, in another file, "
                        "among the special tokens; versions of transformers disagree whether that "
                        "makes it special. Save the tokenizer again with the one that it was "
                        "trained with: tokenizer.json says it."
                    )
                tokens[name] = AddedToken(
                    name, special=is_special, normalized=not is_special, number=number
                )
        return tokens

    def _collect(self, pairs: Sequence[tuple[Any, int | None]], file: str) -> dict[str, AddedToken]:
        tokens: dict[str, AddedToken] = {}
        for entry, number in pairs:
            if not isinstance(entry, dict):
                raise self.refuse(file, "added tokens", "objects", entry)
            number = entry.get("id") if number is None else number
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise self.refuse(file, "added tokens: id", "a whole number", entry)
            token = replace(self._token(entry, "added tokens", file, special=False), number=number)
            if token.content in tokens:
                raise self.refuse(file, "added tokens", "each there once", token.content)
            tokens[token.content] = token
        return tokens

    def _token(
        self, value: Any, key: str, file: str = "tokenizer_config.json", special: bool = True
    ) -> AddedToken:
        """Parse a token, a string or an object."""
        if isinstance(value, str):
            return AddedToken(value)
        content = value.get("content")
        if not isinstance(content, str) or not content:
            raise self.refuse(file, f"{key}: content", "a text", value)
        flags = {name: value[name] for name in _FLAGS if name in value}
        unknown = set(value) - {*_FLAGS, "content", "id", "__type"}
        if unknown or not all(isinstance(flag, bool) for flag in flags.values()):
            raise self.refuse(file, key, f"content and the flags {', '.join(_FLAGS)}", value)
        flags["special"] = flags.get("special", False) or special
        flags.setdefault("normalized", not flags["special"])
        return AddedToken(content, **flags)


def _content(value: Any) -> str | None:
    """Return the text of a token, a string or an object, or None."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _resolved(settings: Mapping[str, Any], key: str) -> Any:
    """Return a setting; `strip_accents` defaults to `lowercase`."""
    return settings["lowercase"] if settings[key] is None else settings[key]


def _ends(block: Any) -> list[tuple[Any, Any]] | None:
    """Return the first and last token of a post-processor with their ids, or None if it does more."""
    if not isinstance(block, dict):
        return None
    try:
        if block.get("type") == "BertProcessing":
            return [(block[key][0], block[key][1]) for key in ("cls", "sep")]
        first, last = block["single"][0]["SpecialToken"], block["single"][-1]["SpecialToken"]
        names = [first["id"], last["id"]]
        ids = [block["special_tokens"][name]["ids"] for name in names]
    except (KeyError, IndexError, TypeError):
        return None
    if block.get("type") != "TemplateProcessing" or [len(one) for one in ids] != [1, 1]:
        return None
    pattern = [(names[0], 0), ("A", 0), (names[1], 0)]
    if _template(block["single"]) != pattern:
        return None
    if _template(block.get("pair")) != [*pattern, ("B", 1), (names[1], 1)]:
        return None
    return [(name, one[0]) for name, one in zip(names, ids, strict=True)]


def _template(parts: Any) -> list[tuple[Any, Any]] | None:
    try:
        return [(next(iter(p.values()))["id"], next(iter(p.values()))["type_id"]) for p in parts]
    except (AttributeError, KeyError, StopIteration, TypeError):
        return None
