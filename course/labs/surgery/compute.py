"""From a sentence and a question to what the answer loses with each part of the model."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from course.labs.faults import InvalidSetting
from course.labs.own_functions import check_one_of
from course.labs.sentences import cut_sentence
from course.labs.settings_lab import check_whole
from course.labs.surgery.cuts import (
    NOTHING,
    Cut,
    Outputs,
    Replacement,
    cut_rows,
    keep_outputs,
    layers_of,
    outputs_of,
)
from course.system.threads import one_thread
from encoder_core.inspect.interventions import attentions_of
from encoder_core.inspect.recording import record
from encoder_core.text.encodings import Encoding
from encoder_core.text.tokenizer import WordPiece

Floats = NDArray[np.float32]
LONGEST = 200  # characters
REPLACEMENTS = ("zero", "mean", "other")
MOST_NEURONS = 64  # those whose activations at the question are largest, if a layer has more


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        text: the sentence.
        place: of a masked word, the token that is asked for, `[CLS]` being 0.
        replace: what a cut part gives instead: `"zero"`, its `"mean"` over the sentence, or what it
            gave for the `"other"` sentence.
        other: that sentence.
        off: heads that stay off, pairs `(layer, head)`.
        neurons_of: the layer whose neurons are cut one by one.
    """

    text: str
    place: int = 1
    replace: Replacement = "zero"
    other: str = ""
    off: tuple[tuple[int, int], ...] = ()
    neurons_of: int = 0


@dataclass(frozen=True)
class Selection:
    """Which head is looked at."""

    layer: int = 0
    head: int = 0


