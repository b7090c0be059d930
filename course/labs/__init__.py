"""The live explorers: move something, and see at once what an encoder does with it.

>>> from course import labs
>>> lab = labs.AttentionLab()  # the last line of a cell shows it

Each lab has three parts: ``compute`` turns settings into arrays and knows nothing of widgets, a
view packs arrays into what is sent, and the widget joins the two. All labs share one front end,
``front``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course.labs.attention.widget import AttentionLab
    from course.labs.cost.widget import CostLab
    from course.labs.decoding.widget import DecodingLab
    from course.labs.embedding.widget import EmbeddingLab
    from course.labs.feed_forward.widget import FeedForwardLab
    from course.labs.masked_word.widget import MaskedWordLab
    from course.labs.position.widget import PositionLab
    from course.labs.search.widget import SearchLab
    from course.labs.shapes.widget import ShapeTracer
    from course.labs.speech.widget import SpeechLab
    from course.labs.stack.widget import StackLab
    from course.labs.standard_layers import with_standard_layers
    from course.labs.surgery.widget import SurgeryTable
    from course.labs.theatre.widget import TrainingTheatre
    from course.labs.tokenizer.widget import TokenizerLab
    from course.labs.translation.widget import TranslationLab
    from course.labs.vision.widget import VisionLab

__all__ = [
    "AttentionLab",
    "CostLab",
    "DecodingLab",
    "EmbeddingLab",
    "FeedForwardLab",
    "MaskedWordLab",
    "PositionLab",
    "SearchLab",
    "ShapeTracer",
    "SpeechLab",
    "StackLab",
    "SurgeryTable",
    "TokenizerLab",
    "TrainingTheatre",
    "TranslationLab",
    "VisionLab",
    "with_standard_layers",
]

_HOMES = {
    "AttentionLab": "course.labs.attention.widget",
    "CostLab": "course.labs.cost.widget",
    "DecodingLab": "course.labs.decoding.widget",
    "EmbeddingLab": "course.labs.embedding.widget",
    "FeedForwardLab": "course.labs.feed_forward.widget",
    "MaskedWordLab": "course.labs.masked_word.widget",
    "PositionLab": "course.labs.position.widget",
    "SearchLab": "course.labs.search.widget",
    "ShapeTracer": "course.labs.shapes.widget",
    "SpeechLab": "course.labs.speech.widget",
    "StackLab": "course.labs.stack.widget",
    "SurgeryTable": "course.labs.surgery.widget",
    "TokenizerLab": "course.labs.tokenizer.widget",
    "TrainingTheatre": "course.labs.theatre.widget",
    "TranslationLab": "course.labs.translation.widget",
    "VisionLab": "course.labs.vision.widget",
    "with_standard_layers": "course.labs.standard_layers",
}


def __getattr__(name: str) -> Any:
    """Load a lab, and the widgets that it stands on, when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'course.labs' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
