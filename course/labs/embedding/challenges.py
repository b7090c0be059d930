"""The embedding lab's tasks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from course.labs.challenges import Challenge, Tasks
from course.labs.embedding.compute import NEIGHBOURS, Found, Settings, clean, expected, nearest_to
from course.labs.embedding.words import analogies, vector
from course.system.threads import one_thread

ACROSS, WITHIN = 0.18, 0.07  # cosines: the mean between two groups, and how much closer each is


# Words of several meanings. The neighbours alone don't tell them: of a third of all words they fall into
# two groups that hardly resemble each other, as those of "paris" do (France, and other cities).
_MEANINGS = """
apple arm ball band bank bar bark bass bat bear bill board bolt book bow bowl box bridge can
capital case cell chair change charge check chest chip club coach court crane cricket cross
current dart date deck desert diamond draft draw drill drop duck fair fall fan fast file fine
firm fit flat fly foot fork frank game grave ground hip iron jack jam jaguar java jet key kind
lap lead leaves left letter light line lock long mail march mark match may mean mercury might
mine mint minute model mole mouse nail note novel object orange organ palm park party pen pitch
pitcher plane plant play point pole pool port post pound present press pupil python race racket
rank rest right ring rock root rose row ruler sage saw scale seal season second sentence ship
shot sign sink slip sole sound space spell spring square staff stalk star state stem stern stick
still story strike suit sweet swallow tank tap tear temple tie till tip tire toast top track
train trip trunk turkey type watch wave well will wind yard yarn
"""
_HOMOGRAPHS = frozenset(_MEANINGS.split())


def _two_meanings(lab: Any) -> bool:
    """A word of several meanings whose neighbours fall into groups that hardly resemble each other."""
    seen: tuple[Settings, Any, Found] = lab.pictured()
    asked, _, found = seen
    if clean(asked.word) not in _HOMOGRAPHS:
        return False
    vectors = [vector(word, asked.checkpoint) for word, _ in found.near]
    with one_thread():
        rows = torch.stack([each for each in vectors if each is not None])  # (10, D)
        rows = rows / rows.norm(dim=-1, keepdim=True)
        cosines = (rows @ rows.T).numpy()  # (10, 10)
    if len(cosines) != NEIGHBOURS:
        return False
    one, other = _groups(), 1 - _groups()  # (ways, 10) each
    across = ((one @ cosines) * other).sum(-1) / (one.sum(-1) * other.sum(-1))
    closer = np.minimum(_within(one, cosines), _within(other, cosines)) - across
    best = int(closer.argmax())
    return bool(across[best] < ACROSS and closer[best] > WITHIN)


@lru_cache(maxsize=1)
def _groups() -> NDArray[np.float32]:
    """All ways to split the neighbours into two groups of two or more: 1 in the first, 0 else."""
    ways = np.arange(
        2 ** (NEIGHBOURS - 1)
    )  # the last word is in the second group: none comes twice
    split = (ways[:, None] >> np.arange(NEIGHBOURS) & 1).astype(np.float32)  # (ways, 10)
    sizes = split.sum(-1)
    groups: NDArray[np.float32] = split[(sizes >= 2) & (sizes <= NEIGHBOURS - 2)]
    return groups


def _within(group: NDArray[np.float32], cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean cosine of two different words of each group, `(ways,)`."""
    sizes = group.sum(-1)
    means: NDArray[np.float32] = (((group @ cosines) * group).sum(-1) - sizes) / (
        sizes * (sizes - 1)
    )
    return means


def _idle(lab: Any) -> bool:
    """One of the lab's analogies whose answer is the nearest neighbour of c alone."""
    asked: Settings = lab.pictured()[0]
    each = expected(asked)
    return each is not None and lab.scores()[analogies(asked.checkpoint).index(each)][2] == 1


def _own_analogy(lab: Any) -> bool:
    """An analogy that is none of the lab's and leads elsewhere than to the neighbour of c."""
    seen: tuple[Settings, Any, Found] = lab.pictured()
    asked, _, found = seen
    inputs = (clean(asked.a), clean(asked.b), clean(asked.c))
    if not asked.exclude or expected(asked) or len(set(inputs)) < 3:
        return False
    answer = found.answers[0][0]
    # Words of one or two letters are passed while one types; "kings" is no answer that king leads to.
    if min(map(len, inputs)) < 3 or any(answer.startswith(word) for word in inputs):
        return False
    return answer != nearest_to(inputs[2], inputs, asked.checkpoint)


def _inputs_kept(lab: Any) -> bool:
    """With a, b and c allowed as answers, another word is nearest."""
    seen: tuple[Settings, Any, Found] = lab.pictured()
    asked, _, found = seen
    inputs = {clean(asked.a), clean(asked.b), clean(asked.c)}
    return not asked.exclude and len(inputs) == 3 and found.answers[0][0] not in inputs


TASKS = Tasks(
    "embedding",
    (
        Challenge(
            "two-meanings",
            "Find a word with two meanings: its ten neighbours fall into two groups that hardly "
            "resemble each other.",
            "A season that is also a coil, a fruit that is also a firm, an animal on a desk. Type it, "
            "and read the ten nearest words. (bank isn't one: here all of its neighbours have to do "
            "with money.)",
            "The table has one vector for a word, whatever it means. It lies near the company of all "
            "its meanings; which one a sentence means, only the layers above can tell.",
            _two_meanings,
        ),
        Challenge(
            "idle",
            "Choose one of the analogies of the table in which the arithmetic does nothing: the "
            "nearest word to c alone is the answer already.",
            "Look for rank 1 in the last column, and click the row or choose the example.",
            "cats, for example, is the nearest word to cat. An analogy shows something only where the "
            "neighbourhood of c doesn't have the answer in the first place.",
            _idle,
        ),
        Challenge(
            "own-analogy",
            "Make an analogy of your own, with a, b and c left out of the answers, in which the "
            "arithmetic leads to another word than the nearest of c.",
            "Take two words of one relation, as a country and its capital, and a third of which the "
            "nearest word is of another kind.",
            "Here a − b moved c to another place. Whether it is the one that you expected is a "
            "second question: write that down before you look.",
            _own_analogy,
        ),
        Challenge(
            "inputs-kept",
            "Find three different words for which a − b + c comes nearest to a word that is none of "
            "them, with a, b and c allowed as answers.",
            "In the table only one analogy has rank 1 with the inputs kept. Choose it and untick the "
            "box.",
            "That is rare. For 17 of the lab's 18 analogies a word that went in is nearest, or one "
            "that nobody expected: most analogies “work” only because the inputs are left out.",
            _inputs_kept,
        ),
    ),
)
