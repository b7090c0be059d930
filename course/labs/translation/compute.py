"""From a phrase to its translation, step by step: the beam's tree, and where each step looks."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.labs.beams import Lane, Node, Tree
from course.labs.faults import InvalidSetting
from course.labs.quoting import quoted
from course.labs.settings_lab import check_whole
from course.system.markup import printable
from course.system.threads import one_thread
from encoder_core.cache import KeyValueCache
from encoder_core.generation.decoding import length_penalised
from encoder_core.inspect.recording import record
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.text.encodings import Encoding

__all__ = ["Characters", "Part", "Reader", "Result", "Selection", "Settings", "Translation"]

LONGEST = 80  # characters of a phrase
LONGEST_TARGET = 64  # steps, where no answers say how long a translation can be
WIDEST = 6  # beams
SHOWN = 8  # tokens of a step's distribution
LENGTH_PENALTY = 0.6
OWN, OTHER, SHUFFLED_TEXT, SHUFFLED_MEMORY, ZEROS = (
    "own",
    "other",
    "characters shuffled",
    "vectors shuffled",
    "zeros",
)
MEMORIES = (OWN, OTHER, SHUFFLED_TEXT, SHUFFLED_MEMORY, ZEROS)

Forced = tuple[tuple[int, str], ...]


class Characters(Protocol):
    """One side's vocabulary, such as an `encoder_core.text.characters.CharacterTokenizer`.

    `encode(text).ids` begins with `first` and ends with `separator`; so does a translation.
    """

    unknown: str
    first: str
    separator: str

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """Ids by token, special ones among them."""

    @property
    def tokens(self) -> Mapping[int, str]:
        """Tokens by id."""

    @property
    def specials(self) -> Sequence[str]:
        """Tokens that stand for no text."""

    def encode(self, text: str, /) -> Encoding:
        """Cut a text into tokens."""


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        text: the phrase.
        forced: steps, counted from 1, and the token that is written there whatever the model says.
        memory: what the decoder looks at: one of `MEMORIES`.
        other: the phrase whose memory it is, where `memory` is `OTHER`.
        since: the step, counted from 1, from which on the decoder looks at that.
        beam: hypotheses that are kept at each step; 1 is greedy decoding.
    """

    text: str
    forced: Forced = ()
    memory: str = OWN
    other: str = ""
    since: int = 1
    beam: int = 3


@dataclass(frozen=True)
class Selection:
    """What is looked at.

    `step` and `place` count from 0; `layer` and `head` too, -1 for the mean of all. `candidate` is a
    row of the table, `node` a place in the tree.
    """

    step: int = 0
    place: int = 0
    layer: int = -1
    head: int = -1
    candidate: int = 0
    node: int = 0


@dataclass(frozen=True)
class Part:
    """What the decoder looks at from a step on.

    Attributes:
        since: the step, from 0.
        ids: of the tokens whose vectors these are, S of them.
        memory: `(1, S, D)`.
        padding: `(1, S)`, bool.
        told: which memory it is; "" for the phrase's own.
    """

    since: int
    ids: tuple[int, ...]
    memory: Tensor
    padding: Tensor
    told: str = ""


@dataclass(frozen=True)
class Translation:
    """What was written, and how.

    Attributes:
        tokens: ids, T of them; the last is the end's, unless the translation was cut off.
        greedy: what greedy decoding writes.
        chances: `(T, V)`, the model's distribution at each step.
        weights: `(N, H, T, S)`, the cross-attention of N layers; S counts the tokens of all parts.
        seen: `(T, S)` bool, which of them a step could look at.
        tree: the hypotheses of the search.
    """

    tokens: tuple[int, ...]
    greedy: tuple[int, ...]
    chances: NDArray[np.float32]
    weights: NDArray[np.float32]
    seen: NDArray[np.bool_]
    tree: Tree


