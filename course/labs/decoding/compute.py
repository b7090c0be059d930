"""From keywords and a begun sentence to the next token's distribution, and to a beam's tree."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.labs.beams import Lane, Node, Tree
from course.labs.faults import InvalidSetting
from course.labs.sentences import cut_sentence
from course.labs.settings_lab import check_whole
from course.system.threads import one_thread
from encoder_core.cache import KeyValueCache
from encoder_core.generation.decoding import length_penalised, top_p
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.text.tokenizer import WordPiece

__all__ = ["Reader", "Result", "Selection", "Settings"]

LONGEST = 200  # characters of the keywords, and of the sentence
MOST_PIECES = 32  # of each
NEARLY_ALL = 0.99  # of the probability
SHOWN = 12  # tokens of the distribution
DEEPEST = 10  # steps of the tree
WIDEST = 6  # beams
MOST_K = 50
KEPT, BY_TOP_K, BY_TOP_P = 0, 1, 2  # why a token can't be drawn


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        text: the keywords.
        begun: the sentence so far.
        temperature: the logits are divided by it.
        top_k: only so many tokens can be drawn; 0 for all.
        top_p: only the nucleus can be drawn: the fewest tokens that together have this probability.
        beam: hypotheses that are kept at each step.
        length_penalty: exponent by which long hypotheses are favoured.
    """

    text: str
    begun: str = ""
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    beam: int = 3
    length_penalty: float = 0.6


@dataclass(frozen=True)
class Selection:
    """Which candidate of the table, and which node of the tree, is looked at."""

    candidate: int = 0
    node: int = 0


@dataclass(frozen=True)
class Result:
    """What is seen.

    Attributes:
        begun: ids of the sentence so far, T of them, without the start.
        given: `(T,)`, how likely the model found each of them.
        plain: `(V,)`, the model's own next-token distribution.
        drawn: `(V,)`, what is drawn from after temperature, top-k and top-p; 0 where cut.
        cut: `(V,)`, `KEPT`, `BY_TOP_K` or `BY_TOP_P`.
        order: ids that can follow at all, the likeliest first.
        tree: the beams from here on.
        greedy: the tokens that greedy decoding writes from here on.
    """

    begun: tuple[int, ...]
    given: NDArray[np.float32]
    plain: NDArray[np.float32]
    drawn: NDArray[np.float32]
    cut: NDArray[np.uint8]
    order: NDArray[np.int64]
    tree: Tree
    greedy: tuple[int, ...]

    @property
    def kept(self) -> int:
        """How many tokens can be drawn."""
        return int((self.cut == KEPT).sum())

    @property
    def likely(self) -> int:
        """How many tokens, the likeliest first, share nearly all of what is drawn from."""
        shares = np.sort(self.drawn)[::-1].cumsum(dtype=np.float64)  # (V,)
        return min(int((shares < NEARLY_ALL).sum()) + 1, self.kept)


