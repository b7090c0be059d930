"""Right answers to speech.ctc_collapse in other styles than the model solution's."""

import itertools

import torch


def ctc_collapse_groups(ids, blank):
    return [id for id, _ in itertools.groupby(ids) if id != blank]


def ctc_collapse_loop(ids, blank):
    text, last = [], None
    for id in ids:
        if id != last and id != blank:
            text.append(id)
        last = id
    return text


def ctc_collapse_zip(ids, blank):
    return [
        id for before, id in zip([blank, *ids], ids, strict=False) if id != before and id != blank
    ]


def ctc_collapse_pairs(ids, blank):
    merged = ids[:1] + [b for a, b in itertools.pairwise(ids) if a != b]
    return list(filter(blank.__ne__, merged))


def ctc_collapse_recursive(ids, blank):
    if not ids:
        return []
    rest = ctc_collapse_recursive(ids[1:], blank)
    ends = len(ids) == 1 or ids[0] != ids[1]
    return [ids[0], *rest] if ends and ids[0] != blank else rest


def ctc_collapse_library(ids, blank):
    merged = torch.unique_consecutive(torch.tensor(ids, dtype=torch.long))
    return merged[merged != blank].tolist()


def ctc_collapse_pops(ids, blank):
    merged = list(ids)
    for place in reversed(range(1, len(merged))):
        if merged[place] == merged[place - 1]:
            merged.pop(place)
    while blank in merged:
        merged.remove(blank)
    return merged


RIGHT = (
    ctc_collapse_groups,
    ctc_collapse_loop,
    ctc_collapse_zip,
    ctc_collapse_pairs,
    ctc_collapse_recursive,
    ctc_collapse_library,
    ctc_collapse_pops,
)
