"""The feed-forward lab's tasks."""

from __future__ import annotations

from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.checkpoints import MINILM
from course.labs.feed_forward.compute import Shown
from course.labs.feed_forward.settings import Selection, Settings

SMALL, STRONG = 0.001, 2.0
NEGATION = (3, 318)  # layer and neuron


def _error(asked: Settings, shown: Shown) -> float:
    return float(shown.fit.losses[asked.step])


def _two_ramps(lab: Any) -> bool:
    """|x| of two ReLU neurons."""
    seen: tuple[Settings, Selection, Shown] = lab.pictured()
    asked, _, shown = seen
    fits = asked.curve == "absolute value" and asked.activation == "relu" and asked.width <= 2
    return fits and _error(asked, shown) < SMALL


def _smooth(lab: Any) -> bool:
    """The wave of at most eight neurons."""
    seen: tuple[Settings, Selection, Shown] = lab.pictured()
    asked, _, shown = seen
    return asked.curve == "wave" and asked.width <= 8 and _error(asked, shown) < SMALL


def _straight(lab: Any) -> bool:
    """A curve that a network without an activation can learn."""
    seen: tuple[Settings, Selection, Shown] = lab.pictured()
    asked, _, shown = seen
    return asked.activation == "none" and _error(asked, shown) < SMALL


def _negation(lab: Any) -> bool:
    """Neuron 318 of layer 3 answers to another word than “not”, in the learner's sentence."""
    seen: tuple[Settings, Selection, Shown] = lab.pictured()
    asked, chosen, shown = seen
    if asked.text == Settings().text or (chosen.layer, chosen.neuron) != NEGATION:
        return False
    if asked.checkpoint != MINILM:
        return False
    answer = float(shown.reading.answers[chosen.layer][chosen.token, chosen.neuron])
    return shown.reading.tokens[chosen.token] != "not" and answer > STRONG


def _strongest(lab: Any) -> bool:
    """The neuron of a layer that a word of the learner's sentence excites most."""
    seen: tuple[Settings, Selection, Shown] = lab.pictured()
    asked, chosen, shown = seen
    if asked.text == Settings().text or (chosen.layer, chosen.neuron) == NEGATION:
        return False
    answers = shown.reading.answers[chosen.layer][chosen.token]  # (F,)
    word = shown.reading.tokens[chosen.token].isalpha()
    return word and int(answers.argmax()) == chosen.neuron


TASKS = Tasks(
    "feed_forward",
    (
        Challenge(
            "two-ramps",
            "Learn “absolute value” with two ReLU neurons, to an error of less than 0.001.",
            "Two are enough, but not from every start: the seed draws another one.",
            "|x| is max(0, x) + max(0, −x), or a ramp over the whole picture that a second one bends "
            "up at 0. From an unlucky start both neurons face the same way, as with seed 0, or fall "
            "silent, as with seed 5, and no gradient turns them.",
            _two_ramps,
        ),
        Challenge(
            "smooth",
            "Learn “wave” with no more than 8 neurons, to an error of less than 0.001.",
            "Count the kinks that ReLU leaves. Which activation has none?",
            "A sum of ReLUs is made of straight pieces, with a kink for each neuron at most. GELU "
            "bends instead, so the same few neurons follow a round curve more closely.",
            _smooth,
        ),
        Challenge(
            "straight",
            "Without an activation, find a curve that the network learns to an error of less than "
            "0.001.",
            "What is left of two linear maps, one after the other, when nothing stands between them?",
            "Only the line. Two maps without an activation are one map, however many neurons there "
            "are: with 32 of them the wave stays at an error of 0.42, as with 1.",
            _straight,
        ),
        Challenge(
            "negation",
            "Excite neuron 318 of layer 3 by more than 2 in a sentence of your own, with another word "
            "than “not”. Choose the token to read its answer.",
            "Words that say the same: nothing, nobody, cannot. Or that do without saying it: refuse.",
            "The neuron answers to nothing, cannot, impossible and refuse, so not to a spelling but to "
            "something like negation. That is our name for it, and how strongly it answers depends on the "
            "sentence.",
            _negation,
        ),
        Challenge(
            "strongest",
            "In a sentence of your own, find the neuron that a word excites most in its layer.",
            "Choose the token. The neurons that it excites most stand below, the strongest first.",
            "A word's vector is compared with 1,536 keys in each layer, and few of them answer "
            "strongly. What such a neuron stands for, the places in real text below may tell, or not.",
            _strongest,
        ),
    ),
)
