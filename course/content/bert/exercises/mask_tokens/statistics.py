"""What can be told of masked tokens, by name: shares of places, set to their expectation where chance explains them."""

from __future__ import annotations

import math

from torch import Tensor

SIGMAS = 6.0
MANY = 700  # so many draws tell which ids are drawn
FEW_WORDS = 8  # in so small a vocabulary the old id often comes again by chance


def settled(share: float, expected: float, draws: int) -> float:
    """The share, or what is expected where the two differ by less than `SIGMAS` standard deviations."""
    chance = math.sqrt(max(expected * (1 - expected), 1e-12) / max(draws, 1))
    return expected if abs(share - expected) <= SIGMAS * chance or not draws else share


def share(which: Tensor, of: Tensor) -> float:
    """The share of the places `of` at which `which` holds; 0 of none."""
    return float(which[of].double().mean()) if bool(of.any()) else 0.0


def statistics(
    inputs: Tensor,
    labels: Tensor,
    ids: Tensor,
    special: Tensor,
    mask_id: int,
    vocab_size: int,
    probability: float,
) -> dict[str, float]:
    """Of inputs and labels (..., B, S) from ids (B, S), without mask_id; of many words, without id 0 and the last."""
    original, free = ids.expand_as(inputs), (~special).expand_as(inputs)
    chosen = labels != -100
    taken = chosen & free
    changed, masked = inputs != original, inputs == mask_id
    count, places = int(taken.sum()), int(free.sum())
    other = 0.1 * (vocab_size - 2) / vocab_size  # a random id can be mask_id or the same again
    found = {
        "share of special places that are chosen": share(chosen, ~free),
        "share of the other places that are chosen": settled(
            share(chosen, free), probability, places
        ),
        "share of labels that are not the id that stood there": share(labels != original, chosen),
        "share of places not chosen where the input changes": share(changed, ~chosen),
        "share of the chosen places that become mask_id": settled(
            share(masked, taken), 0.8 + 0.1 / vocab_size, count
        ),
        "share of the chosen places that become another id": settled(
            share(changed & ~masked, taken), other, count
        ),
        "some chosen places become another id (1 says yes)": (
            float(bool((changed & ~masked & taken).any()))
            if count > 300 and vocab_size > FEW_WORDS
            else 1.0
        ),
        "share of the chosen places that stay": settled(
            share(~changed, taken), 0.1 + 0.1 / vocab_size, count
        ),
    }
    usual = (0.8 + 0.1 / vocab_size, other, 0.1 + 0.1 / vocab_size)
    kinds = ("become mask_id", "become another id", "stay")
    found[
        "80, 10 and 10 % of the chosen places become mask_id, another id and stay (1 says yes)"
    ] = float(
        all(
            found[f"share of the chosen places that {kind}"] == expected
            for kind, expected in zip(kinds, usual, strict=True)
        )
    )
    if vocab_size <= FEW_WORDS:
        again = 0.5 * 0.1 / vocab_size  # halfway between never and as often as it should
        can = share(~changed, taken) > 0.1 + again
        found["a random id can be the old one again (1 says yes)"] = float(can)
    for name, part in (("inputs", inputs), ("labels", labels)):
        found[f"{name} have the dtype of the ids (1 says yes)"] = float(part.dtype == ids.dtype)
    found["the smallest label"] = float(labels.min())
    drawn = inputs[taken & changed & ~masked]
    return found | _random_ids(drawn, vocab_size) | _independence(chosen, free, probability)


def _random_ids(drawn: Tensor, vocab_size: int) -> dict[str, float]:
    """Of the ids put in: whether all of the vocabulary is among them, and nothing else."""
    expected = 1 / (vocab_size - 1)  # mask_id counts as masked
    numbers = drawn.double()
    many = drawn.numel() >= MANY and vocab_size > FEW_WORDS

    def at(which: Tensor, usual: float) -> float:
        return settled(float(which.double().mean()), usual, drawn.numel()) if many else usual

    return {
        "random ids outside of [0, vocab_size)": (
            float(((drawn < 0) | (drawn >= vocab_size)).double().mean()) if drawn.numel() else 0.0
        ),
        "share of random ids that are 0": at(drawn == 0, expected),
        "share of random ids that are 1 to 3 (special tokens)": at(
            (drawn > 0) & (drawn < 4), 3 * expected
        ),
        "share of random ids that are the last one, vocab_size - 1": at(
            drawn == vocab_size - 1, expected
        ),
        "0 and the last id are among the random ids (1 says yes)": (
            float(bool((drawn == 0).any() and (drawn == vocab_size - 1).any())) if many else 1.0
        ),
        "random ids, whether they vary": float(bool(numbers.std() > 0)) if many else 1.0,
    }


def _independence(chosen: Tensor, free: Tensor, probability: float) -> dict[str, float]:
    """Whether places are chosen each by itself: in a sentence, in all sentences, and from call to call."""
    if not 0 < probability < 1 or not bool(free.all()):
        return {}
    found = {}
    for axis, name in (
        (-2, "every sentence has the same places chosen"),
        (-1, "sentences are chosen whole"),
    ):
        if chosen.shape[axis] > 1:
            found[name] = float(bool((chosen == chosen.narrow(axis, 0, 1)).all()))
    for axes, name in (((-1,), "in a sentence"), ((-2, -1), "in a call")):
        counts = chosen.double().sum(axes).flatten()
        if len(counts) > 40:
            size = math.prod(chosen.shape[axis] for axis in axes)
            found[
                f"places chosen {name}, how far their number varies against independent draws"
            ] = _spread(counts, size, probability)
    return found


def _spread(counts: Tensor, size: int, probability: float) -> float:
    average = float(counts.mean()) / size
    average = average if 0 < average < 1 else probability
    ratio = float(counts.std()) / math.sqrt(size * average * (1 - average))
    near = abs(ratio - 1) <= SIGMAS / math.sqrt(2 * len(counts))
    return 1.0 if near else ratio


def repeated(inputs: Tensor, labels: Tensor) -> dict[str, float]:
    """Of two calls (2, B, S) with generators in one state: the share of places where they give the same."""
    same = (inputs[0] == inputs[1]) & (labels[0] == labels[1])
    labels_same = float((labels[0] == labels[1]).double().mean())
    return {
        "both calls give the same (1 says yes)": float(bool(same.all())),
        "share of both calls' labels that agree": labels_same,
        "share of places at which both calls agree": float(same.double().mean()),
    }
