"""What chapter 05 measures on Python's documentation, each in a second or two on one CPU core.

`Neighbours` guesses a hidden word from counts of words side by side: the baseline that a trained encoder has to
beat. The others measure what a pair's shared words give away, what a loss at all places teaches, and how large
Adam's first steps are.

Sources: Lan et al. 2020, section 3.1 (next-sentence prediction mixes topic and coherence); Kingma and Ba 2015,
algorithm 1 (Adam, with its bias correction).
"""

from __future__ import annotations

import functools
import itertools
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import datasets
from course.datasets import texts
from course.system.threads import one_thread
from encoder_core import Bert, BertConfig, MaskedLM

__all__ = [
    "MINIMAL_PAIRS", "SPECIALS", "Neighbours", "adam_steps", "loss_at_masks", "neighbours",
    "sentence_scorers", "shared_words",
]  # fmt: skip

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNKNOWN, START, END, MASK = range(5)
WORDS = 2500  # V, the special tokens counted
LENGTH = 16  # S: sentences of 4 to 14 words between [CLS] and [SEP]
SURE = 8.0  # how many pairs it takes until their counts weigh as much as the word's frequency
# Two sentences that differ in one word; the first is right. In the last three a noun stands in between.
MINIMAL_PAIRS = (
    ("This function takes two arguments.", "This function take two arguments."),
    ("If the file does not exist, an error is raised.", "If the file do not exist, an error is raised."),
    ("Return a list of all names.", "Return an list of all names."),
    ("Raise an exception if the value is negative.", "Raise a exception if the value is negative."),
    ("The methods return the same value.", "The methods returns the same value."),
    ("The names in the list are sorted.", "The names in the list is sorted."),
    ("The value of the arguments is ignored.", "The value of the arguments are ignored."),
    ("The arguments of the function are strings.", "The arguments of the function is strings."),
)  # fmt: skip
_LONG_WORD = re.compile(r"[a-z]{4,}")
_END_OF_SENTENCE = re.compile(r"[.:;!?]\s|\n\n")


def _sentences() -> list[list[str]]:
    """The short sentences of Python's documentation as lower-case words, each once."""
    found: dict[str, list[str]] = {}
    for text in (*texts.language_reference(), *texts.docstrings()):
        for sentence in _END_OF_SENTENCE.split(text.lower()):
            words = re.findall(r"\w+", sentence)
            if 4 <= len(words) <= LENGTH - 2:
                found[" ".join(words)] = words
    return list(found.values())


class Neighbours:
    """Guesses a word from the word before it and the word after it, by counting pairs of words.

    Attributes:
        words: the vocabulary, the special tokens first.
        held_out: ids `(N, S)` of sentences that were not counted.
    """

    def __init__(self, sentences: Sequence[Sequence[str]]) -> None:
        frequent = Counter(word for sentence in sentences for word in sentence)
        common = [word for word, _ in frequent.most_common(WORDS - len(SPECIALS))]
        self.words = [*SPECIALS, *common]
        self._number = {word: number for number, word in enumerate(self.words)}
        ids = self._padded(sentences)  # (N, S)
        order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(0))
        self.held_out, self.counted = ids[order[:400]], ids[order[400:]]
        single = torch.bincount(self.counted.flatten(), minlength=WORDS).float()
        single[: MASK + 1] = 0.0  # no special token is ever the answer
        self._log_frequency = ((single + 0.01) / (single + 0.01).sum()).log()  # (V,)
        before, after = self.counted[:, :-1].flatten(), self.counted[:, 1:].flatten()
        self._after = self._log_share(before, after)  # (V, V): row a word, column what follows it
        self._before = self._log_share(after, before)  # (V, V): row a word, column what precedes it

    def _log_share(self, given: Tensor, word: Tensor) -> Tensor:
        counts = torch.bincount(given * WORDS + word, minlength=WORDS * WORDS).float()
        counts = counts.view(WORDS, WORDS)  # (V, V)
        counts[MASK] = counts[:, : MASK + 1] = 0.0  # behind a mask there is only the frequency
        smooth = counts + SURE * self._log_frequency.exp()
        return (smooth / smooth.sum(dim=1, keepdim=True)).log()

    def _padded(self, sentences: Iterable[Sequence[str]]) -> Tensor:
        rows = [self.encode(" ".join(sentence)) for sentence in sentences]
        longest = max(map(len, rows))
        return torch.stack([F.pad(row, (0, longest - len(row)), value=PAD) for row in rows])

    def encode(self, text: str) -> Tensor:
        """The ids `(S,)` of `[CLS] text [SEP]`, its words in lower case."""
        words = re.findall(r"\w+", text.lower())
        numbers = [self._number.get(word, UNKNOWN) for word in words]
        return torch.tensor([START, *numbers, END])

    def from_left(self, ids: Tensor) -> Tensor:
        """Logits `(N, S, V)` at each place of ids `(N, S)`, from the word before it alone."""
        return self._after[ids.roll(1, dims=1)]

    def from_both(self, ids: Tensor) -> Tensor:
        """Logits `(N, S, V)` from the word before and the word after, as if each spoke for itself."""
        after = self._before[ids.roll(-1, dims=1)]
        return self.from_left(ids) + after - self._log_frequency

    def likeliest(self, logits: Tensor, count: int = 3) -> str:
        """The words with the largest of the logits `(V,)`, with their probabilities."""
        best = torch.softmax(logits, dim=-1).topk(count)
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return ", ".join(f"{self.words[number]} {p:.2f}" for number, p in pairs)


@functools.cache
def neighbours() -> Neighbours:
    """The counts on Python's documentation."""
    return Neighbours(_sentences())


