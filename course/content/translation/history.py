"""Three translators of one size, as of 2014, 2015 and 2017, trained on the phrases of chapter 08.

    recording("translation.history")                what they reached
    train(history.KINDS["attention"]()).model       one of them, in a minute or less

All learn from the same phrases with the same loss, optimizer and learning rate, for about as many CPU-seconds. An
update of each costs something else, so their budgets in updates differ.
"""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from course.content.recorded import recording
from course.content.translation import phrases
from course.content.translation.experiments import characters
from course.content.translation.experiments import recipe as of_phrases
from course.content.translation.experiments.characters import BOS, PAD, batch, encode
from course.content.translation.experiments.history import fixed_vector, looking_back, recipe
from course.content.translation.experiments.history.fixed_vector import FixedVector
from course.content.translation.experiments.history.looking_back import LookingBack
from course.datasets.phrases import corpus, kinds
from course.datasets.phrases.kinds import Phrase
from course.training import Answer, Settings, Training
from course.training.own_parts import any_is_the_learners, key_of, whose_parts
from encoder_core.models.encoder_decoder import EncoderDecoder

__all__ = [
    "DATE", "KINDS", "SHOWN", "attention_of", "chains", "looks", "models", "recorded_looks", "shown", "sizes",
    "translate", "update_times",
]  # fmt: skip

DATE = Phrase("date", "full", (1997, 3, 6))  # Thursday, March 6, 1997
SHOWN = (
    DATE,
    Phrase("date", "medium", (1997, 3, 6)),
    Phrase("amount", "long", (75, "length-kilometer")),
    Phrase("list", "standard", ("MY", "PE")),
    Phrase("list", "standard", ("MY", "PE", "TH")),
    Phrase("list", "standard", ("MY", "PE", "TH", "NO")),
)

translate = recipe.translate


def _fixed_vector(settings: Settings, backwards: bool = False) -> nn.Module:
    embed = settings.more["embed"]
    return FixedVector(_vocabulary(), embed, settings.d_model, PAD, backwards)


def _looking_back(settings: Settings, function: looking_back.Function | None = None) -> nn.Module:
    embed = settings.more["embed"]
    return LookingBack(_vocabulary(), embed, settings.d_model, PAD, function)


def _transformer(settings: Settings) -> nn.Module:
    return EncoderDecoder(
        _vocabulary(), settings.d_model, settings.nhead, settings.num_layers, settings.num_layers,
        settings.dim_feedforward, padding_idx=PAD, dropout=settings.dropout,
        positions=settings.positions,
    )  # fmt: skip


def _vocabulary() -> int:
    return len(characters.characters(recipe.LANGUAGE))


def _describe(
    name: str, title: str, build: Callable[[Settings], nn.Module], steps: int, **changes: Any
) -> Training:
    return Training(
        name=f"translation.history_{name}",
        title=title,
        settings=Settings(**{**recipe.SETTINGS, "steps": steps, **changes}),
        build=build,
        data=of_phrases.pairs(recipe.LANGUAGE),
        collate=of_phrases.collate,
        loss=recipe.loss,
        evaluate=recipe.evaluate,
        figure="exact",
        test=recipe.test,
        examples=_answer_the_shown,
        key=key_of((corpus, fixed_vector, kinds, looking_back, recipe), ()),
    )


_RECURRENT: Mapping[str, Any] = {"nhead": 1, "num_layers": 1, "more": {"embed": 64}}

# One vector was read backwards by Sutskever et al.
KINDS: dict[str, Callable[[], Training]] = {
    "one vector": functools.partial(
        _describe, "one_vector", "Two recurrent networks with one vector between them (2014)",
        _fixed_vector, 3200, d_model=128, **_RECURRENT,
    ),
    "one vector, read backwards": functools.partial(
        _describe, "backwards", "One vector, of a source that is read from its end (2014)",
        functools.partial(_fixed_vector, backwards=True), 3200, d_model=128, **_RECURRENT,
    ),
    "attention": functools.partial(
        _describe, "attention", "Two recurrent networks; the second looks back (2015)",
        _looking_back, 1600, d_model=96, **_RECURRENT,
    ),
    "Transformer": functools.partial(
        _describe, "transformer", "A Transformer: attention, and no recurrent network (2017)",
        _transformer, 1900, d_model=64, dim_feedforward=256, positions="relative",
    ),
}  # fmt: skip


def attention_of(additive_attention: looking_back.Function) -> Training:
    """Describe the training "attention" with another function that attends, such as the learner's."""
    own = {"additive_attention": additive_attention}
    plain = KINDS["attention"]()
    return replace(
        plain,
        build=functools.partial(_looking_back, function=additive_attention),
        parts=whose_parts(own),
        key=key_of((corpus, fixed_vector, kinds, looking_back, recipe), own.values()),
        reference=_looking_back if any_is_the_learners(own) else None,
    )


