"""The stack lab's tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from course.labs.challenges import Challenge, Tasks
from course.labs.stack.compute import Walk
from course.labs.stack.settings import DEEPEST, Selection, Settings

FIRST, ALIKE, LONGER, LEVEL, EXPLODED = 3, 0.99, 100, 1.5, 1000


def _this(lab: Any) -> tuple[Settings, Walk]:
    asked, _, walks = lab.pictured()
    return asked, walks[0]


def _one(lab: Any) -> bool:
    """After three layers at most, different tokens are one."""
    _, walk = _this(lab)
    different = len(set(walk.labels)) > 3  # [CLS], [SEP] and two words
    return different and bool((walk.similarity[: FIRST + 1] > ALIKE).any())


def _longer(lab: Any) -> bool:
    """The vectors grow a hundredfold from the input to the top."""
    _, walk = _this(lab)
    first, last = float(walk.norms[0]), float(walk.norms[-1])
    return bool(np.isfinite(last)) and last > LONGER * first


def _level(lab: Any) -> bool:
    """The deepest stack, and its gradients are nearly equal."""
    _, walk = _this(lab)
    sizes = walk.gradients
    known = walk.depth == DEEPEST and bool(np.isfinite(sizes).all()) and float(sizes.min()) > 0
    return known and float(sizes.max() / sizes.min()) < LEVEL


def _exploded(lab: Any) -> bool:
    """The first layer's gradient is a thousand times the last one's."""
    _, walk = _this(lab)
    first, last = float(walk.gradients[0]), float(walk.gradients[-1])
    return bool(np.isfinite(first)) and last > 0 and first > EXPLODED * last


def _trained(lab: Any) -> bool:
    """The layer of the pretrained encoder after which the tokens are most alike is chosen."""
    seen: tuple[Settings, Selection, Sequence[Walk]] = lab.pictured()
    asked, chosen, walks = seen
    if not asked.minilm or chosen.encoder != 1 or len(walks) < 2:
        return False
    return int(walks[1].similarity.argmax()) == chosen.layer_shown


TASKS = Tasks(
    "stack",
    (
        Challenge(
            "one",
            "Make all tokens one within three layers: a mean cosine of more than 0.99, in a text of "
            "different words.",
            "What carries a token past attention, which mixes it with all others?",
            "Attention makes each token a mean of all. Without the sum nothing of its own is left, and "
            "after two layers all are one. Layer norms don't help against that. They help the "
            "gradient: in 12 layers with neither, the first gets a gradient 5,000 times smaller than the last.",
            _one,
        ),
        Challenge(
            "longer",
            "Let the vectors grow more than a hundredfold from the input to the top, and stay finite.",
            "Every layer adds to the sum. What shortens it again, and where must that not stand?",
            "Where no norm stands after the sum, nothing shortens what each layer adds to. Without "
            "norms, Xavier's first weights make a vector longer by about a third with each layer, "
            "1,000 times in 24.",
            _longer,
        ),
        Challenge(
            "level",
            "Make the gradients of 24 layers level: the largest less than 1.5 times the smallest.",
            "The weights with which BERT began are small.",
            "With N(0, 0.02²) each layer adds next to nothing at first, so a gradient goes through "
            "the sums nearly unchanged. Of the difference between pre-norm and post-norm little is "
            "left then.",
            _level,
        ),
        Challenge(
            "exploded",
            "Let the gradient explode on its way back: the first layer gets more than 1,000 times what "
            "the last one gets.",
            "Weights of N(0, 1) are far too large. Does it matter where the norm stands?",
            "One step size can't serve both ends of such a stack. With the large weights and 12 layers, "
            "pre-norm comes out far above post-norm, where each norm takes the length back; how far, "
            "depends on the sentence and the seed.",
            _exploded,
        ),
        Challenge(
            "trained",
            "Put the trained encoder beside it, and choose the layer after which its tokens are most "
            "alike.",
            "Tick it under “Compare with”. The arrow keys up and down go to its line, left and right "
            "along it.",
            "A trained encoder keeps its tokens apart: MiniLM ends at a cosine of 0.4, where an "
            "untrained post-norm stack of 12 layers has 0.95. Its gradients are level all the same, "
            "within a factor of 3.",
            _trained,
        ),
    ),
)
