"""speech.ctc_loss: the probability of a text, summed over all the paths that spell it."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags
from course.checking.exercise.cases import FLAT, FULL
from course.checking.exercise.draw import Draw

Loss = Callable[[Tensor, list[int], int], Any]


def _collapsed(path: Sequence[int], blank: int) -> list[int]:
    return [id for id, _ in itertools.groupby(path) if id != blank]


def _paths(frames: int, ids: int, target: list[int], blank: int) -> list[tuple[int, ...]]:
    """All paths that spell the target."""
    every = itertools.product(range(ids), repeat=frames)
    return [path for path in every if _collapsed(path, blank) == target]


def _needed(target: list[int]) -> int:
    """How many frames the shortest path has."""
    return len(target) + sum(a == b for a, b in itertools.pairwise(target))


def _names(frames: int, target: list[int], blank: int) -> Iterator[str]:
    yield "a blank of 0" if blank == 0 else "a blank that is not 0"
    if not target:
        yield "an empty target"
    yield "equal letters in a row" if _needed(target) > len(target) else "no equal letters in a row"
    if len(target) == 1:
        yield "a single letter"
    if frames == 1:
        yield "a single frame"
    if _needed(target) > frames:
        yield "a text too long for its frames"
    elif _needed(target) == frames:
        yield "a text that just fits its frames"


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(
        says: str,
        frames: int,
        ids: int,
        target: list[int],
        blank: int,
        *names: str,
        scale: float = 1.0,
        likely: bool = False,
    ) -> Case:
        """`likely` frames favour a path of the target, so that little of p is left for others."""
        logits = scale * draw.normal(frames, ids)
        if likely:
            path = [letter for one in target for letter in (one, blank)]
            path += [blank] * (frames - len(path))
            logits[torch.arange(frames), torch.tensor(path)] += scale
        sizes = {"N": frames, "V": ids, "T": len(target)}
        names = (*names, *_names(frames, target, blank))
        how = {**FULL, **(FLAT if _needed(target) > frames else {})}
        return Case((logits.log_softmax(dim=-1), target, blank), says, sizes, tags(*names), **how)

    far = "log probabilities in the hundreds"
    return [
        case("2 frames, one letter", 2, 3, [1], 0),
        case("2 frames, 2 letters", 2, 3, [1, 2], 0),
        case("3 frames, 2 letters", 3, 4, [3, 1], 0),
        case("4 frames, 2 letters", 4, 3, [2, 1], 0),
        case("3 frames, one letter twice", 3, 3, [1, 1], 0),
        case("5 frames, one letter twice", 5, 3, [2, 2], 0),
        case("5 frames, 3 letters, the first also the last", 5, 4, [1, 3, 1], 0),
        case("6 frames, 3 letters, two of them equal in a row", 6, 4, [2, 2, 3], 0),
        case("7 frames, one letter three times", 7, 3, [1, 1, 1], 0),
        case("one frame, one letter", 1, 4, [2], 0),
        case("one frame, no letter", 1, 3, [], 0),
        case("4 frames, no letter", 4, 3, [], 0),
        case("3 frames, no letter, blank 2", 3, 4, [], 2),
        case("4 frames, 2 letters, blank 3", 4, 4, [0, 2], 3),
        case("5 frames, a letter whose id is 0 twice, blank 2", 5, 3, [0, 0], 2),
        case("6 frames, 3 letters, blank 1", 6, 5, [0, 4, 2], 1),
        case("3 frames, 3 letters", 3, 5, [4, 1, 2], 0),
        case("2 frames, 3 letters", 2, 4, [1, 2, 3], 0),
        case("2 frames, one letter twice", 2, 3, [1, 1], 0),
        case("one frame, 2 letters, blank 2", 1, 3, [0, 1], 2),
        case("4 frames, 3 letters, all equal", 4, 3, [2, 2, 2], 0),
        case("5 frames, 2 letters, scores in the hundreds", 5, 4, [3, 1], 0, far, scale=300.0),
        case("6 frames, 2 letters, scores in the hundreds, the likeliest path is right", 6, 4, [2, 1], 3,
             far, scale=200.0, likely=True),
        case("9 frames, 4 letters of 6, two of them equal in a row", 9, 6, [3, 3, 1, 5], 2),
    ]  # fmt: skip


def _trained(function: Loss) -> Loss:
    """With gradients the log probabilities are made by a log-softmax, as in a training.

    The gradient of `F.ctc_loss` is right after that alone: it leaves out what the log-softmax takes away.
    Log probabilities stay as they are under it.
    """

    @functools.wraps(function)
    def call(log_probs: Tensor, target: list[int], blank: int) -> Any:
        own = log_probs.log_softmax(dim=-1) if log_probs.requires_grad else log_probs
        return function(own, target, blank)

    return call


def _states(target: list[int], blank: int) -> list[int]:
    return [blank, *(id for letter in target for id in (letter, blank))]


def _summed(
    log_probs: Tensor,
    states: Sequence[int],
    skip: Callable[[int], bool],
    starts: int = 2,
    ends: int = 2,
    collect: Callable[..., Tensor] = torch.logsumexp,
) -> Tensor:
    """Add up p over the states, with a rule for skips, so many first and last states, a way to add up: log p."""
    places = range(len(states))
    alpha = log_probs.new_full((len(states),), -math.inf)
    for s in places[:starts]:
        alpha[s] = log_probs[0, states[s]]
    for row in log_probs[1:]:
        ways = [
            [s, *([s - 1] if s else []), *([s - 2] if s > 1 and skip(s) else [])] for s in places
        ]
        alpha = torch.stack([collect(alpha[w], 0) + row[states[s]] for s, w in enumerate(ways)])
    return collect(alpha[-ends:], 0)


def _skips(states: Sequence[int], blank: int) -> Callable[[int], bool]:
    return lambda s: states[s] != blank and states[s] != states[s - 2]


def _with(**change: Any) -> Callable[..., Tensor]:
    """The loss with another rule: `skip` takes the states, the blank and the place."""
    skip = change.pop("skip", lambda states, blank, s: _skips(states, blank)(s))
    sign = change.pop("sign", -1)

    def compute(log_probs: Tensor, target: list[int], blank: int) -> Tensor:
        states = _states(target, blank)
        log_p = _summed(log_probs, states, lambda s: skip(states, blank, s), **change)
        return log_p if sign > 0 else -log_p

    return compute


def _likeliest(x: Tensor, dim: int) -> Tensor:
    return x.amax(dim)


def _finds(function: Loss, failed: Sequence[Case]) -> list[str]:
    """What the answer makes of frames in which a hand can check it: first of equal ones, then of two that differ."""
    return _counted(function) or _weighed(function)


def _weighed(function: Loss) -> list[str]:
    """The products that make up p, in frames with probabilities of their own."""
    for table, target in (
        ([[0.2, 0.8]], [1]),
        ([[0.9, 0.1], [0.3, 0.7]], [1]),
        ([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6]], [1]),
        ([[0.2, 0.8], [0.6, 0.4], [0.1, 0.9]], [1, 1]),
    ):
        probabilities = torch.tensor(table, dtype=torch.float64)
        paths = _paths(len(table), 2, target, 0)
        each = [math.prod(row[id] for row, id in zip(table, path, strict=True)) for path in paths]
        with torch.no_grad():
            loss = float(function(probabilities.log(), list(target), 0))
        p = sum(each)
        if not math.isclose(loss, -math.log(p), rel_tol=1e-6, abs_tol=1e-9):
            rows = ", then ".join(" and ".join(f"{q:g}" for q in row) for row in table)
            terms = " + ".join(f"{q:.4g}" for q in each)
            own = f"; by your loss p is {math.exp(-loss):.4g}" if abs(loss) < 50 else ""
            return [
                f"with the probabilities {rows} of the ids 0 and 1 and the blank 0, the text {target} has "
                f"p = {terms}{f' = {p:.4g}' if len(each) > 1 else ''}, one term for each path: the loss should be "
                f"{-math.log(p):.4g} and is {loss:.4g}{own}"
            ]
    return []


def _counted(function: Loss) -> list[str]:
    """How many paths the answer counts where all ids are equally likely."""
    plain: tuple[tuple[int, int, list[int], int], ...] = (
        (1, 3, [1], 0), (1, 3, [], 0), (2, 3, [1], 0), (2, 3, [1, 2], 0), (2, 3, [], 0), (3, 3, [1], 0),
        (3, 3, [1, 2], 0), (3, 3, [1, 1], 0), (4, 3, [1, 1], 0), (4, 3, [1, 2], 0), (4, 3, [1, 2, 1], 0),
        (2, 3, [0], 2), (3, 3, [0, 1], 2), (2, 3, [1, 1], 0), (4, 2, [0, 0], 1),
    )  # fmt: skip
    for frames, ids, target, blank in plain:
        log_probs = torch.full((frames, ids), -math.log(ids), dtype=torch.float64)
        paths = _paths(frames, ids, target, blank)
        where = f"with {frames} frame{'s' * (frames > 1)}, {ids} ids that are equally likely and the blank {blank}"
        try:
            with torch.no_grad():
                loss = float(function(log_probs, list(target), blank))
        except Exception as error:
            return [f"{where}, the target {target} raises {type(error).__name__}"]
        if not paths:
            if loss != math.inf:
                return [
                    f"{where}, no path spells {target}: the loss should be inf and is {loss:.4g}"
                ]
            continue
        counted = math.exp(-loss) * ids**frames if abs(loss) < 50 else math.nan
        if abs(counted - len(paths)) > 1e-6:
            shown = ", ".join(" ".join(map(str, path)) for path in paths[:6])
            more = ", ..." if len(paths) > 6 else ""
            many = (
                f"{len(paths)} of {ids**frames} paths spell"
                if len(paths) > 1
                else "one path spells"
            )
            own = f"; by your loss it is {counted:.4g}" if math.isfinite(counted) else ""
            return [
                f"{where}, {many} {target} ({shown}{more}): the loss should be "
                f"-log({len(paths)}/{ids**frames}) = {-math.log(len(paths) / ids**frames):.4g} and is {loss:.4g}{own}"
            ]
    return []


def _holds_nan(came: Any, wanted: Any) -> bool:
    """Whether NaN is in the gradient; the model solution's loss has none there."""
    return any(isinstance(one, Tensor) and bool(one.isnan().any()) for one in came)


