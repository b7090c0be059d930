"""MiniLM with whole numbers in the place of its weights, and what that does to a search."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content.efficient import texts
from course.system.threads import one_thread
from encoder_core import MultiheadAttention, load_minilm
from encoder_core.models.bert import Bert

__all__ = ["Changed", "compare", "in_format", "quantized", "weights_of", "whole_matrix"]

Quantize = Callable[[Tensor], tuple[Tensor, Tensor]]
SECTIONS = 150  # that are searched
FIRST = 12  # words of a section by which it is looked for


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


@torch.no_grad()
def _vectors(model: Bert, written: Sequence[str]) -> Tensor:
    """The mean vector of each text, of length 1: `(N, D)`."""
    found = []
    with one_thread():
        ids = texts.ids_of(written)
        order = sorted(range(len(ids)), key=lambda each: len(ids[each]))
        for start in range(0, len(order), 25):
            batch, padding = texts.padded([ids[each] for each in order[start : start + 25]])
            hidden = model(batch, padding_mask=padding).float()  # (B, S, D)
            real = (~padding)[:, :, None]  # (B, S, 1)
            found.append((hidden * real).sum(dim=1) / real.sum(dim=1))
    vectors = torch.cat(found)[torch.tensor(order).argsort()]  # (N, D), in the texts' order
    return F.normalize(vectors, dim=-1)


def _both(model: Bert) -> tuple[Tensor, Tensor]:
    """The vectors of 150 sections cut short, and of the first words of each: twice `(N, D)`."""
    written = [" ".join(text.split()[:50]) for text in texts.sections(SECTIONS)]
    return _vectors(
        model, [" ".join(text.split()[FIRST : FIRST + 38]) for text in written]
    ), _vectors(model, [" ".join(text.split()[:FIRST]) for text in written])


@functools.cache
def _original() -> tuple[Tensor, Tensor]:
    return _both(load_minilm()[0])


def compare(model: Bert, bits: int) -> Changed:
    """Search with a changed MiniLM, and compare with the one that is as it was trained.

    Each of 150 sections of Python's documentation is looked for by its first words, which are left out of it.
    """
    (documents, queries), (_, _) = _both(model), _original()
    hits = (queries @ documents.T).argmax(dim=-1)  # (N,)
    before = (_original()[1] @ _original()[0].T).argmax(dim=-1)
    numbers = sum(weight.numel() for weight in weights_of(model))
    return Changed(
        numbers * bits / 8e6,
        float((documents * _original()[0]).sum(dim=-1).mean()),
        float((hits == before).float().mean()),
    )