@dataclass(frozen=True)
class Effects:
    """What the answer loses; probabilities from 0 to 1, effects are differences of two.

    Attributes:
        tokens: S of them.
        fixed: S booleans, True for special tokens.
        place: of the blank; None where the model classifies the whole sentence.
        answer: the answer's name: a token or a class.
        intact: its probability in the whole model.
        now: the same with the heads off that stay off; the effects start from here.
        by_head: `(L, H)`, the change when that head is cut too.
        by_part: `(L, 2)`, when all heads of a layer are, or its feed-forward network.
        by_token: `(S,)`, when the model sees `[MASK]` there; NaN at special tokens and the question.
        by_neuron: the neurons cut one by one and the changes, the largest first.
        sharpness: `(L, H)`, the largest weight of the question's row, which attention suggests by; of a
            class, of the mean row.
        attention: `(S,)`, mean weight over all heads from the question to each token; of a class, from
            all tokens.
    """

    tokens: tuple[str, ...]
    fixed: tuple[bool, ...]
    place: int | None
    answer: str
    intact: float
    now: float
    by_head: Floats
    by_part: Floats
    by_token: Floats
    by_neuron: tuple[tuple[int, float], ...]
    sharpness: Floats
    attention: Floats

    def agreement(self) -> tuple[float, float]:
        """Rank correlations of the size of the effect with attention: over tokens, and over heads."""
        plain = np.isfinite(self.by_token)
        tokens = rank_correlation(np.abs(self.by_token[plain]), self.attention[plain])
        heads = rank_correlation(np.abs(self.by_head).ravel(), self.sharpness.ravel())
        return tokens, heads


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's correlation, ties at their mean rank; NaN where one of the two is constant.

    >>> rank_correlation(np.array([1, 2, 4]), np.array([10, 30, 20]))
    0.5
    """
    if len(first) < 2:
        return float("nan")
    ranks = [_ranks(each) for each in (first, second)]
    centred = [each - each.mean() for each in ranks]
    norm = float(np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum()) / norm if norm else float("nan")


def _ranks(numbers: Floats) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return (last - (counts - 1) / 2)[inverse]


class Table:
    """A model on the surgery table.

    Args:
        model: returns logits for ids `(B, S)`: `(B, S, V)` of a masked-word model, or
            `(B, classes)`; its layers are `encoder_core`'s.
        tokenizer: the model's, with a `[MASK]`.
        classes: their names, where it classifies.
        longest: how many tokens it takes.

    Raises:
        ValueError: the model's parts can't be told apart, or there is no `[MASK]`.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: WordPiece,
        classes: Sequence[str] | None = None,
        longest: int = 48,
    ) -> None:
        if "[MASK]" not in tokenizer.vocabulary:
            raise ValueError("The tokenizer has no [MASK], so that no token can be cut.")
        self.model, self.tokenizer = model.eval(), tokenizer
        self.classes, self.longest = classes, longest
        layers_of(model)
        attentions = [attention for _, attention in attentions_of(model)]
        self.shape = len(attentions), attentions[0].num_heads
        self.takes_where = "where" in inspect.signature(model.forward).parameters  # as a `MaskedLM`
        self.mask_id = tokenizer.vocabulary["[MASK]"]
        self.special = {tokenizer.vocabulary[name] for name in tokenizer.specials}

    @one_thread()
    def operate(self, asked: Settings) -> Effects:
        """Cut every part by itself.

        Raises:
            InvalidSetting: a setting is invalid.
        """
        self._check(asked)
        encoding = self._cut(asked.text)
        tokens, ids = tuple(encoding.tokens), tuple(encoding.ids)
        fixed = tuple(i in self.special for i in ids)
        place = self._place(asked, ids, fixed)
        seen = list(ids)
        if self.classes is None:
            seen[place] = self.mask_id
        row = torch.tensor([seen])  # (1, S)
        other = self._other(asked)
        with torch.no_grad(), record(self.model) as recording, keep_outputs(self.model) as outputs:
            logits = self.model(row)
        target = self._target(logits, place, ids)
        neurons = self._most_active(outputs.neurons[asked.neurons_of], place)
        weights = torch.stack([each[0] for each in recording.attention])  # (L, H, S, S)
        looks = weights[:, :, place] if self.classes is None else weights.mean(dim=2)  # (L, H, S)
        always = Cut(frozenset(asked.off))
        single = [Cut(neurons=frozenset({(asked.neurons_of, neuron)})) for neuron in neurons]
        cuts = [NOTHING, always, *(always | cut for cut in (*self._parts(), *single))]
        blanked, places = self._blanked(row, fixed, place)
        rows = torch.cat([row.repeat(len(cuts), 1), blanked])
        with cut_rows(self.model, cuts + [always] * len(blanked), asked.replace, other):
            found = self._ask(rows, place, target)  # one run for all that is cut
        now = found[1].item()
        changes = (found[2:] - now).numpy().astype(np.float32)
        counts = [self.shape[0] * self.shape[1], 2 * self.shape[0], len(neurons)]
        by_head, by_part, by_neuron, by_place = np.split(changes, np.cumsum(counts))
        by_token = np.full(len(ids), np.nan, np.float32)
        by_token[places] = by_place
        ranked = sorted(
            zip(neurons, by_neuron.tolist(), strict=True), key=lambda pair: -abs(pair[1])
        )
        return Effects(
            tokens=tokens,
            fixed=fixed,
            place=place if self.classes is None else None,
            answer=self._name(target),
            intact=found[0].item(),
            now=now,
            by_head=by_head.reshape(self.shape),
            by_part=by_part.reshape(-1, 2),
            by_token=by_token,
            by_neuron=tuple(ranked),
            sharpness=looks.amax(dim=-1).numpy(),
            attention=looks.mean(dim=(0, 1)).numpy(),
        )

    def _parts(self) -> list[Cut]:
        """Every head, then of each layer all heads, and its feed-forward network."""
        layers, heads = self.shape
        single = [Cut(frozenset({(i, j)})) for i in range(layers) for j in range(heads)]
        whole = []
        for i in range(layers):
            whole.append(Cut(frozenset((i, j) for j in range(heads))))
            whole.append(Cut(feed_forward=frozenset({i})))
        return [*single, *whole]

    def _blanked(self, row: Tensor, fixed: Sequence[bool], place: int) -> tuple[Tensor, list[int]]:
        """The sentence with one more token blanked, for each that may be."""
        asked = place if self.classes is None else -1
        places = [i for i, special in enumerate(fixed) if not special and i != asked]
        rows = row.repeat(len(places), 1)
        rows[torch.arange(len(places)), torch.tensor(places, dtype=torch.long)] = self.mask_id
        return rows, places

    def _most_active(self, active: Tensor, place: int) -> list[int]:
        """The neurons to cut one by one, of one layer's activations `(S, F)`."""
        size = active[place].abs() if self.classes is None else active.abs().amax(dim=0)
        return [int(neuron) for neuron in size.topk(min(MOST_NEURONS, len(size))).indices]

    @torch.no_grad()
    def _ask(self, rows: Tensor, place: int, target: int) -> Tensor:
        """The answer's probability in each row, `(B,)`."""
        if self.classes is None and self.takes_where:  # scores of the one place that is asked for
            where = torch.zeros(rows.shape, dtype=torch.bool)
            where[:, place] = True
            asked: Tensor = self.model(rows, where=where)  # (B, V)
        else:
            logits: Tensor = self.model(rows)
            asked = logits[:, place] if self.classes is None else logits
        return asked.float().softmax(dim=-1)[:, target]

    def _target(self, logits: Tensor, place: int, ids: Sequence[int]) -> int:
        """What is asked for: the token that was written, or what the whole model says."""
        if self.classes is None and ids[place] != self.mask_id:
            return ids[place]
        said = logits[0, place] if self.classes is None else logits[0]
        return int(said.argmax())

    def _name(self, target: int) -> str:
        return self.tokenizer.tokens[target] if self.classes is None else self.classes[target]

    def _other(self, asked: Settings) -> Outputs | None:
        if asked.replace != "other":
            return None
        return outputs_of(self.model, torch.tensor([self._cut(asked.other).ids]))

    def _place(self, asked: Settings, ids: Sequence[int], fixed: Sequence[bool]) -> int:
        """The question's place: a `[MASK]` in the text, or the plain token nearest to the chosen one."""
        typed = [i for i, each in enumerate(ids) if each == self.mask_id]
        plain = [i for i, special in enumerate(fixed) if not special]
        return min(typed or plain or [0], key=lambda i: abs(i - asked.place))

    def _cut(self, text: str) -> Encoding:
        return cut_sentence(text, self.tokenizer, LONGEST, self.longest)

    def _check(self, asked: Settings) -> None:
        layers, heads = self.shape
        check_one_of(asked.replace, REPLACEMENTS, "What replaces a cut part")
        check_whole(asked, {"neurons_of": (0, layers - 1, "The layer of the neurons")})
        check_whole(asked, {"place": (0, self.longest, "The question's place")})
        for layer, head in asked.off:
            if not (0 <= layer < layers and 0 <= head < heads):
                raise InvalidSetting(
                    f"There is no head {head} in layer {layer}: the model has {layers} layers of "
                    f"{heads} heads, both counted from 0."
                )
