"""The lines of code that do each step, read from `encoder_core` itself, so that they are never stale."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from encoder_core import attention, embeddings, encoder, multihead, positions, residual
from encoder_core.models import bert, pooling
from encoder_core.pretrained import minilm
from encoder_core.text import encodings, tokenizer

_ROOT = Path(attention.__file__).parents[1]


@dataclass(frozen=True)
class Line:
    """A line of a function, known by a part of it.

    Attributes:
        owner: the function that holds it.
        part: text that stands in exactly one of its lines, or only in lines that are the same.
    """

    owner: Callable[..., Any]
    part: str


@dataclass(frozen=True)
class Found:
    """A line as it stands in the source.

    Attributes:
        text: the line, without its indentation.
        file: the file's path from the project's folder, with `/`.
        number: the line's number in the file, from 1.
    """

    text: str
    file: str
    number: int


@cache
def find(line: Line) -> Found:
    """Read a line from its function's source.

    Raises:
        LookupError: no line of the function, or several different ones, hold the part.

    >>> find(LINES["heads.merge"]).text
    'return x.transpose(-3, -2).flatten(-2)  # (B, S, H, Dh) -> (B, S, D)'
    """
    lines, first = inspect.getsourcelines(line.owner)
    places = [i for i, text in enumerate(lines) if line.part in text]
    if len({lines[i].strip() for i in places}) != 1:
        raise LookupError(
            f"{line.part!r} stands in {len(places)} lines of {line.owner.__qualname__}."
        )
    path = Path(inspect.getsourcefile(line.owner) or "")
    text = lines[places[-1]].strip()
    return Found(text, path.relative_to(_ROOT).as_posix(), first + places[-1])


_bert = bert.BertEmbeddings.forward
_text = embeddings.InputEmbedding.forward
_project = multihead.MultiheadAttention.project
_attend = attention.scaled_dot_product_attention
_layer = encoder.TransformerEncoderLayer.forward
_network = encoder.TransformerEncoderLayer._feed_forward

LINES: dict[str, Line] = {
    "tokens": Line(tokenizer.WordPiece.encode, "tokens=[token for"),
    "ids": Line(encodings.pad_encodings, "= torch.tensor(encoding.ids"),
    "padding": Line(encodings.pad_encodings, "padding_mask[row, :length] ="),
    "bert.rows": Line(_bert, "self.token(ids) + self.position(positions)"),
    "bert.segments": Line(_bert, "x = x + self.segment("),
    "bert.norm": Line(_bert, "self.norm(x)"),
    "text.rows": Line(_text, "self.token(ids)"),
    "text.scale": Line(embeddings.TokenEmbedding.forward, "vectors * self.factor"),
    "text.positions": Line(positions.SinusoidalPositions.forward, "return x + table"),
    "project": Line(_project, "F.linear(query, weight, bias)"),
    "split": Line(_project, "split_heads(part, self.num_heads)"),
    "heads.cut": Line(attention.split_heads, "x = x.reshape("),
    "heads.move": Line(attention.split_heads, "return x.transpose("),
    "scores": Line(attention.scores, "query / math.sqrt("),
    "mask": Line(_attend, "fit.masked_fill(mask"),
    "softmax": Line(_attend, "weights = torch.softmax(fit"),
    "masked_softmax": Line(attention.masked_softmax, "torch.softmax(scores.masked_fill"),
    "weighted": Line(_attend, "return used @ value"),
    "heads.merge": Line(attention.merge_heads, "return x.transpose("),
    "out": Line(multihead.MultiheadAttention.forward, "self.out_proj(merge_heads(heads))"),
    "post1": Line(_layer, "x = self.norm1(x + "),
    "pre1": Line(_layer, "(self.norm1(x), "),
    "post2": Line(_layer, "x = self.norm2(x + "),
    "pre2": Line(_layer, "(self.norm2(x))"),
    "norm": Line(residual.layer_norm, "return (x - mean)"),
    "inner": Line(_network, "self.activation(self.linear1(x))"),
    "narrow": Line(_network, "self.linear2(inner)"),
    "final": Line(
        encoder.TransformerEncoder.forward, "return x if self.norm is None else self.norm(x)"
    ),
    "pool.sum": Line(pooling.masked_mean, "total = hidden.masked_fill"),
    "pool.mean": Line(pooling.masked_mean, "return (total /"),
    "unit": Line(minilm.sentence_embedding, "F.normalize(vectors"),
}
