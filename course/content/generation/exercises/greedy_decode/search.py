"""What a decoder hands to its model, and what of the likeliest text it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from course.checking.exercise import Case
from course.content.generation.exercises import toy

_BOS, _EOS = 1, 2
_TEXT = [5, 8, 6, _EOS]
Decode = Callable[[Callable[[Any], Tensor], int, int, int], Any]


def search(function: Decode, failed: Sequence[Case]) -> list[str]:
    """Sentences on the first call of the model that is not as it should be, else on the result."""
    asked: list[Any] = []
    model = toy.model(_TEXT, _BOS)

    def noted(ids: Any) -> Tensor:
        asked.append(list(ids) if isinstance(ids, list) else ids)
        return model(ids)

    written = function(noted, _BOS, _EOS, 9)
    about = f"of a model that likes {_TEXT}, with bos_id {_BOS} and eos_id {_EOS},"
    if not asked:
        return ["it never calls next_logits"]
    for step, ids in enumerate(asked):
        wanted = [_BOS, *_TEXT[:step]]
        if step >= len(_TEXT) and written == _TEXT[:-1]:
            return []  # it cuts the text afterwards
        if step >= len(_TEXT):
            return [f"{about} it asks for another token after {_TEXT}, which has ended"]
        if ids != wanted:
            return [
                f"{about} it hands next_logits {ids} at step {step + 1}, and should hand it {wanted}: "
                "the whole text so far, bos_id first"
            ]
    if written != _TEXT[:-1]:
        return [f"{about} it asks for the right tokens and returns {written}, not {_TEXT[:-1]}"]
    return []
