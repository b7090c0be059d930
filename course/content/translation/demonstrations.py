"""What chapter 08 shows in small: smoothing and certainty, scores of damaged texts, and two models made by hand.

`TwoDates` and `Hesitant` answer "what comes next?" from a table, so that each step of a search can be checked by
hand. `draw_tree` draws what a beam does on such a model. `number_looks` measures which heads of a trained
translator look at the number that is being written.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course.content.translation.experiments import characters, recipe
from course.content.translation.experiments.help_text import first_vectors
from course.content.translation.experiments.help_text.rows import Row, rows
from course.content.translation.experiments.help_text.tokens import pieces
from course.content.translation.experiments.lists import names
from course.content.translation.phrases import as_in_the_chapter, looks, read, translate
from course.datasets import load
from course.datasets.dataset import Example
from course.datasets.phrases.card import CARD
from course.system.threads import one_thread
from course.training import Training

__all__ = [
    "BOS", "EOS", "Fitted", "Hesitant", "Table", "TwoDates", "dictionary", "draw_tree", "fit", "go_on", "list_lengths",
    "list_share", "lists_alone", "number_looks", "one_digit_wrong", "places_in", "roles",
    "write_and_swap",
]  # fmt: skip

BOS, EOS = 0, 1  # of the models made by hand
LONGEST = 60  # characters that `go_on` writes
_RARE = 1e-9  # probability of what a table doesn't name
Loss = Callable[[Tensor, Tensor, float, int], Tensor]


class Fitted(NamedTuple):
    """What a classifier that was trained on few examples does on new ones."""

    accuracy: float
    certainty: float  # mean probability of the class that it chooses
    nll: float  # mean of -log p of the right class
    largest: float  # of the logits, by size


def fit(loss: Loss, smoothing: float) -> Fitted:
    """Train a small network on 200 points of five overlapping classes, and try it on 4,000 new ones."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(6, 10, generator=generator)

    def draw(count: int) -> tuple[Tensor, Tensor]:
        classes = torch.randint(1, 6, (count,), generator=generator)  # number 0 is for padding
        return centres[classes] + torch.randn(count, 10, generator=generator), classes

    (x, classes), (new, right) = draw(200), draw(4000)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 6))
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
        for _ in range(150):
            optimiser.zero_grad()
            loss(net(x)[None], classes[None], smoothing, 0).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            logits = net(new)  # (4000, 6)
    log_p = logits.log_softmax(dim=-1)
    certainty, chosen = log_p.exp().max(dim=-1)
    return Fitted(
        (chosen == right).float().mean().item(),
        certainty.mean().item(),
        -log_p.gather(-1, right[:, None]).mean().item(),
        logits.abs().max().item(),
    )


def one_digit_wrong(texts: Sequence[str], every: int = 1) -> list[str]:
    """Replace one digit in each text that has one; with `every`, in each so manieth text only."""
    source = random.Random(0)
    damaged = []
    for number, text in enumerate(texts):
        places = [place for place, letter in enumerate(text) if letter in "0123456789"]
        if places and number % every == 0:
            place = source.choice(places)
            others = [digit for digit in "0123456789" if digit != text[place]]
            text = text[:place] + source.choice(others) + text[place + 1 :]
        damaged.append(text)
    return damaged


class Table:
    """A model made by hand: after each beginning the probabilities of what comes next.

    Attributes:
        words: the token of each number; 0 begins a text and 1 ends it.
    """

    words: list[str]

    def __init__(self, after: Mapping[str, Mapping[str, float]]) -> None:
        letters = dict.fromkeys(letter for following in after.values() for letter in following)
        self.words = ["", "■", *(letter for letter in letters if letter != "■")]
        self.after = after

    def next_logits(self, ids: list[int]) -> Tensor:
        """Log-probabilities `(V,)` of what follows ids that begin with `BOS`."""
        following = self.after.get(self.text(ids), {"■": 1.0})
        return torch.tensor([following.get(word, _RARE) for word in self.words]).log()

    def text(self, ids: Sequence[int]) -> str:
        """Return the text of ids, without begin and end."""
        return "".join(self.words[i] for i in ids if i not in (BOS, EOS))


