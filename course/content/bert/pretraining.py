"""The training of chapter 05: a small BERT learns the masked words of Python's documentation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType

import torch
from torch import Tensor, nn

from course.content.bert.experiments import baselines, changes, model, recipes, text
from course.content.bert.experiments import training as recipe
from course.datasets.python_docs import corpus, neighbour_vectors
from course.labs import with_standard_layers
from course.training import Answer, HeadPicture, Settings, Training, first_looks
from course.training.own_parts import any_is_the_learners, fitting_positions, key_of, whose_parts
from encoder_core.inspect.recording import record

__all__ = ["BLANKS", "masked_words", "plain_baselines", "recipe_changed"]

# Held-out sentences with a blank each; the word that stood there follows.
BLANKS = (
    ("Return a [MASK] of tuples.", "list"),
    ("If the file does not exist, an exception is [MASK].", "raised"),
    ("The method returns the [MASK] of bytes written.", "number"),
    ("Raise an error if the value [MASK] negative.", "is"),
    ("This function takes two [MASK].", "arguments"),
)
SHOWN = 5  # guesses of each


def masked_words(
    layer: Callable[..., nn.Module] | None = None,
    mask_tokens: Callable[..., tuple[Tensor, Tensor]] | None = None,
    masked_lm_loss: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Training:
    """Describe the training.

    Args:
        layer: a class of encoder layers, such as the learner's; `encoder_core`'s if None.
        mask_tokens: hides pieces; if None, every chosen piece becomes `[MASK]`.
        masked_lm_loss: the loss of logits and labels; torch's cross entropy if None.
    """
    own = {"EncoderLayer": layer, "mask_tokens": mask_tokens, "masked_lm_loss": masked_lm_loss}
    settings = Settings(
        **recipe.SETTINGS,
        d_model=64,
        nhead=4,
        num_layers=2,
        dim_feedforward=64,
        dropout=0.0,
        positions=fitting_positions(layer),
        more={"near": True, "first_vectors": True},
    )
    return Training(
        name="bert.masked_words",
        title="A small BERT learns the masked words of Python's documentation",
        settings=settings,
        build=functools.partial(_build, layer),
        data=list(text.rows().unbind()),
        collate=text.hide(recipe.MASKING, mask_tokens),
        loss=recipe.loss
        if masked_lm_loss is None
        else functools.partial(_own_loss, masked_lm_loss),
        evaluate=recipe.evaluate,
        figure="accuracy",
        baselines={name: found["accuracy"] for name, found in plain_baselines().items()},
        test=functools.partial(recipe.evaluate, split="test"),
        examples=fill_blanks,
        head=look_at_a_sentence,
        parts=whose_parts(own),
        key=_key(own.values()),
        reference=functools.partial(_build, None) if any_is_the_learners(own) else None,
    )


def recipe_changed(
    change: str,
    mask_tokens: Callable[..., tuple[Tensor, Tensor]] | None = None,
    masked_lm_loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    seed: int = 0,
) -> Training:
    """Describe a short training by BERT's recipe with one change, such as "rotary positions".

    The layers are `encoder_core`'s, which have what the changes need.

    Args:
        change: one of `recipes.CHANGES`; "BERT" changes nothing.
        mask_tokens, masked_lm_loss: as in `masked_words`.

    Raises:
        ValueError: there is no such change; the message lists those that there are.
    """
    if change not in recipes.CHANGES:
        known = ", ".join(map(repr, recipes.CHANGES))
        raise ValueError(f"There is no change {change!r}; there are {known}.")
    settings = recipes.BERT.changed(seed=seed, **recipes.CHANGES[change])
    own = {"mask_tokens": mask_tokens, "masked_lm_loss": masked_lm_loss}
    return Training(
        name="bert.recipe_changed",
        title=f"BERT's recipe, in small: {change}",
        settings=settings,
        build=changes.build,
        data=changes.data(settings, mask_tokens),
        collate=changes.collate(settings, mask_tokens),
        loss=functools.partial(changes.loss, masked_lm_loss),
        evaluate=changes.evaluate,
        figure="accuracy",
        test=functools.partial(changes.evaluate, split="test"),
        parts=whose_parts(own),
        key=_key(own.values(), changes),
    )


def _build(layer: Callable[..., nn.Module] | None, settings: Settings) -> nn.Module:
    near = settings.positions == "relative" and settings.more["near"]
    return model.build(
        text.rows(),
        len(corpus.tokenizer().vocabulary),
        **settings.arguments(layer=layer),
        positions="neighbours" if near else settings.positions,
        vectors=settings.more["first_vectors"],
        seed=settings.seed,
    )


def _own_loss(
    masked_lm_loss: Callable[[Tensor, Tensor], Tensor], net: nn.Module, batch: text.Rows
) -> Tensor:
    """The loss by a function of logits `(B, S, V)` and labels: all at the places that count."""
    where = batch.labels != text.HIDDEN  # (B, S)
    logits = net(batch.inputs, where=where)  # (M, V)
    return masked_lm_loss(logits.unsqueeze(0), batch.labels[where].unsqueeze(0))


@functools.cache
def plain_baselines(split: str = "validation") -> dict[str, dict[str, float]]:
    """Return what needs no network, scored on a split: accuracy, top5 and perplexity of each."""
    rows, asked = text.rows(), text.questions(split)
    size = len(corpus.tokenizer().vocabulary)
    answers = asked.answers[asked.where]
    frequent = baselines.unigram(rows, size).expand(len(answers), -1)
    neighbours = baselines.Neighbours(rows, size)(asked.inputs, asked.where)
    return {
        "the most frequent piece": baselines.score(frequent, answers),
        "counts of two neighbours": baselines.score(neighbours, answers),
    }


@torch.no_grad()
def fill_blanks(net: nn.Module) -> Sequence[Answer]:
    """Answer `BLANKS`."""
    words = corpus.tokenizer()
    mask = words.vocabulary["[MASK]"]
    found = []
    for sentence, right in BLANKS:
        ids = torch.tensor([words.encode(sentence).ids])  # (1, S)
        guesses, chances = recipe.answers(net, ids, ids == mask, SHOWN)  # (1, 5) each
        pairs = zip(guesses[0].tolist(), chances[0].tolist(), strict=True)
        found.append(Answer(sentence, tuple((words.tokens[i], p) for i, p in pairs), right))
    return found


@torch.no_grad()
def look_at_a_sentence(net: nn.Module) -> HeadPicture:
    """Record the attention at the first of `BLANKS`."""
    net = with_standard_layers(net)
    encoding = corpus.tokenizer().encode(BLANKS[0][0])
    with record(net) as recording:
        net(torch.tensor([encoding.ids]))
    weights = torch.stack([each[0] for each in recording.attention])  # (layers, H, S, S)
    return HeadPicture(tuple(encoding.tokens), weights)


def _key(parts: Iterable[object], *more: ModuleType) -> str:
    """Hash what a finished training depends on beside its settings."""
    modules = (baselines, first_looks, model, neighbour_vectors, text, recipe, *more)
    return key_of(modules, parts, text.rows().numpy().tobytes())