@torch.no_grad()
def _answer_the_shown(model: nn.Module) -> Sequence[Answer]:
    asked = [phrase.write("en") for phrase in SHOWN]
    return [
        Answer(
            text, ((written, _probability(model, text, written)),), phrase.write(recipe.LANGUAGE)
        )
        for phrase, text, written in zip(SHOWN, asked, translate(model, asked), strict=True)
    ]


def _probability(model: nn.Module, source: str, target: str) -> float:
    """How likely the model finds each character, in the geometric mean."""
    pair = (batch([encode(text, recipe.LANGUAGE)]) for text in (source, target))
    return float(torch.exp(-recipe.loss(model, of_phrases.Rows(*pair))))


@torch.no_grad()
def looks(model: nn.Module, source: str, target: str | None = None) -> Tensor | None:
    """Return how much each step of the decoder looks at each character of the source, `(T, S)`.

    The last row is of the step that ends the target, the last column of the source's end. Of a Transformer it is
    the mean over the heads of the last layer; None where the decoder has one vector and nothing to choose from.

    Args:
        target: what is written; the model's own translation if None.
    """
    target = translate(model, [source])[0] if target is None else target
    if isinstance(model, EncoderDecoder):
        return phrases.looks(model, source, target, recipe.LANGUAGE)[-1].mean(dim=0)
    if not isinstance(model, LookingBack):
        return None
    memory = model.encode(batch([encode(source, recipe.LANGUAGE)]))
    state, rows = model.start(memory), []
    for token in [BOS, *encode(target, recipe.LANGUAGE)[:-1]]:
        rows.append(model.attention(state, memory)[1][0])  # (S,)
        state = model.decode(torch.tensor([[token]]), state, memory)[1]  # (1, H)
    return torch.stack(rows)


def shown(model: nn.Module) -> dict[str, Any]:
    """Return what a recording keeps of a model: what it writes for `SHOWN`, and its looks at the date in per cent."""
    found: dict[str, Any] = {"written": translate(model, [phrase.write("en") for phrase in SHOWN])}
    weights = looks(model, DATE.write("en"), DATE.write(recipe.LANGUAGE))
    if weights is not None:
        percent = (100 * weights).round().int().tolist()
        found["looks"] = [" ".join(map(str, row)) for row in percent]
    return found


def recorded_looks(kind: str, seed: int = 0) -> Tensor:
    """Return the recorded looks at the date, `(T, S)`, while the right translation is written.

    Raises:
        KeyError: the kind has one vector, or nothing is recorded of this seed.
    """
    runs = {run["seed"]: run for run in recording("translation.history").rows[kind].runs}
    rows = [[int(number) for number in row.split()] for row in runs[seed]["shown"]["looks"]]
    return torch.tensor(rows) / 100


def models() -> dict[str, nn.Module]:
    """Return an untrained model of each kind."""
    made = (describe() for describe in KINDS.values())
    return {name: each.fresh_model(each.settings) for name, each in zip(KINDS, made, strict=True)}


def sizes() -> dict[str, int]:
    """Return how many parameters each kind has."""
    return {name: sum(p.numel() for p in m.parameters()) for name, m in models().items()}


def _rows(length: int, count: int = 32) -> of_phrases.Rows:
    """Random characters: `count` sources and targets of one length."""
    draw = torch.Generator().manual_seed(0)
    ids = torch.randint(BOS + 3, _vocabulary(), (2, count, length), generator=draw)
    return of_phrases.Rows(ids[0], ids[1])


def chains(lengths: Sequence[int]) -> dict[str, list[int]]:
    """Return the longest chain of operations that wait for one another in a loss, at each length.

    Counted in the graph that autograd has recorded; sources and targets have the same length.
    """
    rows = [_rows(length, count=2) for length in lengths]
    return {
        name: [recipe.longest_chain(recipe.loss(model, each)) for each in rows]
        for name, model in models().items()
    }


def update_times(lengths: Sequence[int], tries: int = 3) -> dict[str, list[float]]:
    """Measure forward and backward of a batch of 32 at each length, in seconds: the median of some tries."""
    made = models()
    found: dict[str, list[list[float]]] = {name: [[] for _ in lengths] for name in made}
    for _ in range(tries):  # in turns, so that other work on the machine falls on all alike
        for place, length in enumerate(lengths):
            rows = _rows(length)
            for name, model in made.items():
                began = time.perf_counter()
                recipe.loss(model, rows).backward()  # type: ignore[no-untyped-call]
                found[name][place].append(time.perf_counter() - began)
    return {name: [statistics.median(each) for each in times] for name, times in found.items()}
