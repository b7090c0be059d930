"""The Vision Transformer that reads digits, and a convolutional network of about its size.

Sources: Dosovitskiy et al. 2021 (the Vision Transformer); Lee, Lee and Song 2021, "Vision Transformer
for Small-Size Datasets", section 3.2 (patches of the shifted image beside those of the image).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.vision import VisionTransformer, patchify

__all__ = ["PAPER", "DigitReader", "convolutional", "prepare", "with_shifted"]

SIDE = 8
PAPER = -0.8  # a pixel without ink, as the models take it
INK = 1.9

Patchify = Callable[[Tensor, int], Tensor]


def prepare(images: Tensor) -> Tensor:
    """Make of pixels `(N, 8, 8)` from 0, paper, to 1, ink, what a model takes: `(N, 1, 8, 8)`, mean about 0."""
    return (PAPER + (INK - PAPER) * images).unsqueeze(1)


def with_shifted(images: Tensor) -> Tensor:
    """Add four copies, each shifted by a pixel along a diagonal: `(B, 1, 8, 8)` to `(B, 5, 8, 8)`."""
    height, width = images.shape[-2:]
    wide = F.pad(images, (1, 1, 1, 1), value=PAPER)  # (B, 1, 10, 10)
    shifted = [wide[..., y : y + height, x : x + width] for y in (0, 2) for x in (0, 2)]
    return torch.cat((images, *shifted), dim=1)


class DigitReader(VisionTransformer):
    """A Vision Transformer for images `(B, 1, 8, 8)` that averages its patches' vectors.

    Args:
        borders: let a patch of 2 x 2 pixels see the pixels around it, 4 x 4 in all.
        cut: cuts images into patches; called as `vision.patchify`.
        positions: `"learned"`, or `"none"`.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        num_layers: int,
        dim_feedforward: int,
        *,
        dropout: float = 0.0,
        positions: str = "learned",
        borders: bool = True,
        cut: Patchify = patchify,
        layer: Callable[..., nn.Module] = TransformerEncoderLayer,
    ) -> None:
        super().__init__(
            SIDE, 2, 10, d_model, nhead, num_layers, dim_feedforward, channels=5 if borders else 1,
            pooling="mean", dropout=dropout, positions=positions, layer=layer,
        )  # fmt: skip
        self.expected, self.borders, self.cut = (1, SIDE, SIDE), borders, cut

    def features(self, images: Tensor) -> Tensor:
        """Return the patches' hidden vectors `(B, N, D)`; raise ValueError for images of another size."""
        if images.shape[1:] != self.expected:
            raise ValueError(
                f"This model reads images (batch, 1, {SIDE}, {SIDE}); got {tuple(images.shape)}."
            )
        if self.borders:
            images = with_shifted(images)  # (B, 5, 8, 8)
        x = self.embed(self.cut(images, self.patch))  # (B, N, D)
        if isinstance(self.positions, nn.Parameter):
            x = x + self.positions
        hidden: Tensor = self.encoder(self.dropout(x))
        return hidden


def convolutional(width: int) -> nn.Sequential:
    """Make three convolutions of 3 x 3 pixels with batch norm, and a mean over what is left of the image."""

    def convolution(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]

    return nn.Sequential(
        *convolution(1, width), *convolution(width, width), nn.MaxPool2d(2), *convolution(width, 2 * width),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, 10),
    )  # fmt: skip
