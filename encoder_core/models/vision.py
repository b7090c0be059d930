"""The encoder on images: cut into patches, each patch a token.

Source: Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words: Transformers for Image Recognition
at Scale", section 3.1, equations 1 to 4.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from encoder_core.models.pooling import Pooling, pooling_function
from encoder_core.models.text_encoder import fresh_encoder

__all__ = ["VisionTransformer", "patchify", "unpatchify"]


def patchify(images: Tensor, patch: int) -> Tensor:
    """Cut images into square patches and lay each out flat.

    Args:
        images: `(B, C, height, width)`.
        patch: P, the side of a patch in pixels.

    Returns:
        `(B, N, C * P * P)`: N patches, row by row, each flattened as `(C, P, P)`.

    Raises:
        ValueError: height or width is no multiple of `patch`.

    Source: Dosovitskiy et al. 2021, section 3.1.

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
    """Put patches together again: the inverse of `patchify`.

    Args:
        patches: `(B, N, C * P * P)`.
        patch: P.
        height: of the images, in pixels.
        width: likewise.

    Returns:
        `(B, C, height, width)`.

    Raises:
        ValueError: the sizes do not fit one another.

    Source: Dosovitskiy et al. 2021, section 3.1.

    >>> images = torch.randn(2, 3, 4, 6)
    >>> torch.equal(unpatchify(patchify(images, 2), 2, height=4, width=6), images)
    True
    """
    batch, count, size = patches.shape
    if patch < 1 or height % patch or width % patch or size % (patch * patch):
        raise ValueError(f"Patches of size {size} and side {patch} make no {height} x {width}.")
    rows, columns, channels = height // patch, width // patch, size // (patch * patch)
    if rows * columns != count:
        raise ValueError(
            f"An image of {height} x {width} has {rows * columns} patches of side {patch}, "
            f"but {count} came."
        )
    x = patches.reshape(batch, rows, columns, channels, patch, patch)  # (B, rows, columns, C, P, P)
    x = x.permute(0, 3, 1, 4, 2, 5)  # (B, C, rows, P, columns, P)
    return x.reshape(batch, channels, height, width)  # (B, C, height, width)


class VisionTransformer(nn.Module):
    """Patches, a class token, learned positions, a pre-norm encoder, and a classifier.

    Args:
        image_size: height and width in pixels, or both.
        patch: P, the side of a patch; both sides are multiples of it.
        classes: how many labels; 0 for none, then the pooled vector is what comes out.
        d_model: D.
        nhead: H, a divisor of D.
        num_layers: how many layers, each initialised by itself.
        dim_feedforward: F; four times D where not given.
        channels: C, 3 for colour and 1 for grey.
        pooling: `"first"`, the paper's class token; `"mean"` or `"max"` over the patches instead,
            then there is no class token.
        dropout: on the embedded patches and in every layer.
        layer_norm_eps: of all normalisations.

    Shapes: images `(B, C, height, width)` to logits `(B, classes)`.

    Raises:
        ValueError: a side is no multiple of `patch`; in `forward`, images of another size.

    Source: Dosovitskiy et al. 2021, equations 1 to 4 and appendix B.1 (dropout).

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
        self.positions = nn.Parameter(torch.empty(1, count, d_model).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.encoder = fresh_encoder(
            num_layers, d_model, nhead, dim_feedforward or 4 * d_model, dropout,
            layer_norm_eps=layer_norm_eps,
        )  # fmt: skip
        self.classifier = nn.Linear(d_model, classes) if classes else nn.Identity()

    def features(self, images: Tensor) -> Tensor:
        """Encode images `(B, C, height, width)` to one vector for each token, `(B, N or N + 1, D)`.

        Raises:
            ValueError: images of another size than the model was made for.

        >>> model = VisionTransformer(image_size=8, patch=4, classes=10, d_model=16, nhead=2)
        >>> model.features(torch.randn(5, 3, 8, 8)).shape
        torch.Size([5, 5, 16])
        """
        if images.shape[1:] != self.expected:
            raise ValueError(
                f"This model was made for images (batch, {', '.join(map(str, self.expected))}); "
                f"got {tuple(images.shape)}."
            )
        x = self.embed(patchify(images, self.patch))  # (B, N, D)
        if self.class_token is not None:
            x = torch.cat((self.class_token.expand(len(x), -1, -1), x), dim=1)  # (B, N + 1, D)
        hidden: Tensor = self.encoder(self.dropout(x + self.positions))  # (B, N + 1, D)
        return hidden

    def forward(self, images: Tensor) -> Tensor:
        """Classify images `(B, C, height, width)`: logits `(B, classes)`."""
        logits: Tensor = self.classifier(self.pool(self.features(images), None))
        return logits