EXERCISE = Exercise(
    id="speech.ctc_loss",
    signature="(log_probs, target, blank)",
    minutes=30,
    difficulty=3,
    cases=_cases,
    axes=((),),
    harness=_trained,
    finds=_finds,
    remarks=(
        Remark(
            "nan-gradient-at-a-text-too-long",
            Case(
                (torch.full((2, 3), -math.log(3), dtype=torch.float64), [1, 1], 0),
                "2 frames, one letter twice",
            ),
            _holds_nan,
            "Where the frames are too few for the text, the loss is inf, as it should be, and the gradient that flows "
            "back is NaN. In training, one such recording makes NaN of all weights with the next step. Leave such "
            "recordings out of the batch, or out of the loss, as zero_infinity=True does in `F.ctc_loss`.",
            mode="gradient",
        ),
    ),
    landmarks=(
        Landmark("log p, whose sign is still to be turned round", _with(sign=1)),
        Landmark("p itself, in place of -log p", lambda *a: _with(sign=1)(*a).exp()),
        Landmark(
            "-log p of the likeliest path alone, not of all together", _with(collect=_likeliest)
        ),
        Landmark(
            "-log p with a skip between equal letters too",
            _with(skip=lambda states, blank, s: states[s] != blank),
        ),
        Landmark("-log p without any skip", _with(skip=lambda states, blank, s: False)),
        Landmark(
            "-log p with skips from blank to blank too",
            _with(skip=lambda states, blank, s: states[s] == blank or states[s] != states[s - 2]),
        ),
        Landmark("-log p of the paths that end in the last blank alone", _with(ends=1)),
        Landmark("-log p of the paths that begin with a blank alone", _with(starts=1)),
        Landmark(
            "-log p divided by the number of letters, which no one asked for",
            lambda *a: _with()(*a) / max(1, len(a[1])),
        ),
        Landmark(
            "-log p divided by the number of frames, which no one asked for",
            lambda *a: _with()(*a) / len(a[0]),
        ),
    ),
)
