"""The guesses of a published BERT beside those of the small one, where the learner has asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from course.content.bert.pretraining import BLANKS
from course.datasets.python_docs import corpus
from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.pretrained.hub import find_checkpoint
from encoder_core.pretrained.loading import masked_lm_from_pretrained, tokenizer_from_pretrained
from encoder_core.text.tokenizer import WordPiece

__all__ = ["SENTENCES", "beside", "guesses"]

SENTENCES = (
    "Return a new list containing all [MASK] from the iterable in ascending order.",
    *(sentence for sentence, _ in BLANKS),
)


@torch.no_grad()
def guesses(
    net: nn.Module, words: WordPiece, sentences: Sequence[str], count: int = 5
) -> list[list[tuple[str, float]]]:
    """Return the likeliest pieces at each sentence's one `[MASK]`, with their probabilities.

    Raises:
        ValueError: a sentence has no `[MASK]`, or several.
    """
    mask = words.vocabulary["[MASK]"]
    found = []
    for sentence in sentences:
        ids = torch.tensor([words.encode(sentence).ids])  # (1, S)
        where = ids == mask
        if where.sum() != 1:
            raise ValueError(f"Need one [MASK] in each sentence; got {sentence!r}.")
        logits: Tensor = net(ids, where=where)[0]  # (V,)
        best = logits.softmax(dim=-1).topk(count)
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        found.append([(words.tokens[number], chance) for number, chance in pairs])
    return found


def beside(
    small: nn.Module,
    source: Path | str,
    sentences: Sequence[str] = SENTENCES,
    *,
    download: bool = False,
) -> str:
    """Return the guesses of a published model and of the small one as a text, or why there is none.

    Args:
        source: a name on the hub, a folder, or an installed package; see `find_checkpoint`.
        download: fetch it where it is not here yet.
    """
    try:
        folder = find_checkpoint(source, download=download)
        real: Any = masked_lm_from_pretrained(folder)
        theirs = guesses(real, tokenizer_from_pretrained(folder), sentences)
    except FileNotFoundError as error:
        if download:
            return f"No guesses of {source}: {error}"
        return (
            f"{source} is not on this machine, and nothing was fetched. Set fetch = True to download it; "
            "that needs the package huggingface_hub and a network."
        )
    except (CheckpointError, KeyError) as error:
        return f"{source} has no head for masked words that can be read here: {error}"
    ours = guesses(small, corpus.tokenizer(), sentences)
    lines = []
    for sentence, one, other in zip(sentences, theirs, ours, strict=True):
        lines += [sentence, f"    {source}: {_listed(one)}", f"    the small one: {_listed(other)}"]
    return "\n".join(lines)


def _listed(found: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{token} {chance:.2f}" for token, chance in found)
