"""The Vision Transformer: an image cut into patches, each patch a token.

Source: Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words: Transformers for Image Recognition
at Scale", section 3.1, equations 1 to 4.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.fresh import LayerMaker, fresh_encoder
from encoder_core.models.pooling import Pooling, pooling_function
from encoder_core.models.position_choice import read_positions

__all__ = ["VisionTransformer", "patchify", "unpatchify"]


def patchify(images: Tensor, patch: int) -> Tensor:
    """Cut images `(B, C, height, width)` into N square patches: `(B, N, C * P * P)`.

    Patches are in row-major order, each flattened as `(C, P, P)`. Raises ValueError if the height or
    the width is not a multiple of `patch`, P pixels.

    >>> patchify(torch.arange(8).reshape(1, 1, 2, 4), patch=2).tolist()
    [[[0, 1, 4, 5], [2, 3, 6, 7]]]
    """
    batch, channels, height, width = images.shape
    if patch < 1 or height % patch or width % patch:
        raise ValueError(
            f"An image of {height} x {width} pixels cannot be cut into patches of {patch} x {patch}"
            ": both sides must be multiples. Resize or pad it, or choose another patch."
        )
    rows, columns = height // patch, width // patch
    x = images.reshape(batch, channels, rows, patch, columns, patch)  # (B, C, rows, P, columns, P)
    x = x.permute(0, 2, 4, 1, 3, 5)  # (B, rows, columns, C, P, P)
    return x.reshape(batch, rows * columns, channels * patch * patch)  # (B, N, C * P * P)


def unpatchify(patches: Tensor, patch: int, height: int, width: int) -> Tensor:
    """Invert `patchify`: `(B, N, C * P * P)` to `(B, C, height, width)`.

    Raises ValueError if the sizes do not match.
    """
    batch, count, size = patches.shape
    if patch < 1 or height % patch or width % patch or size % (patch * patch):
        raise ValueError(
            f"Patches of size {size} and side {patch} cannot form an image of {height} x {width}."
        )
    rows, columns, channels = height // patch, width // patch, size // (patch * patch)
    if rows * columns != count:
        raise ValueError(
            f"An image of {height} x {width} has {rows * columns} patches of side {patch}, "
            f"got {count}."
        )
    x = patches.reshape(batch, rows, columns, channels, patch, patch)  # (B, rows, columns, C, P, P)
    x = x.permute(0, 3, 1, 4, 2, 5)  # (B, C, rows, P, columns, P)
    return x.reshape(batch, channels, height, width)  # (B, C, height, width)


class VisionTransformer(nn.Module):
    """Patches, class token, learned positions, a pre-norm encoder and a classifier.

    Images `(B, C, height, width)` to logits `(B, classes)`.

    Args:
        image_size: height and width in pixels, or one number for both.
        patch: P, the side of a patch in pixels, a divisor of both.
        classes: number of labels; 0 returns the pooled vector `(B, D)`.
        dim_feedforward: F; 4 D by default.
        pooling: `"first"`, the class token of the paper; `"mean"` or `"max"` over the patches, without
            a class token.
        positions: see `position_choice`. All but learned ones count along the rows of patches, one
            row after the other, with the class token at place 0: a patch is as far from the one
            below it as a row is long.
        position_std: of learned positions at the start. The paper's code starts with 0.02.
        layer: makes a layer; see `fresh_encoder`.

    Raises:
        ValueError: `patch` does not divide a side; an unknown kind of positions; in `forward`, images of another size.

    >>> model = VisionTransformer(image_size=8, patch=4, classes=10, d_model=16, nhead=2)
    >>> model(torch.randn(5, 3, 8, 8)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        image_size: int | tuple[int, int],
        patch: int,
        classes: int,
        d_model: int,
        nhead: int,
        num_layers: int = 2,
        dim_feedforward: int | None = None,
        *,
        channels: int = 3,
        pooling: Pooling = "first",
        dropout: float = 0.0,
        layer_norm_eps: float = 1e-6,
        positions: str = "learned",
        position_std: float = 0.5,  # POSITION_STD_SOURCE
        layer: LayerMaker = TransformerEncoderLayer,
    ) -> None:
        super().__init__()
        size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
        count = patchify(torch.empty(1, channels, *size, device="meta"), patch).shape[1]  # N
        self.expected, self.patch = (channels, *size), patch
        self.pool = pooling_function(pooling)
        self.embed = nn.Linear(channels * patch * patch, d_model)
        self.class_token: nn.Parameter | None = None
        if pooling == "first":
            self.class_token = nn.Parameter(torch.empty(1, 1, d_model).normal_(std=0.02))
            count += 1
        choice = read_positions(positions)
        self.positions: nn.Parameter | nn.Module | None
        if choice.added == "learned":
            table = torch.empty(1, count, d_model).normal_(std=position_std)
            self.positions = nn.Parameter(table)
        else:
            self.positions = choice.make_added(d_model, count)
        self.dropout = nn.Dropout(dropout)
        self.encoder = fresh_encoder(
            num_layers, d_model, nhead, dim_feedforward or 4 * d_model, dropout,
            layer_norm_eps=layer_norm_eps, positions=positions, layer=layer,
        )  # fmt: skip
        self.classifier = nn.Linear(d_model, classes) if classes else nn.Identity()

    def features(self, images: Tensor) -> Tensor:
        """Return the hidden vectors of images, `(B, N, D)`, with the class token first where there is one.

        Raises ValueError for images of another size than the model's.
        """
        if images.shape[1:] != self.expected:
            raise ValueError(
                f"This model takes images (batch, {', '.join(map(str, self.expected))}); "
                f"got {tuple(images.shape)}."
            )
        x = self.embed(patchify(images, self.patch))  # (B, N, D)
        if self.class_token is not None:
            x = torch.cat((self.class_token.expand(len(x), -1, -1), x), dim=1)  # (B, N + 1, D)
        if isinstance(self.positions, nn.Module):
            x = self.positions(x)
        elif self.positions is not None:
            x = x + self.positions
        hidden: Tensor = self.encoder(self.dropout(x))  # (B, N + 1, D)
        return hidden

    def forward(self, images: Tensor) -> Tensor:
        """Return logits `(B, classes)` for images `(B, C, height, width)`."""
        logits: Tensor = self.classifier(self.pool(self.features(images), None))
        return logits
