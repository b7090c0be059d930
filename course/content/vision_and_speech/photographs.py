"""A Vision Transformer learns colour photographs, where the learner asks for them: CIFAR-10.

Nobody has run this on the real photographs yet: its tests have painted images in an archive of the same layout.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from course import datasets
from course.content.vision_and_speech.experiments.images.model import Patchify
from course.content.vision_and_speech.experiments.images.recipe import SETTINGS, SMOOTHING
from course.content.vision_and_speech.on_request import missing
from course.datasets.public.archives import CIFAR_10
from course.datasets.public.photographs import CHANNELS, SIDE, Photographs
from course.training import Settings, Training, train
from course.training.own_parts import any_is_the_learners, key_of, whose_parts
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.vision import VisionTransformer, patchify

__all__ = ["PATCH", "PhotoReader", "collate", "learn", "linear_baseline", "photographs", "prepare"]

PATCH = 4  # pixels: 64 patches of 48 numbers
_SHIFT = 4  # pixels at most, in each direction
_SQUARES = 8  # of the baseline, across and down
_FEW = 5000  # images that the baseline learns from
_WATCHED = 1000  # validation images that are read as the training goes on
_TOGETHER = 500  # images that are read at once


class PhotoReader(VisionTransformer):
    """A Vision Transformer for images `(B, 3, 32, 32)` that averages its patches' vectors.

    Args:
        cut: cuts images into patches; called as `vision.patchify`.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        num_layers: int,
        dim_feedforward: int,
        *,
        dropout: float = 0.0,
        cut: Patchify = patchify,
        layer: Callable[..., nn.Module] = TransformerEncoderLayer,
    ) -> None:
        super().__init__(
            SIDE, PATCH, len(CIFAR_10.card.classes), d_model, nhead, num_layers, dim_feedforward,
            channels=CHANNELS, pooling="mean", dropout=dropout, layer=layer,
        )  # fmt: skip
        self.cut = cut

    def features(self, images: Tensor) -> Tensor:
        """Return the patches' hidden vectors `(B, N, D)`."""
        x = self.embed(self.cut(images, self.patch))  # (B, N, D)
        assert isinstance(self.positions, nn.Parameter)
        hidden: Tensor = self.encoder(self.dropout(x + self.positions))
        return hidden


def learn(
    layer: Callable[..., nn.Module] | None = None,
    cut: Patchify | None = None,
    *,
    download: bool = False,
    **changes: Any,
) -> str:
    """Train on the photographs and return what it reaches as a text, or why there is none.

    Args:
        layer: a class of encoder layers, such as the learner's; `encoder_core`'s if None.
        cut: cuts the images, such as the learner's `patchify`; `encoder_core`'s if None.
        download: fetch the photographs where they are not here yet.
        changes: of the settings.
    """
    try:
        data = datasets.load(CIFAR_10.card.name, download=download)
    except (FileNotFoundError, ValueError) as error:
        return missing(CIFAR_10.card, error, download=download)
    assert isinstance(data, Photographs)
    training = photographs(data, layer, cut)
    trained = train(training, training.settings.changed(**changes))
    rights = _read(trained.model, *data.tensors(data.test))  # (N,)
    labels = data.tensors(data.test)[1]
    by_class = {
        name: float(rights[labels == label].double().mean())
        for label, name in enumerate(data.classes)
    }
    best, worst = max(by_class, key=by_class.__getitem__), min(by_class, key=by_class.__getitem__)
    return "\n".join(
        [
            f"{trained.settings.steps:,} updates in {trained.seconds:.0f} s, {len(data.train):,} photographs",
            f"photographs never seen: {float(rights.double().mean()):.1%} right",
            f"best: {best} {by_class[best]:.1%}, worst: {worst} {by_class[worst]:.1%}",
            f"guessing: {1 / len(data.classes):.1%}; a linear classifier on 64 mean colours: "
            f"{linear_baseline(data):.1%}",
        ]
    )


def photographs(
    data: Photographs,
    layer: Callable[..., nn.Module] | None = None,
    cut: Patchify | None = None,
) -> Training:
    """Describe the training: the recipe of the digits, with images flipped and shifted in the place of distorted."""
    own = {"EncoderLayer": layer, "patchify": cut}
    images, labels = data.tensors(data.train)
    watched = data.tensors(data.validation[:_WATCHED])
    sum_ = hashlib.sha256(data.pixels.numpy().tobytes()).digest()
    return Training(
        name="vision.photographs",
        title="A small Vision Transformer learns photographs",
        settings=Settings(**{**SETTINGS, "batch_size": 64, "steps": 1200}),
        build=functools.partial(_build, layer, cut),
        data=tuple(zip(images, labels.tolist(), strict=True)),
        collate=collate,
        loss=_loss,
        evaluate=lambda net: {"accuracy": float(_read(net, *watched).double().mean())},
        figure="accuracy",
        parts=whose_parts(own),
        key=key_of((sys.modules[__name__],), own.values(), sum_),
        reference=functools.partial(_build, None, None) if any_is_the_learners(own) else None,
    )


def _build(
    layer: Callable[..., nn.Module] | None, cut: Patchify | None, settings: Settings
) -> nn.Module:
    return PhotoReader(**settings.arguments(layer=layer, cut=cut))


def prepare(images: Tensor) -> Tensor:
    """Make of pixels `(N, 3, 32, 32)`, uint8, what the model takes: the same shape, mean about 0."""
    return images.float() / 64 - 2


def collate(chosen: Sequence[tuple[Tensor, int]]) -> tuple[Tensor, Tensor]:
    """Make a batch of images `(B, 3, 32, 32)`, half of them flipped, each shifted, and their labels `(B,)`."""
    images = torch.stack([image for image, _ in chosen])  # (B, 3, 32, 32), uint8
    flipped = torch.rand(len(chosen)) < 0.5
    images = torch.where(flipped[:, None, None, None], images.flip(-1), images)
    wide = F.pad(prepare(images), (_SHIFT,) * 4)  # (B, 3, 40, 40)
    places = torch.randint(2 * _SHIFT + 1, (len(chosen), 2)).tolist()
    moved = [each[:, y : y + SIDE, x : x + SIDE] for each, (y, x) in zip(wide, places, strict=True)]
    return torch.stack(moved), torch.tensor([label for _, label in chosen])


def _loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.cross_entropy(net(batch[0]), batch[1], label_smoothing=SMOOTHING)


@torch.no_grad()
def _read(net: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Tell for each image whether it is read right, `(N,)`."""
    parts = zip(torch.split(images, _TOGETHER), torch.split(labels, _TOGETHER), strict=True)
    return torch.cat([net(prepare(some)).argmax(dim=-1) == right for some, right in parts])


def linear_baseline(data: Photographs) -> float:
    """Return the accuracy on the test of logistic regression on the mean colours of 8 x 8 squares."""

    def colours(images: Tensor) -> Any:
        return F.adaptive_avg_pool2d(prepare(images), _SQUARES).flatten(1).numpy()  # (N, 192)

    known, new = data.tensors(data.train[:_FEW]), data.tensors(data.test)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model.fit(colours(known[0]), known[1].numpy())
    return float(model.score(colours(new[0]), new[1].numpy()))
