"""Distort images as another hand would: turned, slanted, scaled, shifted, bent, each a little.

Sources: Simard, Steinkraus and Platt 2003, "Best Practices for Convolutional Neural Networks Applied
to Visual Document Analysis", section 2 (affine and elastic distortions of digits).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["distort"]

TURN = 0.2  # radians, at most
SLANT = 0.2
SCALE = 0.1  # the logarithm of the factor
SHIFT = 0.7  # pixels
BEND = 0.3  # pixels, the standard deviation at each of 4 x 4 points


def distort(images: Tensor) -> Tensor:
    """Return another version of images `(B, H, W)`, 0 outside; torch's generator draws it."""
    count, height, width = images.shape
    pixel = 2 / width  # of grid_sample's units

    def draw(most: float) -> Tensor:
        return (2 * torch.rand(count) - 1) * most

    turn, slant = draw(TURN), draw(SLANT)
    wide, high = draw(SCALE).exp(), draw(SCALE).exp()
    across = torch.stack((turn.cos() * wide, slant - turn.sin() * high, draw(SHIFT) * pixel), -1)
    down = torch.stack((turn.sin() * wide, turn.cos() * high, draw(SHIFT) * pixel), -1)
    affine = torch.stack((across, down), dim=1)  # (B, 2, 3)
    grid = F.affine_grid(affine, [count, 1, height, width], align_corners=False)  # (B, H, W, 2)
    points = torch.randn(count, 2, 4, 4) * BEND * pixel
    bent = F.interpolate(points, size=(height, width), mode="bicubic", align_corners=True)
    grid = grid + bent.permute(0, 2, 3, 1)
    return F.grid_sample(images.unsqueeze(1), grid, align_corners=False).squeeze(1)