class TwoDates(Table):
    """Asked for "March 6" in Chinese, it is more inclined to begin with the 6 than with the 3."""

    def __init__(self) -> None:
        super().__init__(
            {
                "": {"6": 0.5, "3": 0.4, "三": 0.1},
                "6": {"月": 0.4, "日": 0.35, "3": 0.25},
                "6月": {"3": 0.9, "■": 0.1},
                "6月3": {"日": 1.0},
                "6日": {"3": 0.6, "■": 0.4},
                "3": {"月": 0.95, "日": 0.05},
                "3月": {"6": 1.0},
                "3月6": {"日": 1.0},
                "三": {"月": 1.0},
                "三月": {"六": 1.0},
                "三月六": {"日": 1.0},
            }
        )


class Hesitant(Table):
    """It knows each next character of a text at 0.82, and would stop at any place with 0.1."""

    def __init__(self, text: str, sure: float = 0.82, stop: float = 0.1) -> None:
        after = {
            text[:place]: {text[place]: sure, "■": stop, "…": 1 - sure - stop}
            for place in range(len(text))
        }
        super().__init__({**after, text: {"■": 1.0}})


class _Node(NamedTuple):
    ids: tuple[int, ...]
    log_p: float
    kept: bool


def draw_tree(model: Table, beam: int, steps: int, least: float = 0.01) -> str:
    """Draw what a beam search sees: each continuation of a kept beginning, with its probability up to there.

    ✗ is dropped; ■ ends a text. Continuations below `least` are not drawn.
    """
    live = [_Node((BOS,), 0.0, True)]
    children: dict[tuple[int, ...], list[_Node]] = {}
    for _ in range(steps):
        grown = [
            _Node((*node.ids, token), node.log_p + gain, False)
            for node in live
            for token, gain in enumerate(model.next_logits(list(node.ids)).tolist())
        ]
        grown.sort(key=lambda node: -node.log_p)
        likely = [
            _Node(node.ids, node.log_p, place < beam)
            for place, node in enumerate(grown)
            if math.exp(node.log_p) >= least
        ]
        for node in likely:
            children.setdefault(node.ids[:-1], []).append(node)
        live = [node for node in likely if node.kept and node.ids[-1] != EOS]
    return "\n".join(_branches(model, children, (BOS,), ""))


def _branches(
    model: Table, children: Mapping[tuple[int, ...], list[_Node]], ids: tuple[int, ...], indent: str
) -> list[str]:
    lines = []
    following = children.get(ids, [])
    for node in following:
        last = node is following[-1]
        mark = "" if node.kept else " ✗"
        word = model.words[node.ids[-1]]
        lines.append(f"{indent}{'└─' if last else '├─'} {word} {math.exp(node.log_p):.2f}{mark}")
        lines += _branches(model, children, node.ids, indent + ("   " if last else "│  "))
    return lines


def number_looks(
    model: Any, pairs: Sequence[tuple[str, str]], language: str
) -> tuple[Tensor, float]:
    """Return how much each head `(layers, H)` looks at the number that is being written, and the share of an even look.

    Counted are the digits of numbers that stand once in the source and once in the target: there the right
    place of the source is known, whatever the language. "Of an even look" is what the number's length alone gives.
    """
    found, even = [], []
    for source, target in pairs:
        weights: Tensor | None = None
        for match in re.finditer(r"\d+", target):
            places = [place for place in re.finditer(r"\d+", source) if place[0] == match[0]]
            if len(places) != 1 or len(re.findall(rf"(?<!\d){match[0]}(?!\d)", target)) != 1:
                continue
            if weights is None:
                weights = looks(model, source, target, language)  # (layers, H, T, S)
            (place,) = places
            rows = weights[:, :, match.start() : match.end(), place.start() : place.end()]
            found.append(rows.sum(dim=-1).mean(dim=-1))  # (layers, H)
            even.append(len(match[0]) / weights.shape[-1])
    return torch.stack(found).mean(dim=0), sum(even) / len(even)


def places_in(text: str, language: str) -> int:
    """Count the places that a list names."""
    return len(names(text, language))


