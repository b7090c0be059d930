"""What can be set in the feed-forward lab, and what can be chosen in its pictures."""

from __future__ import annotations

from dataclasses import dataclass

from course.labs.checkpoints import MINILM
from course.labs.faults import InvalidSetting
from course.labs.feed_forward.fitting import ACTIVATIONS, CURVES, STEPS
from course.labs.settings_lab import check_whole

WIDEST, LONGEST = 32, 300
RANGES = {
    "width": (1, WIDEST, "The number of neurons"),
    "step": (0, STEPS, "The step"),
    "seed": (0, 9999, "The seed"),
}


@dataclass(frozen=True)
class Settings:
    """What the pictures follow from: the curve and its network, and the sentence."""

    curve: str = "wave"
    width: int = 8
    activation: str = "relu"
    step: int = STEPS
    seed: int = 0
    text: str = "The bridge is not safe, and nobody has repaired it."
    checkpoint: str = MINILM


@dataclass(frozen=True)
class Selection:
    """What is looked at in the pretrained encoder: a layer, one of its neurons, a token of the sentence."""

    layer: int = 3
    neuron: int = 318
    token: int = 3


def check_settings(settings: Settings) -> None:
    """Say in a sentence what cannot be.

    Raises:
        InvalidSetting: the first setting that cannot be.
    """
    check_whole(settings, RANGES)
    for name, known in (("curve", CURVES), ("activation", ACTIVATIONS)):
        value = getattr(settings, name)
        if value not in known:
            raise InvalidSetting(f"The {name} must be one of {', '.join(known)}, not {value!r}.")
    if not isinstance(settings.text, str) or not settings.text.strip():
        raise InvalidSetting("There is no text; type a few words.")
    if len(settings.text) > LONGEST:
        raise InvalidSetting(f"The text is longer than {LONGEST} letters; shorten it.")