class Reader:
    """Reads keywords and continues sentences with one model.

    Args:
        model: an encoder-decoder; put into eval mode.
        tokenizer: its own, of both sides.
        bos_id, eos_id: what a sentence begins and ends with; by default the tokenizer's first and
            separating tokens.
    """

    def __init__(
        self,
        model: EncoderDecoder,
        tokenizer: WordPiece,
        bos_id: int | None = None,
        eos_id: int | None = None,
    ) -> None:
        names = tokenizer.vocabulary
        self.model, self.tokenizer = model.eval(), tokenizer
        self.bos_id = names[tokenizer.first] if bos_id is None else bos_id
        self.eos_id = names[tokenizer.separator] if eos_id is None else eos_id
        silent = {names[name] for name in tokenizer.specials if name in names}
        self._silent = sorted(silent - {self.eos_id})  # never written
        self._forward = functools.lru_cache(maxsize=8)(self._read_forward)
        self._nodes = functools.lru_cache(maxsize=16)(self._search)

    @one_thread()
    def read(self, asked: Settings) -> Result:
        """The distribution after the sentence so far, and the tree from there on.

        Raises:
            InvalidSetting: no keywords, a text that is too long, a number out of its range.
        """
        check_whole(
            asked,
            {"top_k": (0, MOST_K, "top-k"), "beam": (1, WIDEST, "The beam")},
        )
        _check("The temperature", asked.temperature, 0.05, 5.0)
        _check("top-p", asked.top_p, 0.0, 1.0)
        _check("The length penalty", asked.length_penalty, 0.0, 3.0)
        source, begun = self.source(asked.text), self.sentence(asked.begun)
        logits, given, _ = self._forward(source, begun)  # (V,), (T,)
        drawn, cut = _draw_from(logits, asked.temperature, asked.top_k, asked.top_p)
        plain = logits.softmax(dim=-1)  # (V,)
        order = plain.argsort(descending=True, stable=True)  # (V,)
        return Result(
            begun,
            given.numpy(),
            plain.numpy(),
            drawn.numpy(),
            cut.numpy(),
            order[plain[order] > 0].numpy(),
            self.tree(source, begun, asked.beam, asked.length_penalty),
            tuple(self.greedy(source, begun, asked.beam)),
        )

    def source(self, text: object) -> tuple[int, ...]:
        """The ids of keywords, with the end token."""
        encoding = cut_sentence(text, self.tokenizer, LONGEST, MOST_PIECES + 2, "keywords")
        return (*encoding.ids[1:-1], self.eos_id)

    def unread(self, asked: Settings) -> str:
        """Tell what of the texts the model does not see: pieces beyond the limit, unknown words."""
        told = []
        for called, text in (("keywords", asked.text), ("sentence", asked.begun)):
            ids = self.tokenizer.encode(text).ids[1:-1]
            if len(ids) > MOST_PIECES:
                told.append(f"Of the {called}, {MOST_PIECES} of {len(ids)} pieces are read.")
            if self.tokenizer.vocabulary[self.tokenizer.unknown] in ids[:MOST_PIECES]:
                told.append(
                    f"A word of the {called} is read as {self.tokenizer.unknown}: the vocabulary has no pieces "
                    "for it."
                )
        return " ".join(told)

    def sentence(self, text: object) -> tuple[int, ...]:
        """The ids of a sentence so far, without those that stand for no word."""
        if not isinstance(text, str) or len(text) > LONGEST:
            raise InvalidSetting(f"A sentence may have at most {LONGEST} characters.")
        ids = self.tokenizer.encode(text, max_length=MOST_PIECES + 2).ids[1:-1]
        unknown = self.tokenizer.vocabulary[self.tokenizer.unknown]
        return tuple(i for i in ids if i == unknown or (i not in self._silent and i != self.eos_id))

    def words(self, ids: Sequence[int]) -> str:
        """Join ids to a text, so that `sentence` reads it again."""
        text = ""
        for number in ids:
            token = self.tokenizer.tokens[number]
            text += token[2:] if token.startswith("##") and text else f" {token}"
        return text.strip()

    def greedy(self, source: tuple[int, ...], begun: tuple[int, ...], beam: int) -> list[int]:
        """What a beam of one keeps: the likeliest token at each step. `beam` is searched beside it."""
        return [node.token for node in self._nodes(source, begun, beam)[1]]

    @torch.inference_mode()
    def _read_forward(
        self, source: tuple[int, ...], begun: tuple[int, ...]
    ) -> tuple[Tensor, Tensor, Any]:
        """Return the next token's logits `(V,)`, `given` `(T,)`, and what a search starts from."""
        memory, padding = self.model.encode(torch.tensor([source]))
        cache = self.model.empty_cache()
        tokens = torch.tensor([[self.bos_id, *begun]])  # (1, 1 + T)
        logits = self.model.step(tokens, memory, padding, cache)[0].float()  # (1 + T, V)
        logits[:, self._silent] = -torch.inf
        chances = logits[:-1].softmax(dim=-1)  # (T, V)
        given = chances.gather(1, tokens[0, 1:, None]).squeeze(1)  # (T,)
        return logits[-1], given, (memory, padding, cache)

    def tree(
        self, source: tuple[int, ...], begun: tuple[int, ...], beam: int, length_penalty: float
    ) -> Tree:
        """The hypotheses of a search, and which of them the length penalty chooses."""
        nodes = self._nodes(source, begun, beam)[0]

        def score(place: int) -> float:
            node = nodes[place]
            return length_penalised(node.log_p, len(begun) + node.step, length_penalty)

        ended = (place for place, node in enumerate(nodes) if node.ends)
        return Tree(nodes, max(ended, key=score))

    @torch.inference_mode()
    def _search(
        self, source: tuple[int, ...], begun: tuple[int, ...], beam: int
    ) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """Search as `decoding.beam_search` does, with `beam` and with one, both in the same batches.

        Returns every hypothesis that was ever kept, of each.
        """
        logits, _, (memory, padding, begun_cache) = self._forward(source, begun)
        cache = _copied(begun_cache)
        wide, greedy = (Lane(width, self.eos_id, DEEPEST) for width in (beam, 1))
        scores = logits.log_softmax(dim=-1)[None]  # (1, V): both begin with this row
        for step in range(1, DEEPEST + 1):
            rows = wide.extend(scores, step, 0)
            rows += greedy.extend(scores, step, len(rows))
            if not rows:
                break
            cache.reorder(torch.tensor(rows))
            tokens = torch.tensor([*wide.tokens(), *greedy.tokens()])[:, None]  # (K + 1, 1)
            count = len(rows)
            step_logits = self.model.step(
                tokens, memory.expand(count, -1, -1), padding.expand(count, -1), cache
            )[:, -1].float()  # (K + 1, V)
            step_logits[:, self._silent] = -torch.inf
            scores = step_logits.log_softmax(dim=-1)
        return tuple(wide.nodes), tuple(greedy.nodes)


def _copied(cache: KeyValueCache) -> KeyValueCache:
    """The same cache, which `step` may grow without touching the first."""
    copied = KeyValueCache.empty(len(cache.layers))
    for mine, theirs in zip(copied.layers, cache.layers, strict=True):
        for name, value in vars(theirs).items():
            setattr(mine, name, value)
    return copied


def _draw_from(logits: Tensor, temperature: float, k: int, p: float) -> tuple[Tensor, Tensor]:
    """Return the probabilities that are drawn from `(V,)`, and why each other token is cut `(V,)`."""
    cut = torch.full(logits.shape, KEPT, dtype=torch.uint8)
    changed = logits / temperature
    if k:
        outside = torch.ones_like(cut, dtype=torch.bool)
        outside[changed.topk(min(k, len(changed))).indices] = False
        changed = changed.masked_fill(outside, -torch.inf)
        cut[outside] = BY_TOP_K
    nucleus = top_p(changed, p)
    cut[nucleus.isneginf() & (cut == KEPT) & ~changed.isneginf()] = BY_TOP_P
    cut[changed.isneginf() & (cut == KEPT)] = BY_TOP_P  # never written, such as [PAD]
    return nucleus.softmax(dim=-1), cut


def _check(called: str, value: object, least: float, most: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value <= most:  # type: ignore[operator]
        raise InvalidSetting(f"{called} must be a number from {least:g} to {most:g}.")
