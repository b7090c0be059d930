"""The pretrained encoder that a lab shows: MiniLM, or another checkpoint in Hugging Face's format.

A checkpoint is a folder, an installed package or a name on the hub, of one of the families that
`encoder_core` reads: BERT, RoBERTa, DistilBERT and ModernBERT. It is read when a lab asks for it,
and fetched from the hub only with `download=True`. Its text is cut by `encoder_core`'s own
WordPiece; a checkpoint with another kind of tokenizer needs the package `tokenizers`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from course.labs.faults import InvalidSetting
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.models.modernbert import ModernBert
from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.pretrained.hub import find_checkpoint
from encoder_core.pretrained.loading import from_pretrained, tokenizer_from_pretrained
from encoder_core.pretrained.minilm import load_minilm
from encoder_core.text.encodings import Encoding

MINILM = ""  # as a setting
_MINILM_NAME = "all-MiniLM-L6-v2"
_HEADS = r"^(classifier|pre_classifier|qa_outputs|score)\."  # weights that no lab shows
Cut = Callable[[str, str | None], Encoding]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A pretrained encoder and its tokenizer.

    Attributes:
        name: what a lab calls it.
        model: in evaluation mode, on the CPU; shared, and never changed.
        cut: a text, or a pair, as an encoding with its special tokens.
        vocabulary: the id of each token.
        padding: the id of the padding token.
    """

    name: str
    model: Bert | ModernBert
    cut: Cut
    vocabulary: dict[str, int]
    padding: int

    def encode(self, text: str) -> Encoding:
        """A text as an encoding with its special tokens."""
        return self.cut(text, None)

    def require_room(self, tokens: int) -> None:
        """Say in a sentence that a text is too long.

        Raises:
            InvalidSetting: more tokens than the encoder has positions for.
        """
        most = self.model.config.max_length
        if tokens > most:
            raise InvalidSetting(
                f"The text has {tokens} tokens; {self.name} has positions for {most}. "
                "Shorten it, and the picture follows."
            )

    @property
    def called(self) -> str:
        """What a lab's list of encoders calls it."""
        return f"pretrained ({self.short})"

    @property
    def short(self) -> str:
        """Its name in a sentence."""
        return "MiniLM" if self.name == _MINILM_NAME else self.name

    @property
    def about(self) -> str:
        """What it is, in a sentence."""
        config = self.model.config
        sizes = (
            f"{self.name}: {len(self.model.layers)} layers of {config.nhead} heads, d_model "
            f"{config.d_model}, {config.vocab_size:,} tokens"
        )
        if isinstance(config, BertConfig):
            return f"{sizes}; learned positions, post-norm."
        windows = {window for window in config.windows if window is not None}
        near = ", ".join(f"in some layers a token sees {w} to each side" for w in sorted(windows))
        return f"{sizes}; rotary positions, pre-norm{near and f'; {near}'}."

    @property
    def pre_norm(self) -> bool:
        """Whether norms stand before the sublayers, so that a last one follows the layers."""
        return isinstance(self.model, ModernBert)

    def layers(self, device: str = "cpu") -> nn.ModuleList:
        """The layers, on a device."""
        layers: nn.ModuleList = _on(self, device).layers
        return layers

    def end(self, device: str = "cpu") -> nn.Module:
        """What comes after the last layer: a norm, or nothing."""
        norm = getattr(_on(self, device), "norm", None)
        return norm if isinstance(norm, nn.Module) else nn.Identity()

    def embed(self, ids: Sequence[int], type_ids: Sequence[int], device: str = "cpu") -> Tensor:
        """What goes into the first layer, `(1, S, D)`.

        Raises:
            InvalidSetting: more tokens than the encoder has positions for.
        """
        self.require_room(len(ids))
        model = _on(self, device)
        batch = torch.tensor([list(ids)], device=device)  # (1, S)
        with torch.no_grad():
            if isinstance(model, ModernBert):
                rotary: Tensor = model.embeddings(batch)
                return rotary
            segments = model.config.segments > 1
            types = torch.tensor([list(type_ids)], device=device) * segments  # (1, S)
            learned: Tensor = model.embeddings(batch, types if model.config.segments else None)
        return learned


def checkpoint(source: str = MINILM) -> Checkpoint:
    """MiniLM, or what lies at a source; each is read once.

    Raises:
        InvalidSetting: there is none, or it can't be read; the text says why.
    """
    if source == MINILM:
        return _minilm()
    if not isinstance(source, str | Path):
        raise InvalidSetting("A checkpoint is given by its folder or its name, as text.")
    try:
        return _read(str(source))
    except (FileNotFoundError, CheckpointError) as error:
        raise InvalidSetting(str(error)) from error


def fetch(source: str | Path) -> None:
    """Fetch a checkpoint from the hub, unless it is here; MiniLM is.

    Raises:
        InvalidSetting: there is none of that name on the hub.
    """
    if source != MINILM:
        try:
            find_checkpoint(source, download=True)
        except FileNotFoundError as error:
            raise InvalidSetting(str(error)) from error


@lru_cache(maxsize=1)
def _minilm() -> Checkpoint:
    model, words = load_minilm()
    padding = words.vocabulary["[PAD]"]
    return Checkpoint(_MINILM_NAME, model, words.encode, words.vocabulary, padding)


@lru_cache(maxsize=2)
def _read(source: str) -> Checkpoint:
    folder = find_checkpoint(source)
    model = from_pretrained(folder, ignore=[_HEADS])
    named = folder.resolve().name if Path(source).is_dir() else source
    cut, vocabulary = _tokenizer(folder)
    return Checkpoint(named, model, cut, vocabulary, model.config.padding_idx)


def _tokenizer(folder: Path) -> tuple[Cut, dict[str, int]]:
    """A checkpoint's tokenizer: our own WordPiece, else that of the package `tokenizers`."""
    try:
        words = tokenizer_from_pretrained(folder)
        return words.encode, words.vocabulary
    except CheckpointError as error:
        file = folder / "tokenizer.json"
        if not file.is_file():
            raise
        why = str(error)
    try:
        import tokenizers
    except ImportError:
        raise InvalidSetting(
            f"{why} The package tokenizers reads it: `%pip install tokenizers`, and run this again."
        ) from None
    try:
        other: Any = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the package raises plain exceptions
        raise InvalidSetting(f"{file} can't be read: {error}") from error
    other.no_truncation()
    other.no_padding()

    def cut(text: str, pair: str | None = None) -> Encoding:
        """Cut as the package does; a token is called by its part of the text, not by its bytes."""
        made = other.encode(text, pair)
        texts = (text, pair or "")
        parts = zip(made.tokens, made.sequence_ids, made.offsets, strict=True)
        labels = [_label(token, texts[of or 0][slice(*where)]) for token, of, where in parts]
        return Encoding(made.ids, labels, made.type_ids, made.offsets)

    return cut, other.get_vocab()


def _label(token: str, text: str) -> str:
    """What a token is called: its part of the text; of special ones, which have none, their name.

    >>> _label("Ġstreet", " street"), _label("Ġ", " "), _label("<s>", "")
    ('street', '␣', '<s>')
    """
    return text.strip() or ("␣" if text else token)


@lru_cache(maxsize=2)
def _on(one: Checkpoint, device: str) -> Bert | ModernBert:
    # The shared model stays on the CPU: others in this process use it too.
    return one.model if device == "cpu" else copy.deepcopy(one.model).to(device)
