"""MiniLM with whole numbers in the place of its weights, and what that does to a search."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content.efficient import texts
from course.system.threads import one_thread
from encoder_core import MultiheadAttention, load_minilm, sentence_embedding
from encoder_core.models.bert import Bert

__all__ = ["Changed", "compare", "in_format", "quantized", "weights_of", "whole_matrix"]

Quantize = Callable[[Tensor], tuple[Tensor, Tensor]]
SECTIONS = 150  # that are searched
FIRST, LAST = (
    12,
    50,
)  # words of a section: it is looked for by the first, among those up to the last


class Changed(NamedTuple):
    """What a changed MiniLM gives, beside the one that it was made of."""

    megabytes: float  # of the weights of its layers
    similarity: float  # the mean cosine similarity of the sections' vectors with the original's
    same_first: float  # of the searches with the same first hit as the original's


def weights_of(model: nn.Module) -> list[nn.Parameter]:
    """The matrices of the layers of an encoder: projections and feed-forward networks."""
    found = []
    for module in model.layers.modules():  # type: ignore[union-attr]
        if isinstance(module, MultiheadAttention):
            found.append(module.in_proj_weight)
        elif isinstance(module, nn.Linear):
            found.append(module.weight)
    return found


@torch.no_grad()
def quantized(model: Bert, quantize: Quantize) -> Bert:
    """A copy of a model that computes with what `quantize` has kept of its matrices."""
    changed = copy.deepcopy(model)
    for weight in weights_of(changed):
        numbers, scale = quantize(weight)
        weight.copy_(numbers * scale)
    return changed


def in_format(model: Bert, dtype: torch.dtype) -> Bert:
    """A copy of a model that computes in another format."""
    return copy.deepcopy(model).to(dtype)


def whole_matrix(weight: Tensor, largest: int = 127) -> tuple[Tensor, Tensor]:
    """Whole numbers from -`largest` to `largest` with one scale for the whole matrix."""
    scale = weight.abs().max() / largest
    return (weight / scale).round().to(torch.int8), scale


def _both(model: Bert) -> tuple[Tensor, Tensor]:
    """The vectors of 150 sections cut short, and of the first words of each: twice `(N, D)`, in float32."""
    written = [text.split() for text in texts.sections(SECTIONS)]
    _, tokenizer = load_minilm()
    with one_thread():
        rest, first = (
            sentence_embedding(
                [" ".join(each[part]) for each in written], model, tokenizer, normalize=False
            )
            for part in (slice(FIRST, LAST), slice(FIRST))
        )
    return F.normalize(rest.float(), dim=-1), F.normalize(first.float(), dim=-1)


@functools.cache
def _original() -> tuple[Tensor, Tensor]:
    return _both(load_minilm()[0])


def compare(model: Bert, bits: int) -> Changed:
    """Search with a changed MiniLM, and compare with the one that is as it was trained.

    Each of 150 sections of Python's documentation is looked for by its first words, which are left out of it.
    """
    documents, queries = _both(model)
    before_documents, before_queries = _original()
    hits, hits_before = (
        (asked @ found.T).argmax(dim=-1)  # (N,)
        for asked, found in ((queries, documents), (before_queries, before_documents))
    )
    numbers = sum(weight.numel() for weight in weights_of(model))
    return Changed(
        numbers * bits / 8e6,
        float((documents * before_documents).sum(dim=-1).mean()),
        float((hits == hits_before).float().mean()),
    )
