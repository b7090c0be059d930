"""Right answers to efficient.repad in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def repad_assigned(packed, indices, batch, length):
    x = torch.zeros(batch * length, packed.size(1), dtype=packed.dtype, device=packed.device)
    x[indices] = packed
    return x.view(batch, length, packed.size(1))


def repad_pairs(packed, indices, batch, length):
    x = packed.new_zeros((batch, length, packed.shape[1]))
    rows, places = indices // length, indices % length
    return x.index_put((rows, places), packed)


def repad_scattered(packed, indices, batch, length):
    width = packed.shape[-1]
    x = (
        torch.zeros_like(packed[:1, :1]).expand(batch * length, width)
        if len(packed)
        else packed.new_zeros(batch * length, width)
    )
    return x.scatter(0, indices.unsqueeze(-1).expand(-1, width), packed).unflatten(
        0, (batch, length)
    )


def repad_gathered(packed, indices, batch, length):
    """Each place takes its token, and padding takes a token of zeros that is added for it."""
    with_zero = torch.cat([packed, packed.new_zeros(1, packed.shape[-1])])
    source = indices.new_full((batch * length,), len(packed))
    source[indices] = torch.arange(len(packed), device=packed.device)
    return with_zero[source].reshape(batch, length, packed.shape[-1])


def repad_added(packed, indices, batch, length):
    zeros = packed.new_zeros(batch * length, packed.shape[-1])
    return zeros.index_add(0, indices, packed).reshape((batch, length, packed.shape[-1]))


def repad_one_hot(packed, indices, batch, length):
    """A matrix of zeros and ones, (B * S, N), times the tokens."""
    places = F.one_hot(indices, batch * length).to(packed.dtype).T
    return torch.stack((places @ packed).split(length))


def repad_masked(packed, indices, batch, length):
    """Right for indices that rise."""
    real = torch.zeros(batch * length, dtype=torch.bool, device=packed.device)
    real[indices] = True
    x = packed.new_zeros(batch * length, packed.shape[-1])
    return x.masked_scatter(real[:, None], packed).reshape(batch, length, packed.shape[-1])


RIGHT = (
    repad_assigned,
    repad_pairs,
    repad_scattered,
    repad_gathered,
    repad_added,
    repad_one_hot,
    repad_masked,
)
