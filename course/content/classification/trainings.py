"""The trainings of chapter 06: an encoder from scratch, and MiniLM's upper layers, on the same docstrings."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType

import torch
from torch import Tensor, nn

from course import datasets
from course.content.classification.experiments import few, from_scratch, tuning
from course.content.classification.experiments.from_scratch import CLASSES, figures, tokenizer
from course.datasets import Dataset, Example
from course.datasets.python_docs import neighbour_vectors
from course.labs import with_standard_layers
from course.training import Answer, HeadPicture, Settings, Training
from course.training.own_parts import any_is_the_learners, fitting_positions, key_of, whose_parts
from encoder_core.inspect.recording import record

__all__ = ["CLASSES", "LINE", "baselines", "docstring_classifier", "tokenizer", "tuned_minilm"]

LINE = "Copy a file to another place, and keep its permissions."  # the chapter's example
ASKED = 5  # held-out docstrings that the theatre shows beside it, each of another class
SHOWN = 3  # guesses of each


def docstring_classifier(
    layer: Callable[..., nn.Module] | None = None,
    masked_mean: Callable[[Tensor, Tensor], Tensor] | None = None,
    data: Dataset | None = None,
) -> Training:
    """Describe the training of a small encoder from scratch.

    Args:
        layer: a class of encoder layers, such as the learner's; `encoder_core`'s if None.
        masked_mean: pools hidden `(B, S, D)` with padding `(B, S)` to `(B, D)`.
        data: "docstring-families" or a part of it; all of it if None.
    """
    data = data or datasets.load("docstring-families")
    own = {"EncoderLayer": layer, "masked_mean": masked_mean}
    settings = Settings(
        **from_scratch.SETTINGS, positions=fitting_positions(layer), more={"first_vectors": True}
    )
    return Training(
        name="classification.docstrings",
        title="A small encoder learns the families of docstrings, from scratch",
        settings=settings,
        build=functools.partial(_build, layer, masked_mean),
        data=from_scratch.rows(data.train),
        collate=from_scratch.hide,
        loss=from_scratch.loss,
        evaluate=functools.partial(_evaluate, data.validation),
        figure="accuracy",
        baselines={
            name: found["accuracy"] for name, found in baselines(data, "validation").items()
        },
        test=functools.partial(_evaluate, data.test),
        examples=functools.partial(_answers, data),
        head=_look_at_the_line,
        parts=whose_parts(own),
        key=_key((from_scratch, neighbour_vectors), own.values(), data),
        reference=functools.partial(_build, None, None) if any_is_the_learners(own) else None,
    )


def tuned_minilm(data: Dataset) -> Training:
    """Describe the fine-tuning of MiniLM's upper layers on the training part of "docstring-families".

    The model is a `tuning.Upper`; `settings.num_layers` of MiniLM's six layers are trained. `data` may hold
    few examples, as `Dataset.few` draws them.
    """
    settings = Settings(
        **tuning.SETTINGS, d_model=384, nhead=12, dim_feedforward=1536, positions="learned"
    )
    parts = {
        name: tuning.Lower(getattr(data, name), 6 - settings.num_layers)
        for name in ("train", "validation", "test")
    }
    return Training(
        name="classification.minilm",
        title="MiniLM's upper layers learn the families of docstrings",
        settings=settings,
        build=lambda settings: tuning.build(data, settings.num_layers, settings.dropout),
        data=parts["train"],
        collate=tuning.collate,
        loss=tuning.loss,
        evaluate=lambda net: figures(
            tuning.logits(net, parts["validation"]).argmax(dim=-1), data.validation
        ),
        figure="accuracy",
        test=lambda net: figures(tuning.logits(net, parts["test"]).argmax(dim=-1), data.test),
        key=_key((few, tuning), (), data),
    )


def baselines(data: Dataset, split: str = "test") -> dict[str, dict[str, float]]:
    """Score what needs no encoder on a split: accuracy and macro F1 of each."""
    examples: Sequence[Example] = getattr(data, split)
    labels = torch.tensor([each.label for each in data.train])
    largest = torch.bincount(labels).argmax().expand(len(examples))
    counted = torch.from_numpy(few.tf_idf(data).predicted(examples))
    return {
        "always the largest class": figures(largest, examples),
        "TF-IDF": figures(counted, examples),
    }


def _build(
    layer: Callable[..., nn.Module] | None,
    masked_mean: Callable[[Tensor, Tensor], Tensor] | None,
    settings: Settings,
) -> nn.Module:
    model = from_scratch.build(
        **settings.arguments(layer=layer),
        positions=settings.positions,
        pool=masked_mean,
    )
    if settings.more["first_vectors"]:
        from_scratch.start_from_neighbours(model)
    return model


def _evaluate(examples: Sequence[Example], net: nn.Module) -> dict[str, float]:
    return figures(from_scratch.logits(net, examples).argmax(dim=-1), examples)


@functools.cache
def _asked(data_name: str) -> list[Example]:
    """Short validation docstrings, one of each class but that of the chapter's line."""
    data = datasets.load(data_name)
    short = [each for each in data.validation if 9 <= len(each.text.split()) <= 13]
    of_class = [[each for each in short if each.label == label] for label in range(len(CLASSES))]
    return [each[0] for each in of_class if each][:ASKED]


@torch.no_grad()
def _answers(data: Dataset, net: nn.Module) -> Sequence[Answer]:
    """Answer the chapter's line and a few docstrings of validation."""
    line = Example(LINE, CLASSES.index("files and system"), "")
    asked = [line, *_asked(data.name)]
    chances, guesses = from_scratch.logits(net, asked).softmax(dim=-1).topk(SHOWN)  # (N, 3) each
    return [
        Answer(
            example.text,
            tuple((CLASSES[i], p) for i, p in zip(row.tolist(), chance.tolist(), strict=True)),
            CLASSES[example.label or 0],
        )
        for example, row, chance in zip(asked, guesses, chances, strict=True)
    ]


@torch.no_grad()
def _look_at_the_line(net: nn.Module) -> HeadPicture:
    """Record the attention at the chapter's line."""
    net = with_standard_layers(net)
    encoding = tokenizer().encode(LINE)
    with record(net) as recording:
        net(torch.tensor([encoding.ids]))
    weights = torch.stack([each[0] for each in recording.attention])  # (layers, H, S, S)
    return HeadPicture(tuple(encoding.tokens), weights)


def _key(modules: Iterable[ModuleType], parts: Iterable[object], data: Dataset) -> str:
    """Hash what a finished training depends on beside its settings: code, parts and examples."""
    splits = (data.train, data.validation, data.test)
    return key_of(modules, parts, *(repr(examples).encode() for examples in splits))