def list_lengths(model: Any, lists: Sequence[Example], language: str) -> dict[int, Counter[int]]:
    """Count how many places the model writes, by how many it reads."""
    texts = [each.text for each in lists]
    counts: dict[int, Counter[int]] = {}
    for text, written in zip(texts, translate(model, texts, language), strict=True):
        counts.setdefault(places_in(text, "en"), Counter())[places_in(written, language)] += 1
    return dict(sorted(counts.items()))


@torch.no_grad()
def go_on(model: Any, source: str, begun: str, language: str) -> str:
    """Return what the model writes greedily from a source, after a beginning that it is given."""
    memory, padding = read(model, source, language)
    ids = [characters.BOS, *characters.encode(begun, language)[:-1]]  # without the end
    given = len(ids)
    while len(ids) - given < LONGEST:
        logits = model.step(torch.tensor([ids]), memory, padding, model.empty_cache())  # (1, T, V)
        token = int(logits[0, -1].argmax())
        if token == characters.EOS:
            break
        ids.append(token)
    return characters.text(ids[given:], language)


def write_and_swap(model: Any, first: str, second: str, language: str) -> list[str]:
    """Write from one source up to each number, and go on from another source; "|" stands where it changed."""
    whole = go_on(model, first, "", language)
    ends = [0, *(match.end() for match in re.finditer(r"\d+", whole)), len(whole)]
    return [f"{whole[:end]} | {go_on(model, second, whole[:end], language)}" for end in ends]


def roles(model: Any, lists: Sequence[Example], language: str) -> Tensor:
    """Return which places of a list are written, `(4, N)`: a row each for the first, second, third and last written.

    Counted are translations of four places, all of them of the list; a row sums to 1 where there are any.

    Args:
        lists: all of the same length N.
    """
    texts = [each.text for each in lists]
    size = places_in(texts[0], "en")
    counts = torch.zeros(4, size)
    for each, written in zip(lists, translate(model, texts, language), strict=True):
        known = names(each.target, language)
        found = [known.index(name) for name in names(written, language) if name in known]
        if len(found) == 4 == places_in(written, language):
            counts[torch.arange(4), found] += 1
    return counts / counts.sum(dim=-1, keepdim=True).clamp(min=1)


def lists_alone(language: str) -> Training:
    """Describe a training on nothing but lists, one in a row, by a model that sees everything."""
    kind = CARD.classes.index("list")
    whole = as_in_the_chapter(language, joined=False, reach=None)
    return replace(
        whole,
        name=f"translation.lists_{language}",
        title="The same model, trained on lists of two to four places alone",
        data=[pair for pair in recipe.pairs(language) if pair.kind == kind],
        settings=whole.settings.changed(steps=300, warmup=20),
        evaluate=lambda model: {"exact": list_share(model, language)},
        test=None,
        head=None,
        baselines={},
        key=f"{whole.key} lists",
    )


def list_share(model: Any, language: str) -> float:
    """Return the share of validation's lists that are translated exactly."""
    kind = CARD.classes.index("list")
    found = load("cldr-phrases", language=language).validation
    lists = [each for each in found if each.label == kind]
    return recipe.exact(translate(model, [each.text for each in lists], language), lists)


def dictionary(words: Sequence[str], count: int = 4) -> dict[str, list[tuple[str, float]]]:
    """Return the likeliest Chinese pieces for English words, counted in the pairs of LibreOffice's help."""
    pairs = [Row(row.source[:-1], row.target[:-1]) for row in rows()]  # without the end
    longest = first_vectors.LONGEST
    found = first_vectors.translations(
        [pair for pair in pairs if 0 < min(map(len, pair)) <= max(map(len, pair)) <= longest]
    )
    table = list(pieces())
    best = {}
    for word in words:
        own = (found.english == table.index(word)).nonzero().squeeze(1)  # (N,)
        top = found.probability[own].topk(count)
        chinese = found.chinese[own][top.indices].tolist()
        best[word] = [(table[i], p) for i, p in zip(chinese, top.values.tolist(), strict=True)]
    return best
