"""Right answers to vision.patchify in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def patchify_library(images, patch):
    """PyTorch's own: F.unfold gives (B, C * patch * patch, N), each column as (C, patch, patch)."""
    if images.shape[-1] % patch or images.shape[-2] % patch:
        raise ValueError(f"{tuple(images.shape)} does not divide by {patch}")
    return F.unfold(images, patch, stride=patch).transpose(1, 2)


def patchify_windows(images, patch):
    """Tensor.unfold along each side: a view with the windows at the end."""
    H, W = images.shape[-2:]
    if H % patch != 0 or W % patch != 0:
        raise ValueError(f"{H} x {W} by {patch}")
    x = images.unfold(2, patch, patch).unfold(
        3, patch, patch
    )  # (B, C, rows, columns, patch, patch)
    return x.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)


def patchify_loop(images, patch):
    batch, _, height, width = images.shape
    patches = []
    for top in range(0, height, patch):
        for left in range(0, width, patch):
            piece = images[:, :, top : top + patch, left : left + patch]
            if piece.shape[-2:] != (patch, patch):
                raise ValueError(f"the last patch would be {tuple(piece.shape[-2:])}")
            patches.append(piece.reshape(batch, -1))
    return torch.stack(patches, dim=1)


def patchify_splits(images, patch):
    for side in images.shape[2:]:
        if side // patch * patch != side:
            raise ValueError(f"side {side} is no multiple of {patch}")
    strips = torch.stack(images.split(patch, dim=2), dim=1)  # (B, rows, C, patch, width)
    pieces = torch.stack(strips.split(patch, dim=4), dim=2)  # (B, rows, columns, C, patch, patch)
    return pieces.flatten(1, 2).flatten(2)


def patchify_einsum(images, patch):
    rows, below = divmod(images.shape[2], patch)
    columns, beside = divmod(images.shape[3], patch)
    if below or beside:
        raise ValueError(f"{below} rows and {beside} columns of pixels are left over")
    x = images.unflatten(3, (columns, patch)).unflatten(2, (rows, patch))
    return torch.einsum("bcrpsq->brscpq", x).reshape(len(images), rows * columns, -1)


def patchify_gathered(images, patch):
    """The place of each number, by index arithmetic."""
    _, c, h, w = images.shape
    if any(side % patch for side in (h, w)):
        raise ValueError(f"{h} and {w} should be multiples of {patch}")
    device = images.device
    top = torch.arange(0, h, patch, device=device).repeat_interleave(w // patch)  # (N,)
    left = torch.arange(0, w, patch, device=device).repeat(h // patch)  # (N,)
    within = torch.arange(patch, device=device)
    y = top[:, None, None, None] + within[:, None]  # (N, 1, patch, 1)
    x = left[:, None, None, None] + within  # (N, 1, 1, patch)
    channel = torch.arange(c, device=device)[:, None, None]  # (C, 1, 1)
    return images[:, channel, y, x].flatten(2)


def patchify_convolution(images, patch):
    """A convolution whose filters each pick one number."""
    channels = images.shape[1]
    if images.shape[2] % patch or images.shape[3] % patch:
        raise ValueError(f"the sides {tuple(images.shape[2:])} are no multiples of {patch}")
    size = channels * patch * patch
    pick = torch.eye(size, dtype=images.dtype, device=images.device)
    x = F.conv2d(images, pick.reshape(size, channels, patch, patch), stride=patch)
    return x.flatten(2).mT


RIGHT = (
    patchify_library,
    patchify_windows,
    patchify_loop,
    patchify_splits,
    patchify_einsum,
    patchify_gathered,
    patchify_convolution,
)
