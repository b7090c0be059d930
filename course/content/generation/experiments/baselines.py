"""What answers keywords without a network: the keywords themselves, and the most similar pair's sentence.

Source: Salton and Buckley 1988, "Term-weighting approaches in automatic text retrieval" (weights by
how rare a word is).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from course.content.generation.experiments.pairs import Pair

__all__ = ["Nearest", "copy"]


def copy(keywords: Sequence[str]) -> list[str]:
    """Write the keywords as they are, and a full stop."""
    return [*keywords, "."]


class Nearest:
    """Writes the sentence of the known pair whose keywords are most alike, by the cosine of TF-IDF."""

    def __init__(self, known: Sequence[Pair]) -> None:
        self.known = known
        counts = Counter(word for pair in known for word in set(pair.keywords))
        self.rareness = {word: math.log(len(known) / count) for word, count in counts.items()}
        self.having: defaultdict[str, list[int]] = defaultdict(list)
        self.sizes = []
        for index, pair in enumerate(known):
            for word in set(pair.keywords):
                self.having[word].append(index)
            square = sum(self.rareness[word] ** 2 for word in set(pair.keywords))
            self.sizes.append(math.sqrt(square))

    def __call__(self, keywords: Sequence[str]) -> list[str]:
        """Return the sentence; of equally similar ones the first; nothing where no word is known."""
        alike: Counter[int] = Counter()
        for word in sorted(set(keywords)):
            for index in self.having.get(word, ()):
                alike[index] += self.rareness[word] ** 2 / self.sizes[index]  # type: ignore[assignment]
        return list(self.known[alike.most_common(1)[0][0]].sentence) if alike else []
