"""What the second half of chapter 07 does with the trained model: write from a memory, search, and count repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course import datasets
from course.content.generation.experiments import measures, pairs
from course.content.generation.experiments import training as recipe
from course.labs.beams import Tree
from course.labs.decoding.compute import Reader
from encoder_core.generation.generate import generate_beam

__all__ = [
    "beam_lengths", "bleu_of", "draw_tree", "read", "repeats", "search", "with_memory", "write",
]  # fmt: skip

Change = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # of the memory and its padding mask
OnLogits = Callable[[Tensor, list[int]], Tensor]  # logits (V,) and the ids so far
SOME = 200  # sentences of validation, where all would take too long


def read(model: Any, *texts: str) -> tuple[Tensor, Tensor]:
    """Encode keywords: the memory `(B, S, D)` and its padding mask `(B, S)`."""
    with torch.no_grad():
        found: tuple[Tensor, Tensor] = model.encode(
            pairs.batch([pairs.encode(pairs.split_words(text)) for text in texts])
        )
    return found


@torch.no_grad()
def write(
    model: Any, memory: Tensor, padding: Tensor, on_logits: OnLogits | None = None
) -> list[list[str]]:
    """Write greedily from a memory, whatever it holds; `on_logits` may change the logits of each step."""
    cache = model.empty_cache()
    rows: list[list[int]] = [[] for _ in range(len(memory))]
    tokens = torch.full((len(memory), 1), pairs.BOS)  # (B, 1)
    ended = torch.zeros(len(memory), dtype=torch.bool)
    while len(rows[0]) < recipe.LONGEST and not ended.all():
        logits = model.step(tokens, memory, padding, cache)[:, -1]  # (B, V)
        if on_logits is not None:
            logits = torch.stack([on_logits(x, row) for x, row in zip(logits, rows, strict=True)])
        chosen = logits.argmax(dim=-1).masked_fill(ended, pairs.EOS)  # (B,)
        ended = ended | (chosen == pairs.EOS)
        for row, token in zip(rows, chosen.tolist(), strict=True):
            row.append(token)
        tokens = chosen[:, None]
    return [pairs.words(row[: row.index(pairs.EOS)] if pairs.EOS in row else row) for row in rows]


def with_memory(model: Any, change: Change, in_order: bool = True) -> float:
    """Return the BLEU of all of validation where the memory is changed between encoder and decoder."""
    asked = recipe.inputs("validation", in_order)
    written: list[list[str]] = []
    for start in range(0, len(asked), 128):
        memory, padding = read(model, *(" ".join(each) for each in asked[start : start + 128]))
        written += write(model, *change(memory, padding))
    return bleu_of(written)


def bleu_of(written: Sequence[Sequence[str]], split: str = "validation") -> float:
    """Return the BLEU of sentences for the first keywords of a split."""
    references = [pair.sentence for pair in pairs.pairs(split)[: len(written)]]
    return measures.bleu(written, references)


def search(
    model: Any,
    beam: int,
    length_penalty: float = 0.6,
    count: int | None = SOME,
    split: str = "validation",
) -> list[list[str]]:
    """Write for the first keywords of a split with a beam; for all of them where `count` is None."""
    asked, written = recipe.inputs(split)[:count], []
    for start in range(0, len(asked), 128):
        source = pairs.batch([pairs.encode(each) for each in asked[start : start + 128]])
        found = generate_beam(
            model, source, pairs.BOS, pairs.EOS, beam, recipe.LONGEST, length_penalty
        )
        written += [pairs.words(ids) for ids in found]
    return written


def beam_lengths(written: Sequence[Sequence[str]]) -> float:
    """Return how long sentences are beside those that were meant."""
    references = pairs.pairs("validation")[: len(written)]
    return sum(map(len, written)) / sum(len(pair.sentence) for pair in references)


def repeats(written: Sequence[Sequence[str]], length: int = 2) -> float:
    """Return the share of sentences in which some run of words occurs twice."""

    def has(words: Sequence[str]) -> bool:
        runs = [tuple(words[i : i + length]) for i in range(len(words) - length + 1)]
        return len(set(runs)) < len(runs)

    return sum(map(has, written)) / len(written)


def draw_tree(model: Any, text: str, beam: int, steps: int = 8) -> str:
    """Draw the hypotheses of a beam search as a tree of words; those that were dropped end in a cross."""
    reader = Reader(model, datasets.tokenizer())
    tree = reader.tree(reader.source(text), (), beam, 0.6)
    children: dict[int, list[int]] = {}
    for place, node in enumerate(tree.nodes):
        if node.step <= steps:
            children.setdefault(node.parent, []).append(place)
    winner = set(tree.path(tree.best))
    alive = winner | {node.parent for node in tree.nodes}  # they go on, beyond what is drawn too
    return "\n".join(_branches(tree, children, winner, alive, reader, -1, ""))


def _branches(
    tree: Tree,
    children: dict[int, list[int]],
    winner: set[int],
    alive: set[int],
    reader: Reader,
    parent: int,
    indent: str,
) -> list[str]:
    """The lines of all that follows a node; a run without a fork is one line."""
    lines = []
    following = children.get(parent, [])
    for place in following:
        run = [place]
        while len(children.get(run[-1], [])) == 1:
            run += children[run[-1]]
        last = tree.nodes[run[-1]]
        words = " ".join(_word(reader, tree.nodes[each].token) for each in run)
        ends = (
            ""
            if run[-1] in children
            else (" ■" if last.ends else " …" if run[-1] in alive else " ✗")
        )
        bold = "▶" if run[-1] in winner or place in winner else " "
        fork = "└─" if place == following[-1] else "├─"
        lines.append(f"{indent}{fork}{bold}{words} ({last.log_p:.1f}){ends}")
        deeper = indent + ("   " if place == following[-1] else "│  ")
        lines += _branches(tree, children, winner, alive, reader, run[-1], deeper)
    return lines


def _word(reader: Reader, token: int) -> str:
    return "" if token == reader.eos_id else reader.tokenizer.tokens[token]
