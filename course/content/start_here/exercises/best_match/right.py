"""Right answers to start_here.best_match in other styles than the model solution's."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def best_match_library(question: Tensor, passages: Tensor) -> int:
    return F.cosine_similarity(passages, question.unsqueeze(0), dim=-1).argmax().item()


def best_match_normalize(question, passages):
    return int(torch.argmax(F.normalize(passages, dim=1) @ F.normalize(question, dim=0)))


def best_match_loop(question, passages):
    best, place = -math.inf, 0
    for i, passage in enumerate(passages):
        length = passage.norm() * question.norm()
        similarity = float(passage @ question / length) if length > 0 else 0.0
        if similarity > best:
            best, place = similarity, i
    return place


def best_match_max_by_key(question: Tensor, passages: Tensor) -> int:
    def similarity(i: int) -> float:
        length = math.sqrt(sum(v * v for v in passages[i].tolist()))
        product = sum(a * b for a, b in zip(passages[i].tolist(), question.tolist(), strict=True))
        return product / length if length else 0.0

    return max(range(len(passages)), key=similarity)


def best_match_einsum(question, passages):
    lengths = passages.pow(2).sum(-1).sqrt()
    cosines = torch.einsum("nd,d->n", passages, question) / lengths
    return torch.nan_to_num(cosines, nan=0.0).argmax().tolist()


def best_match_topk(question, passages):
    lengths = torch.linalg.vector_norm(passages, dim=-1).clamp(min=1e-6)
    similarities = torch.mv(passages, question) / lengths
    return int((similarities == similarities.max()).nonzero()[0, 0])


def best_match_sorted(question, passages):
    scores = []
    for i in range(passages.shape[0]):
        length = torch.sqrt((passages[i].double() ** 2).sum())
        product = (passages[i].double() * question.double()).sum()
        scores.append((0.0 if length == 0 else -float(product / length), i))
    return sorted(scores)[0][1]


def best_match_max(question, passages):
    lengths = passages.norm(dim=1, keepdim=True)
    rows = passages / lengths.masked_fill(lengths == 0, 1)
    return int((question * rows).sum(dim=1).max(dim=0).indices)


def best_match_index_of_max(question, passages):
    q = question / question.norm() if question.norm() > 0 else question
    sims = []
    for row in passages:
        n = row.norm()
        sims.append((row @ q / n).item() if n > 0 else 0.0)
    return sims.index(max(sims))


def best_match_enumerated(question, passages):
    sim = F.cosine_similarity(question, passages, dim=-1)
    best = max(enumerate(sim.tolist()), key=lambda p: p[1])
    return best[0]


RIGHT = (
    best_match_library,
    best_match_normalize,
    best_match_loop,
    best_match_max_by_key,
    best_match_einsum,
    best_match_topk,
    best_match_sorted,
    best_match_max,
    best_match_index_of_max,
    best_match_enumerated,
)
