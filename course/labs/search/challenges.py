"""The search lab's tasks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.search.compute import Rankings, Settings

NEAR = 0.5  # a cosine of passages that are about the question
RARE, FAR, WHOLE = 3, 10, 3
_NOT = re.compile(r"\b(?:not|never|without)\b|n['’]t\b", re.IGNORECASE)


def _seen(lab: Any) -> tuple[Settings, Rankings]:
    asked, _, rankings = lab.pictured()
    return asked, rankings


def _no_word(lab: Any) -> bool:
    """The first by meaning is near and has none of the question's words."""
    _, rankings = _seen(lab)
    row, similarity = rankings.by_meaning[0]
    return bool(len(rankings.keys()) >= 2 and similarity >= NEAR and rankings.scores[row] == 0)


def _rare_word(lab: Any) -> bool:
    """In a whole question, a rare word puts a passage first that meaning puts far behind."""
    _, rankings = _seen(lab)
    counted = [word for word in rankings.words if word.key]
    half_typed = any(not word.passages for word in counted)
    if len(counted) < WHOLE or half_typed:
        return False
    row = rankings.by_words[0][0]
    having = rankings.shelf.words.texts_with
    rare = any(share > 0 and having(word) <= RARE for word, share in rankings.added(row).items())
    return rare and rankings.rank_by_meaning(row) > FAR


def _denied(lab: Any) -> bool:
    """The question and its opposite have the same first passage by meaning."""
    asked, rankings = _seen(lab)
    plain = " ".join(_NOT.sub(" ", asked.text).split())
    if not _NOT.search(asked.text) or len(plain.split()) < 2:
        return False
    other = rankings.shelf.rank(replace(asked, text=plain))
    return other.by_meaning[0][0] == rankings.by_meaning[0][0]


TASKS = Tasks(
    "search",
    (
        Challenge(
            "no-shared-word",
            "Ask so that the first passage by meaning has none of your words, and a cosine of at least "
            f"{NEAR}.",
            "Take a passage's sentence and replace each of its words by another that means the same.",
            "Near in meaning needs no shared word: MiniLM was trained on pairs of texts that say the same in "
            "other words. A search by words never finds this passage.",
            _no_word,
        ),
        Challenge(
            "rare-word",
            f"Find a question of at least {WHOLE} words whose first passage by words isn't among the first {FAR} "
            f"by meaning, because of a word that at most {RARE} passages have. All its words must stand in some "
            "passage.",
            "Names and numbers: an error's name, a standard's number. Put one into an ordinary question.",
            "To a search by words a rare name is the best there is. A vector of 384 numbers says what a text "
            "is about, and a name that MiniLM seldom saw hardly moves it.",
            _rare_word,
        ),
        Challenge(
            "denied",
            "Ask for the opposite: a question with “not”, “never” or “without” whose first passage by meaning "
            "is the same as without that word.",
            "Ask something, choose “Compare with this”, and put “not” into the question.",
            "Both questions are about the same thing, and that is what decides here. See “Where it fails” "
            "below.",
            _denied,
        ),
    ),
)
