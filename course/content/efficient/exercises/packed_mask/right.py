"""Right answers to efficient.packed_mask in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def packed_mask_keys_alone(documents):
    """Padding as keys is enough: as a query it has no key of its own document then."""
    differ = documents.unsqueeze(2) != documents.unsqueeze(1)
    return differ | (documents == -1).unsqueeze(1)


def packed_mask_allowed(documents):
    real = documents.ge(0)
    allowed = (
        documents[..., None].eq(documents[..., None, :]) & real[..., None] & real[..., None, :]
    )
    return allowed.logical_not()


def packed_mask_one_hot(documents):
    """Two places share a document where the product of their rows of zeros and ones is 1."""
    _, compact = documents.unique(return_inverse=True)
    places = F.one_hot(compact.long()).float() * (documents >= 0).unsqueeze(-1)
    return places @ places.transpose(1, 2) == 0


def packed_mask_loop(documents):
    batch, length = documents.shape
    mask = torch.ones(batch, length, length, dtype=torch.bool, device=documents.device)
    for b in range(batch):
        for document in set(documents[b].tolist()) - {-1}:
            own = documents[b] == document
            mask[b] &= ~(own[:, None] & own)
    return mask


def packed_mask_padding_of_its_own(documents):
    """Each place of padding becomes a document of its own, and is then kept from itself."""
    places = torch.arange(documents.shape[1], device=documents.device)
    ids = torch.where(documents < 0, -1 - places, documents)
    mask = ids[:, :, None] - ids[:, None, :] != 0
    return mask | torch.diag_embed(documents < 0)


def packed_mask_vmap(documents):
    def row(ids):
        return (ids[:, None] != ids) | (torch.minimum(ids[:, None], ids) < 0)

    return torch.vmap(row)(documents)


RIGHT = (
    packed_mask_keys_alone,
    packed_mask_allowed,
    packed_mask_one_hot,
    packed_mask_loop,
    packed_mask_padding_of_its_own,
    packed_mask_vmap,
)