@dataclass(frozen=True)
class Result:
    """What is seen.

    Attributes:
        parts: what the decoder looks at, in the order of the steps.
        made: the translation with what is forced and replaced.
        plain: the same phrase's translation without.
        answer: the right translation, where it is known.
        unknown: characters of the phrase that the model does not know.
        other_unknown: and of the other phrase, where that is read.
    """

    parts: tuple[Part, ...]
    made: Translation
    plain: Translation
    answer: str | None
    unknown: tuple[str, ...]
    other_unknown: tuple[str, ...] = ()

    def looks(self, layer: int, head: int) -> NDArray[np.float32]:
        """The weights `(T, S)` of a layer and head; -1 for the mean of all."""
        weights = self.made.weights
        weights = weights if layer < 0 else weights[layer : layer + 1]
        weights = weights if head < 0 else weights[:, head : head + 1]
        mean: NDArray[np.float32] = weights.mean(axis=(0, 1))
        return mean

    def order(self, step: int) -> NDArray[np.int64]:
        """Tokens by their probability at a step, the likeliest first."""
        chances = self.made.chances[step]
        order: NDArray[np.int64] = np.argsort(-chances, kind="stable")
        likely: NDArray[np.int64] = order[chances[order] > 0]
        return likely


class Reader:
    """Translates with one model.

    Args:
        model: an encoder-decoder; put into eval mode.
        source: the characters that it reads.
        target: those that it writes; by default the same.
        answers: right translations by phrase.
        longest: steps at most; by default some more than the longest answer has.
    """

    def __init__(
        self,
        model: EncoderDecoder,
        source: Characters,
        target: Characters | None = None,
        answers: Mapping[str, str] | None = None,
        longest: int | None = None,
    ) -> None:
        self.model, self.source = model.eval(), source
        self.target = source if target is None else target
        self.answers = {} if answers is None else answers
        most = max(map(len, self.answers.values()), default=LONGEST_TARGET - 8) + 8
        self.longest = most if longest is None else longest
        names = self.target.vocabulary
        self.bos_id, self.eos_id = names[self.target.first], names[self.target.separator]
        silent = {names[name] for name in self.target.specials if name in names}
        self.silent = sorted(silent - {self.eos_id})  # never written
        self._encoded = functools.lru_cache(maxsize=32)(self._encode)
        self._translated = functools.lru_cache(maxsize=16)(self._translate)
        self.layers = len(model.decoder.layers)
        self.heads = int(model.decoder.layers[0].multihead_attn.num_heads)  # type: ignore[union-attr, arg-type]

    def read(self, asked: Settings) -> Result:
        """Translate a phrase.

        Raises:
            InvalidSetting: no phrase, a text that is too long, a token that the model can't write, a
                number out of its range.
        """
        check_whole(
            asked, {"beam": (1, WIDEST, "The beam"), "since": (1, LONGEST_TARGET, "The step")}
        )
        if asked.memory not in MEMORIES:
            raise InvalidSetting(f"The memory must be one of {', '.join(MEMORIES)}.")
        ids = self.ids(asked.text, "a phrase to translate")
        changes = asked.memory != OWN
        other = self.ids(asked.other, "the other phrase") if asked.memory == OTHER else ()
        since = asked.since if changes else 1
        forced = self.forced(asked.forced)
        key = (ids, asked.memory, other, since)
        made = self._translated(*key, forced, asked.beam)
        plain = self._translated(ids, OWN, (), 1, (), asked.beam)
        return Result(
            self.parts(*key),
            made,
            plain,
            self.answers.get(asked.text.strip()),
            self.unknown(asked.text),
            self.unknown(asked.other) if other else (),
        )

    def ids(self, text: object, called: str) -> tuple[int, ...]:
        """The ids of a phrase as the model reads them, with the end."""
        if not isinstance(text, str) or len(text) > LONGEST:
            raise InvalidSetting(f"A phrase may have at most {LONGEST} characters.")
        if not text.strip():
            raise InvalidSetting(f"Type {called}, such as “March 6, 1997”.")
        return tuple(self.source.encode(text.strip()).ids[1:])

    def unknown(self, text: str) -> tuple[str, ...]:
        """The characters of a phrase that the model does not know, each once."""
        return tuple(dict.fromkeys(c for c in text.strip() if self._is_unknown(c)))

    def _is_unknown(self, character: str) -> bool:
        unknown = self.source.vocabulary[self.source.unknown]
        return unknown in self.source.encode(character).ids[1:-1]

    def forced(self, forced: Forced) -> tuple[tuple[int, int], ...]:
        """Steps, from 0, and ids of what is forced.

        Raises:
            InvalidSetting: what comes is no pairs, a token can't be written, or a step isn't there or comes twice.
        """
        found: dict[int, int] = {}
        for step, token in _pairs(forced):
            number = self.target.vocabulary.get(token)
            if number is None or number in self.silent:
                raise InvalidSetting(
                    f"The model can't write {quoted(printable(token))}: no training text has it."
                )
            if type(step) is not int or not 1 <= step <= self.longest:  # True is no step
                raise InvalidSetting(f"A step must be a whole number from 1 to {self.longest}.")
            if step - 1 in found:
                raise InvalidSetting(f"Step {step} is forced twice: one token a step.")
            found[step - 1] = number
        return tuple(sorted(found.items()))

    def text(self, tokens: Sequence[int]) -> str:
        """What a reader sees of ids: no special tokens."""
        names = (self.target.tokens[number] for number in tokens)
        return "".join(name for name in names if name not in self.target.specials)

    # What the decoder looks at

    def parts(
        self, ids: tuple[int, ...], memory: str, other: tuple[int, ...], since: int
    ) -> tuple[Part, ...]:
        """The memories, in the order of the steps."""
        own = Part(0, ids, *self._encoded(ids))
        if memory == OWN:
            return (own,)
        changed = self._changed(own, memory, other, since - 1)
        return (changed,) if since == 1 else (own, changed)

    def _changed(self, own: Part, memory: str, other: tuple[int, ...], since: int) -> Part:
        if memory == OTHER:
            return Part(since, other, *self._encoded(other), "the other phrase's")
        if memory == ZEROS:
            return Part(since, own.ids, own.memory * 0, own.padding, "zeros")
        mixed = torch.randperm(len(own.ids) - 1, generator=torch.Generator().manual_seed(0))
        ids = (*(own.ids[i] for i in mixed.tolist()), own.ids[-1])  # the end stays the end
        if memory == SHUFFLED_TEXT:
            return Part(since, ids, *self._encoded(ids), "its characters shuffled")
        order = torch.cat([mixed, torch.tensor([len(own.ids) - 1])])  # (S,)
        return Part(since, ids, own.memory[:, order], own.padding, "its vectors shuffled")

    @torch.inference_mode()
    def _encode(self, ids: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        with one_thread():
            return self.model.encode(torch.tensor([ids]))

    # Writing

    @torch.inference_mode()
    def _translate(
        self,
        ids: tuple[int, ...],
        memory: str,
        other: tuple[int, ...],
        since: int,
        forced: tuple[tuple[int, int], ...],
        beam: int,
    ) -> Translation:
        parts = self.parts(ids, memory, other, since)
        with one_thread():
            tree, greedy = self._search(parts, dict(forced), beam)
            tokens = tuple(tree.tokens(tree.best))
            chances, weights, seen = self._look(parts, tokens)
        return Translation(tokens, greedy, chances, weights, seen, tree)

    def _search(
        self, parts: Sequence[Part], forced: Mapping[int, int], beam: int
    ) -> tuple[Tree, tuple[int, ...]]:
        """Search as `generate_beam` does; return every hypothesis that was ever kept, and the greedy one."""
        wide, greedy = (Lane(width, self.eos_id, self.longest) for width in (beam, 1))
        cache = self.model.empty_cache()
        stages, now, tokens = {part.since: part for part in parts}, parts[0], [self.bos_id]
        for step in range(self.longest):
            if step in stages and step > 0:
                now = stages[step]
                _forget_memory(cache)
            count = len(tokens)
            logits = self.model.step(
                torch.tensor(tokens)[:, None],
                now.memory.expand(count, -1, -1),
                now.padding.expand(count, -1),
                cache,
            )[:, -1]  # (K, V)
            scores = logits.float().log_softmax(dim=-1)  # (K, V)
            if step in forced:
                kept = scores[:, forced[step]].clone()
                scores = torch.full_like(scores, -torch.inf)
                scores[:, forced[step]] = kept
            else:
                scores[:, self.silent] = -torch.inf
            rows = wide.extend(scores, step + 1, 0)
            if _decided(wide):
                wide.live, rows = (), []
            rows += greedy.extend(scores, step + 1, len(rows))
            tokens = [*wide.tokens(), *greedy.tokens()]
            if not rows:
                break
            if rows != list(range(count)):
                cache.reorder(torch.tensor(rows))
        written = tuple(node.token for node in greedy.nodes)
        return Tree(tuple(wide.nodes), _best(wide.nodes)), written

    def _look(
        self, parts: Sequence[Part], tokens: tuple[int, ...]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """One pass over the whole translation: `chances`, `weights` and `seen` of a `Translation`."""
        reads = [self.bos_id, *tokens[:-1]]  # T
        length, width = len(tokens), sum(len(part.ids) for part in parts)
        weights = np.zeros((self.layers, self.heads, length, width), np.float32)
        seen = np.zeros((length, width), np.bool_)
        cache, logits, left = self.model.empty_cache(), list[Tensor](), 0
        ends = [part.since for part in parts[1:]] + [length]
        for part, end in zip(parts, ends, strict=True):
            right = left + len(part.ids)
            first, end = min(part.since, length), min(end, length)
            if first < end:
                _forget_memory(cache)
                with record(self.model.decoder) as recording:
                    new = torch.tensor([reads[first:end]])  # (1, L)
                    logits.append(self.model.step(new, part.memory, part.padding, cache)[0])
                looks = [
                    each[0]  # (H, L, S)
                    for name, each in zip(recording.names, recording.attention, strict=True)
                    if name.endswith("multihead_attn")
                ]
                weights[:, :, first:end, left:right] = torch.stack(looks).float().numpy()
                seen[first:end, left:right] = True
            left = right
        chances = torch.cat(logits).float().softmax(dim=-1)  # (T, V)
        chances[:, self.silent] = 0
        return chances.numpy(), weights, seen


def _pairs(forced: object) -> list[tuple[object, str]]:
    """Read steps and tokens out of whatever came as `forced`."""
    refused = InvalidSetting('forced must be pairs of a step and a token, such as ((2, "年"),).')
    try:
        pairs = [(step, token) for step, token in forced]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise refused from None
    if not all(isinstance(token, str) for _, token in pairs):
        raise refused
    return pairs


def _best(nodes: Sequence[Node]) -> int:
    """The node in which the translation that wins ends."""
    return max(
        (place for place, node in enumerate(nodes) if node.ends), key=lambda i: _score(nodes[i])
    )


def _score(node: Node) -> float:
    return length_penalised(node.log_p, node.step, LENGTH_PENALTY)


def _decided(lane: Lane) -> bool:
    """Whether no live hypothesis can still win, were all that it goes on with certain."""
    ended = [_score(node) for node in lane.nodes if node.ends]
    if not lane.live or not ended:
        return not lane.live
    most = max(log_p for _, log_p in lane.live)
    return length_penalised(most, lane.longest, LENGTH_PENALTY) <= max(ended)


def _forget_memory(cache: KeyValueCache) -> None:
    """Let the next step make its keys and values of another memory."""
    for layer in cache.layers:
        layer.memory_key = layer.memory_value = None
