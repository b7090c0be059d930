"""Right answers to vision.unpatchify in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def unpatchify_library(patches, patch, height, width):
    """PyTorch's own: F.fold sums what overlaps, and nothing does."""
    return F.fold(patches.transpose(1, 2), (height, width), patch, stride=patch)


def unpatchify_loop(patches, patch, height, width):
    batch, _, size = patches.shape
    channels = size // patch**2
    image = patches.new_zeros(batch, channels, height, width)
    for n in range(patches.shape[1]):
        top, left = divmod(n, width // patch)
        piece = patches[:, n].reshape(batch, channels, patch, patch)
        image[:, :, top * patch : (top + 1) * patch, left * patch : (left + 1) * patch] = piece
    return image


def unpatchify_cat(patches, patch, height, width):
    pieces = patches.unflatten(2, (-1, patch, patch)).unbind(1)  # each (B, C, patch, patch)
    columns = width // patch
    rows = [torch.cat(pieces[i : i + columns], dim=3) for i in range(0, len(pieces), columns)]
    return torch.cat(rows, dim=2)


def unpatchify_einsum(patches, patch, height, width):
    x = patches.unflatten(2, (-1, patch, patch)).unflatten(1, (height // patch, -1))
    return torch.einsum("brscpq->bcrpsq", x).flatten(4, 5).flatten(2, 3)


def unpatchify_transposes(patches, patch, height, width):
    B = patches.size(0)
    x = patches.reshape(B, height // patch, width // patch, -1, patch, patch)
    x = x.movedim(3, 1).transpose(3, 4)
    return x.contiguous().view(B, -1, height, width)


def unpatchify_shuffle(patches, patch, height, width):
    """F.pixel_shuffle spreads (C * patch * patch) channels of a coarse image over the pixels."""
    grid = patches.transpose(1, 2).unflatten(2, (height // patch, width // patch))
    return F.pixel_shuffle(grid, patch)


def unpatchify_gathered(patches, patch, height, width):
    """For each pixel the patch that it stands in and its place there."""
    y = torch.arange(height, device=patches.device)[:, None]
    x = torch.arange(width, device=patches.device)
    which = (y // patch) * (width // patch) + x // patch  # (height, width)
    place = (y % patch) * patch + x % patch
    by_channel = patches.unflatten(2, (-1, patch * patch))  # (B, N, C, patch * patch)
    return by_channel[:, which, :, place].permute(2, 3, 0, 1)


RIGHT = (
    unpatchify_library,
    unpatchify_loop,
    unpatchify_cat,
    unpatchify_einsum,
    unpatchify_transposes,
    unpatchify_shuffle,
    unpatchify_gathered,
)
