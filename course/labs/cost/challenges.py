"""The cost lab's tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.cost.compute import Shown
from course.labs.cost.settings import Settings, preset_of

NEAR = 0.02
TEXTS, TOKENS, GIGABYTES = 32, 1024, 16
LONG = 512


def _seen(lab: Any) -> tuple[Settings, Shown]:
    asked, _, shown = lab.pictured()
    return asked, shown


def _as_much(lab: Any) -> bool:
    """The products of attention and those of the feed-forward network cost the same."""
    _, shown = _seen(lab)
    flops = {cost.part: cost.flops for cost in shown.costs}
    square = sum(flops.get(part, 0) for part in ("attention", "scores", "weighted values"))
    inner = flops["feed-forward 1"] + flops["feed-forward 2"]
    return abs(square - inner) <= NEAR * inner


def _starved(lab: Any) -> bool:
    """The feed-forward network's products wait for memory."""
    _, shown = _seen(lab)
    waiting = {cost.part for cost in shown.waits_for_memory()}
    return {"feed-forward 1", "feed-forward 2"} <= waiting


def _fits(lab: Any) -> bool:
    """A training of BERT-base on long texts fits."""
    asked, shown = _seen(lab)
    large = asked.batch >= TEXTS and asked.length >= TOKENS
    trains = asked.training and preset_of(asked) == "bert-base"
    return trains and large and shown.memory.total < GIGABYTES * 1e9


def _both_kinds(lab: Any) -> bool:
    """The same settings were measured with all scores and with a fused kernel."""
    _seen(lab)
    found = {each.settings for each in lab.measurements}
    return any(
        each.length >= LONG
        and each.attention == "explicit"
        and replace(each, attention="fused") in found
        for each in found
    )


TASKS = Tasks(
    "cost",
    (
        Challenge(
            "as-much",
            "Find a length at which the products of attention, scores and weighted values, take as many "
            "FLOPs as the two products of the feed-forward network, within 2 %.",
            "Write both down: 4 · B · S · S · D for attention, 4 · B · S · D · F for the network.",
            "In a forward pass the length equals dim_feedforward. Batch, heads and layers cancel, and so does "
            "d_model.",
            _as_much,
        ),
        Challenge(
            "starved",
            "Find a setting in which both products of the feed-forward network wait for memory.",
            "A weight is read once, however many tokens it serves. Serve few.",
            "With N tokens a product takes about N / 2 operations for each byte of float32 weights. One short "
            "text alone can't keep the machine busy: that is why requests are served in batches.",
            _starved,
        ),
        Challenge(
            "fits",
            f"Train BERT-base on batches of {TEXTS} texts of {TOKENS:,} tokens in less than {GIGABYTES} GB.",
            "Look at the memory. What is largest, and which two controls make it smaller?",
            "Fused attention keeps no scores for the backward pass, and half precision halves what is left. "
            "Weights and optimizer take 1.4 GB, whatever the batch.",
            _fits,
        ),
        Challenge(
            "both-kinds",
            f"Measure a layer twice, at a length of {LONG} or more: with all scores at once, and fused. "
            "Say before which one is faster, and by how much.",
            "Press “Measure this”, change the attention and nothing else, and press it again.",
            "Both compute the same FLOPs. The fused kernel moves fewer bytes; whether that makes it faster "
            "here depends on how well its small products use this machine.",
            _both_kinds,
        ),
    ),
)