def shared_words(seed: int = 0) -> dict[str, float]:
    """How often shared words alone tell a sentence's true neighbour from another sentence.

    Pairs of neighbouring sentences stand against as many pairs with a sentence of another topic of Python's
    documentation, and with one of the same topic. The threshold is chosen on half of the pairs and
    read on the other half; the same pair turned round shares as many words, so that half of the guesses are right.
    """
    rng = random.Random(seed)
    topics = [_word_sets(text) for text in texts.language_reference()]
    topics = [sentences for sentences in topics if len(sentences) > 3]
    pairs = [(a, b, i) for i, some in enumerate(topics) for a, b in itertools.pairwise(some)]
    rng.shuffle(pairs)

    def elsewhere(topic: int) -> set[str]:
        other = rng.randrange(len(topics) - 1)
        return rng.choice(topics[other + (other >= topic)])

    true = [_shared(a, b) for a, b, _ in pairs]
    of_others = [_shared(a, elsewhere(i)) for a, _, i in pairs]
    of_the_same = [_shared(a, rng.choice(topics[i])) for a, _, i in pairs]
    turned = [_shared(b, a) for a, b, _ in pairs]
    half = len(pairs) // 2
    threshold = max(
        (step / 40 for step in range(40)),
        key=lambda t: _accuracy(true[:half], of_others[:half], t),
    )
    wrong = {
        "another topic": of_others,
        "the same topic": of_the_same,
        "the pair turned round": turned,
    }
    return {
        name: _accuracy(true[half:], shares[half:], threshold) for name, shares in wrong.items()
    }


def _word_sets(text: str) -> list[set[str]]:
    found = [set(_LONG_WORD.findall(sentence.lower())) for sentence in re.split(r"\.\s", text)]
    return [words for words in found if len(words) > 3]


def _shared(one: set[str], other: set[str]) -> float:
    return len(one & other) / min(len(one), len(other))


def _accuracy(true: Sequence[float], wrong: Sequence[float], threshold: float) -> float:
    right = sum(share > threshold for share in true) + sum(share <= threshold for share in wrong)
    return right / (len(true) + len(wrong))


def loss_at_masks(everywhere: bool, steps: int = 200, every: int = 25) -> list[float]:
    """Train a small BERT and return its loss at `[MASK]` in held-out sentences, every few steps.

    15 % of the words are replaced by `[MASK]`; the loss is taken there, or `everywhere`. The vocabulary is cut to
    the 300 most frequent words, and only sentences made of them are used.
    """
    words = 300
    ids = neighbours().counted
    ids = ids[((ids < words) & (ids != UNKNOWN)).all(dim=1)]
    generator = torch.Generator().manual_seed(0)
    config = BertConfig(
        vocab_size=words, d_model=32, nhead=4, num_layers=1, dim_feedforward=64,
        max_length=LENGTH, dropout=0.0, attention_dropout=0.0, std=0.3,
    )  # fmt: skip
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)  # the head's weights are drawn from torch's own generator
        model = MaskedLM(Bert(config, seed=0))
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    test, train = ids[:200], ids[200:]
    chosen = _chosen(test, generator)
    measured = []
    with one_thread():
        for step in range(steps + 1):
            if step % every == 0:
                with torch.no_grad():
                    logits = model(test.masked_fill(chosen, MASK), padding_mask=test == PAD)
                measured.append(F.cross_entropy(logits[chosen], test[chosen]).item())
            batch = train[torch.randint(len(train), (32,), generator=generator)]
            masked = _chosen(batch, generator)
            asked = batch > MASK if everywhere else masked
            logits = model(batch.masked_fill(masked, MASK), padding_mask=batch == PAD, where=asked)
            optimiser.zero_grad()
            F.cross_entropy(logits, batch[asked]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return measured


def _chosen(ids: Tensor, generator: torch.Generator) -> Tensor:
    return (torch.rand(ids.shape, generator=generator) < 0.15) & (ids > MASK)


def adam_steps(signal: float, steps: int = 200) -> list[float]:
    """How far Adam moves a parameter in each step, in learning rates; the mean over 2,000 parameters.

    Each gradient is `signal` plus noise of standard deviation 1, drawn anew in every step; no parameter moves far
    enough to change it. The settings are PyTorch's defaults.
    """
    generator = torch.Generator().manual_seed(0)
    parameter = torch.nn.Parameter(torch.zeros(2000))
    optimiser = torch.optim.Adam([parameter], lr=1.0)
    moved = []
    for _ in range(steps):
        before = parameter.detach().clone()
        parameter.grad = signal + torch.randn(2000, generator=generator)
        optimiser.step()
        moved.append((parameter.detach() - before).abs().mean().item())
    return moved


def sentence_scorers(
    score: Callable[[Tensor, Tensor, int, Callable[[Tensor], Tensor]], Tensor], model: nn.Module
) -> dict[str, Callable[[str], float]]:
    """Return what scores a sentence: the counts of neighbours, and a model of `datasets.tokenizer()`.

    `score` is called as `bert.pseudo_log_likelihood`.
    """
    pairs, tokenizer = neighbours(), datasets.tokenizer()

    def by_counts(text: str) -> float:
        ids = pairs.encode(text)
        return score(ids, ids < len(SPECIALS), MASK, pairs.from_both).item()

    def by_model(text: str) -> float:
        ids = torch.tensor(tokenizer.encode(text).ids)
        special = ids < len(tokenizer.specials)
        with torch.no_grad():
            return score(ids, special, tokenizer.vocabulary["[MASK]"], model).item()

    return {"counts of the neighbours": by_counts, "the trained encoder": by_model}
