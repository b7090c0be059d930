"""The models, batches and losses that the recipes of `recipes` ask for.

Pairs, for next-sentence prediction: a row's second half is its own or, in half of the rows, that of another row; its
segment says where the second half begins, and `[CLS]` is asked whether the halves belong together.

Sources: Devlin et al. 2019, "BERT", section 3.1 and figure 2; Warner et al. 2024, "ModernBERT", section 2.1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content.bert.experiments import training as recipe
from course.content.bert.experiments.baselines import unigram
from course.content.bert.experiments.text import HIDDEN, LENGTH, Masking, hide, questions, rows
from course.datasets.python_docs import corpus
from course.datasets.python_docs.neighbour_vectors import neighbour_vectors
from course.training import Settings
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.feed_forward import GatedFeedForward
from encoder_core.models.masked_lm import MaskedLM
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.tied import TiedProjection

__all__ = ["HALF", "Batch", "build", "collate", "data", "evaluate", "loss"]

HALF = LENGTH // 2


class Batch(NamedTuple):
    """Inputs and labels `(B, S)`, and whether the halves belong together, `(B,)` int64, 1 where they do."""

    inputs: Tensor
    labels: Tensor
    together: Tensor


class _Layer(TransformerEncoderLayer):
    """An encoder layer whose biases can be left out."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int, *, biases: bool = True, **how: Any
    ) -> None:
        super().__init__(d_model, nhead, dim_feedforward, bias=biases, **how)


class _GatedLayer(_Layer):
    """An encoder layer with GEGLU in the place of its feed-forward network."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int, *, biases: bool = True, **how: Any
    ) -> None:
        super().__init__(d_model, nhead, 1, biases=biases, **how)
        del self.linear1, self.linear2
        self.gated = GatedFeedForward(
            d_model, round(dim_feedforward * 2 / 3), dropout=how.get("dropout", 0.0), bias=biases
        )

    def _feed_forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.gated(x)
        return output


class _PairEncoder(TextEncoder):
    """A text encoder that adds a segment: 0 in a row's first half and 1 in its second."""

    def __init__(self, *sizes: Any, **how: Any) -> None:
        super().__init__(*sizes, **how)
        self.segment = nn.Embedding(2, self.d_model)
        nn.init.normal_(self.segment.weight, std=0.02)

    def forward(self, ids: Tensor, *masks: Any, **how: Any) -> Tensor:
        """Encode ids `(B, S)` to `(B, S, D)`."""
        second = (torch.arange(ids.shape[1], device=ids.device) >= HALF).long()  # (S,)
        x = self.embedding(ids) + self.segment(second)  # (B, S, D)
        hidden: Tensor = self.encoder(x)
        return hidden


def build(settings: Settings) -> nn.Module:
    """Make the model of a recipe; `next_sentence`, where it has the task, reads the vector of `[CLS]`."""
    more, ids = settings.more, rows()
    vocab_size = len(corpus.tokenizer().vocabulary)
    kind = _GatedLayer if more["gated"] else _Layer

    def layer(*sizes: Any, norm_first: bool, dropout: float) -> nn.Module:
        return kind(
            *sizes, biases=more["biases"], activation="gelu", norm_first=norm_first, dropout=dropout
        )

    make = _PairEncoder if more["next_sentence"] else TextEncoder
    encoder = make(
        vocab_size, settings.d_model, settings.nhead, settings.num_layers, settings.dim_feedforward,
        max_length=LENGTH, dropout=settings.dropout, positions=settings.positions, padding_idx=None,
        norm_first=more["norm_first"], layer=layer,
    )  # fmt: skip
    model = MaskedLM(encoder)
    output = TiedProjection(encoder.embedding.token)
    model.head = output  # type: ignore[assignment]
    if more["next_sentence"]:
        d_model = settings.d_model
        model.next_sentence = nn.Sequential(
            nn.Linear(d_model, d_model), nn.Tanh(), nn.Linear(d_model, 2)
        )
    with torch.no_grad():
        assert output.bias is not None
        output.bias.copy_(unigram(ids, vocab_size).log())
        encoder.embedding.token.weight.copy_(_first_vectors(settings.d_model))
    return model


@functools.cache
def _first_vectors(d_model: int) -> Tensor:
    return neighbour_vectors(rows(), len(corpus.tokenizer().vocabulary), d_model)


def data(settings: Settings, masking: Masking | None = None) -> list[Tensor]:
    """Return the examples: rows `(32,)`, or, hidden once for all, inputs and labels `(2, 32)`."""
    ids = rows()[: settings.more["rows"] or None]
    if not settings.more["static"]:
        return list(ids.unbind())
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(settings.seed)
        hidden = hide(settings.more["masking"], masking)(list(ids.unbind()))
    return list(torch.stack([hidden.inputs, hidden.labels], dim=1).unbind())


def collate(
    settings: Settings, masking: Masking | None = None
) -> Callable[[Sequence[Tensor]], Batch]:
    """Return what makes a batch of examples: exchanges second halves, and hides pieces."""
    static, pairs = settings.more["static"], settings.more["next_sentence"]
    mask = hide(settings.more["masking"], masking)

    def batch(chosen: Sequence[Tensor]) -> Batch:
        examples = torch.stack(list(chosen))  # (B, S), or (B, 2, S) where pieces are hidden already
        together = torch.ones(len(examples), dtype=torch.int64)
        if pairs:
            apart = torch.rand(len(examples)) < 0.5
            others = examples.roll(1, dims=0)[..., HALF:]  # those of the row before in the batch
            examples = examples.clone()
            examples[apart, ..., HALF:] = others[apart]
            together = (~apart).long()
        if static:
            return Batch(examples[:, 0], examples[:, 1], together)
        return Batch(*mask(list(examples.unbind())), together)

    return batch


def loss(
    masked_lm_loss: Callable[[Tensor, Tensor], Tensor] | None, model: nn.Module, batch: Batch
) -> Tensor:
    """Return the loss at the hidden pieces, and that of next-sentence prediction where it is asked."""
    net: Any = model
    where = batch.labels != HIDDEN  # (B, S)
    hidden = net.encoder(batch.inputs)  # (B, S, D)
    logits, answers = net.head(hidden[where]), batch.labels[where]  # (M, V), (M,)
    if masked_lm_loss is None:
        total = F.cross_entropy(logits, answers, reduction="mean" if len(answers) else "sum")
    else:
        total = masked_lm_loss(logits[None], answers[None])
    if hasattr(net, "next_sentence"):
        total = total + F.cross_entropy(net.next_sentence(hidden[:, 0]), batch.together)
    return total


def evaluate(model: nn.Module, split: str = "validation") -> dict[str, float]:
    """Score `questions(split)` as the chapter's training does; and the pairs, where the model has the task."""
    figures = recipe.evaluate(model, split)
    if hasattr(model, "next_sentence"):
        figures["next_sentence"] = _pairs_told_apart(model, split)
    return figures


@torch.no_grad()
def _pairs_told_apart(model: Any, split: str) -> float:
    """The share of right answers: every second row has the second half of the one before."""
    inputs = questions(split).inputs.clone()
    other = inputs.roll(1, dims=0)
    inputs[::2, HALF:] = other[::2, HALF:]
    right = 0
    for start in range(0, len(inputs), 128):
        part = inputs[start : start + 128]
        said = model.next_sentence(model.encoder(part)[:, 0]).argmax(dim=-1)
        right += (said == torch.arange(start, start + len(part)) % 2).sum().item()
    return right / len(inputs)
