"""Right answers to embeddings.lookup in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def lookup_library(weight, ids):
    return F.embedding(ids, weight)


def lookup_one_hot(weight, ids):
    return F.one_hot(ids, num_classes=weight.size(0)).to(weight.dtype) @ weight


def lookup_index_select(weight, ids):
    return weight.index_select(0, ids.reshape(-1)).view(*ids.shape, -1)


def lookup_loop(weight, ids):
    return torch.stack([torch.stack([weight[i] for i in row]) for row in ids])


def lookup_einsum(weight, ids):
    places = torch.arange(weight.shape[0], device=ids.device)
    return torch.einsum("bsv,vd->bsd", (ids[..., None] == places).to(weight.dtype), weight)


def lookup_gather(weight, ids):
    places = ids.reshape(-1, 1).expand(-1, weight.shape[1])
    return torch.gather(weight, 0, places).reshape(*ids.shape, weight.shape[1])


def lookup_module(weight, ids):
    table = torch.nn.Embedding(*weight.shape, _weight=weight.detach())
    return torch.func.functional_call(table, {"weight": weight}, (ids,))


RIGHT = (
    lookup_library,
    lookup_one_hot,
    lookup_index_select,
    lookup_loop,
    lookup_einsum,
    lookup_gather,
    lookup_module,
)
