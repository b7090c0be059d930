"""start_here.best_match: the passage whose vector points most nearly where the question's points."""

from __future__ import annotations

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Mistake, tags
from course.checking.exercise.draw import Draw
from course.content.start_here.exercises.best_match import search as lengths


def _passages(draw: Draw, question: Tensor, count: int) -> Tensor:
    """(N, D) in random order; the right one is short, and each common mistake prefers another.

    The rows, by their cosine with the question: 0.99 but short (the right one), 0.86 and nearest by
    distance, 0.71 and longest, -0.99, and others near 0.
    """
    size = question.norm()

    def across() -> Tensor:
        """A vector as long as the question, at a right angle to it."""
        drawn = draw.normal(len(question))
        drawn -= (drawn @ question) / size**2 * question
        drawn *= size / drawn.norm()
        return drawn

    rows = [
        0.2 * question + 0.03 * across(),
        question + 0.6 * across(),
        2.8 * question + 2.8 * across(),
        -1.5 * question + 0.2 * across(),
    ]
    rows += [0.5 * (i + 1) * across() for i in range(count - 4)]
    order = torch.randperm(count, generator=draw.generator)
    return torch.stack(rows)[order].float().double()


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(count: int, width: int, says: str, *names: str, shift: float = 0.0) -> Case:
        question = draw.normal(width) + shift
        args = (question, _passages(draw, question, count))
        return _case(args, says, tags(*names))

    question = torch.tensor([1.0, 1.0, 1.0, 1.0], dtype=torch.float64)
    # Halves and whole numbers alone: in these every way to compute the cosine is exact.
    twice = torch.tensor(
        [[-1.0, 0, 0, 0], [4.0, 0, 0, 0], [2.0, 2, 2, 2], [1.0, 1, 1, 1], [0.5, 0.5, 0.5, 0.5]]
    ).double()
    away = torch.tensor([[-1.0, 0, 0, 0], [-2.0, -2, -2, -2], [0.0, 0, 0, 0], [0.0, -1, 0, 0]])
    opposite = torch.tensor([[-2.0, -2, -2, -2], [0.0, -1, 0, 0], [-1.0, -1, -1, -1]]).double()
    with_zero = torch.tensor([[0.0, 0, 0, 0], [4.0, 0, 0, 0], [1.0, 1, 1, 1], [0.0, 0, 0, 0]])
    # Cosines 0, 0.29, 0 and -0.5: as a vector of length 1 or 0, the zero is nearest to the question.
    far = torch.tensor([[0.0, 0, 0, 0], [3.0, -1, -1, 1], [1.0, -1, 0, 0], [-1.0, 0, 0, 0]])
    half_as_long = torch.tensor([[2.0, 2, 0, 0], [0.25, 0.25, 0.25, 0.25]]).double()
    return [
        case(4, 3, "four passages of width 3"),
        case(5, 4, "five passages of width 4", shift=1.5),
        case(6, 6, "as many passages as numbers in each", "as many passages as numbers"),
        case(9, 5, "nine passages of width 5", shift=2.0),
        case(7, 16, "seven passages of width 16"),
        case(8, 11, "eight passages of width 11", shift=-1.5),
        case(40, 384, "forty passages of width 384, as MiniLM's", "the chapter's example"),
        case(5, 400, "five passages of width 400", "wider than MiniLM's"),
        _case(
            (question, twice), "three passages in the same direction", tags("equal similarities")
        ),
        _case(
            (question, with_zero.double()),
            "a passage of zeros before the best",
            tags("zero vectors"),
        ),
        _case(
            (question, far.double()),
            "a passage of zeros, and none that is close",
            tags("zero vectors"),
        ),
        _case((question, half_as_long), "a best passage of length 1/2", tags("short vectors")),
        _case(
            _nearly_alike(draw), "two passages nearly alike", tags("passages nearly alike"), False
        ),
        _case(_short(draw), "a very short best passage", tags("very short vectors"), False),
        _case(
            _shortest(draw, 300.0), "a best passage of length 2e-6", tags("a length of 2e-6"), False
        ),
        _case(
            _shortest(draw, 3e-6), "vectors of lengths near 1e-6", tags("lengths near 1e-6"), False
        ),
        _case(
            _shortest(draw, 1.0, nearly=True),
            "a best passage of length 2e-6, and one nearly alike",
            tags("a length of 2e-6", "passages nearly alike"),
            ("float64",),
        ),
        _case(
            (question, away.double()),
            "passages that point away, and one of zeros",
            tags("zero vectors"),
        ),
        _case((question, opposite), "passages that all point away", tags("negative similarities")),
        _case(
            (0 * question, twice[1:]),
            "a question of zeros: all similarities are 0",
            tags("zero vectors"),
        ),
        _case((question, twice[:1]), "a single passage", tags("a single passage")),
    ]


def _nearly_alike(draw: Draw) -> tuple[Tensor, Tensor]:
    """A question with passages of cosines 0.999, 0.9997 and 0.7: the second is the best."""
    question = draw.normal(5)
    across = _passages(draw, question, 5) - question
    across -= (across @ question / question.norm() ** 2).unsqueeze(-1) * question
    across *= (question.norm() / across.norm(dim=-1)).unsqueeze(-1)  # as long as the question
    amounts = torch.tensor([0.045, 0.025, 1.0], dtype=torch.float64).unsqueeze(-1)
    return question, (question + amounts * across[:3]).float().double()


def _short(draw: Draw) -> tuple[Tensor, Tensor]:
    """A question with a best passage that is a thousand times shorter than the others."""
    question = draw.normal(4)
    turned = question.flip(0) * torch.tensor([1.0, -1, 1, -1], dtype=torch.float64)  # at 90 degrees
    rows = torch.stack((turned, question + turned, 1e-3 * question, -question))
    return question, rows.float().double()


def _shortest(draw: Draw, length: float, nearly: bool = False) -> tuple[Tensor, Tensor]:
    """A question of that length; the best passage is 2e-6 long, another long one has a cosine near 1.

    Lengths and cosines: 2e-6 and 1, 4e-6 and 0.998 (nearly: 1 - 1e-5), 4e-6 and 0, 4e-6 and -1. Where
    the question is long, the second passage is 4 long.
    """
    question = draw.normal(4)
    question *= length / question.norm()
    turned = question.flip(0) * torch.tensor([1.0, -1, 1, -1], dtype=torch.float64)  # at 90 degrees
    beside = 0.0045 if nearly else 0.0633
    other = 4e-6 if length < 1e-3 else 4.0
    near = question + beside * turned
    rows = [other * near / near.norm(), 4e-6 * turned / length, 2e-6 * question / length]
    rows.append(-4e-6 * question / length)
    order = torch.randperm(4, generator=draw.generator)
    return question.float().double(), torch.stack(rows)[order].float().double()


def _case(
    args: tuple[Tensor, Tensor],
    says: str,
    names: frozenset[str],
    dtypes: bool | tuple[str, ...] = True,
) -> Case:
    """`dtypes`: those to try it in, or whether half precision is among them."""
    count, width = args[1].shape
    if isinstance(dtypes, bool):
        dtypes = () if dtypes else ("float64", "float32")
    if "zero vectors" in names:  # in float16 a small number that guards a division may be 0 itself
        dtypes = ("float64", "float32", "bfloat16")
    sizes = {"N": count, "D": width}
    return Case(args, says, sizes, names, differentiable=False, dtypes=dtypes)


_LENGTHS = "lengths.masked_fill(lengths == 0, 1.0)"
_RESULT = "int(similarities.argmax())"

EXERCISE = Exercise(
    id="start_here.best_match",
    signature="(question, passages)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    results=("index",),
    finds=lengths.finds,
    mistakes=(
        Mistake(
            "dot-product",
            ((f"products / {_LENGTHS}", "products"),),
            "The products are not divided by the passages' lengths: a long vector wins by its length alone.",
            "What becomes of a passage's similarity when its vector is made twice as long?",
        ),
        Mistake(
            "distance",
            ((_RESULT, "int((passages - question).norm(dim=-1).argmin())"),),
            "The passage at the smallest distance is chosen. A short vector in just the right direction is far away from a long question.",
            "Does the cosine depend on how long the vectors are? Does the distance?",
        ),
        Mistake(
            "distance-at-length-one",
            (
                (
                    _RESULT,
                    "int((torch.nn.functional.normalize(passages, dim=-1) - torch.nn.functional.normalize(question, dim=-1)).norm(dim=-1).argmin())",
                ),
            ),
            "The smallest distance between vectors of length 1 gives the order of the cosines, but for a passage of zeros: it stays at distance 1, as near as one with the cosine 0.5.",
            "What is a zero vector's similarity to be, and where should it stand beside a passage with the cosine 0.3?",
        ),
        Mistake(
            "negative-ones-never-win",
            ((_RESULT, "int(similarities.clamp(min=0).argmax())"),),
            "Similarities below 0 count as 0, as in a search that begins with best = 0: where all passages point away, the first is chosen.",
            "With the similarities -0.9 and -0.5, which index is asked for?",
        ),
        Mistake(
            "rounded",
            (
                (
                    _RESULT,
                    "int((similarities / question.norm().clamp(min=1e-12)).round(decimals=2).argmax())",
                ),
            ),
            "The similarities are rounded, or computed with too few digits: passages that are nearly alike become equal, and the first of them wins.",
            "Which is larger: 0.9990 or 0.9997, and which once they are rounded?",
        ),
        Mistake(
            "smallest",
            (("argmax", "argmin"),),
            "The smallest similarity is chosen, not the largest.",
            "What is the cosine of two vectors that point the same way: 1, 0 or -1?",
        ),
        Mistake(
            "absolute-value",
            ((_RESULT, "int(similarities.abs().argmax())"),),
            "The sign is dropped: a vector that points the opposite way counts as close.",
            "Which cosine have two opposite vectors, and should they match?",
        ),
        Mistake(
            "nan-at-zero",
            ((_LENGTHS, "lengths"),),
            "A passage of zeros has length 0, and 0 / 0 is NaN, which argmax takes for the largest.",
            "What is a zero vector's similarity to be, and by what could you divide its product instead of 0?",
        ),
        Mistake(
            "zero-vector-left-out",
            ((_RESULT, 'int(similarities.masked_fill(lengths == 0, float("-inf")).argmax())'),),
            "A passage of zeros can never win. Its similarity is 0, which is more than that of a passage that points away.",
            "Which is larger: 0 or -0.5?",
        ),
        Mistake(
            "last-of-equals",
            ((_RESULT, "len(similarities) - 1 - int(similarities.flip(0).argmax())"),),
            "Of several equal similarities the last is chosen; asked is the first.",
            "With the similarities 0.5, 0.9, 0.9: which index is asked for?",
        ),
        Mistake(
            "tensor-not-int",
            ((_RESULT, "similarities.argmax()"),),
            "The index is still a tensor of one number. Asked is a Python int.",
            "Which function makes a Python number of a tensor that holds one?",
        ),
        Mistake(
            "similarity-not-index",
            ((_RESULT, "float(similarities.max())"),),
            "This is the largest similarity itself, and not where it stands.",
            "Asked is an index. Which function gives the place of the largest number?",
        ),
        Mistake(
            "cosine-not-index",
            ((_RESULT, "float(similarities.max() / question.norm().clamp(min=1e-12))"),),
            "This is the largest cosine itself, and not where it stands.",
            "Asked is an index. Which function gives the place of the largest number?",
        ),
        Mistake(
            "passage-not-index",
            ((_RESULT, "passages[int(similarities.argmax())]"),),
            "This is the passage's vector, and not its index.",
            "By what does the caller find the passage's text: its vector, or its number?",
        ),
        Mistake(
            "counted-from-one",
            ((_RESULT, "int(similarities.argmax()) + 1"),),
            "The index is counted from 1. In Python the first passage is number 0.",
            "What should come out when there is a single passage?",
        ),
        Mistake(
            "squared-length",
            ((_LENGTHS, f"{_LENGTHS} ** 2"),),
            "The products are divided by the square of the length, so that short vectors win.",
            "By how much does the product grow when a vector is made twice as long? And what you divide it by?",
        ),
        Mistake(
            "sum-of-absolute-values",
            (("passages.norm(dim=-1)", "passages.abs().sum(dim=-1)"),),
            "The length is taken as the sum of the absolute values. A vector's length is the root of the sum of squares.",
            "How long is the vector (3, 4)?",
        ),
        Mistake(
            "centred",
            (
                (
                    "products = passages",
                    "question = question - question.mean()\n    passages = passages - passages.mean(-1, True)\n    products = passages",
                ),
            ),
            "The mean is taken off the vectors first, which makes a correlation of the cosine.",
            "Which vectors does the formula take: these, or these without their means?",
        ),
        Mistake(
            "length-at-least-one",
            ((_LENGTHS, "lengths.clamp(min=1.0)"),),
            "Lengths below 1 are taken for 1, so that a short vector never reaches its similarity.",
            "Which lengths alone must not be divided by?",
        ),
        Mistake(
            "small-number-added",
            ((_LENGTHS, "(lengths + 0.1)"),),
            "A number is added to every length, or to every product of lengths, so that a very short vector never reaches its similarity.",
            "Which lengths alone must not be divided by?",
        ),
        Mistake(
            "sum-of-numbers",
            (("passages.norm(dim=-1)", "passages.sum(dim=-1)"),),
            "The products are divided by the sum of each passage's numbers, and not by its length.",
            "What is the length of the vector (3, -3)?",
        ),
        Mistake(
            "largest-number",
            (("passages.norm(dim=-1)", "passages.abs().amax(dim=-1)"),),
            "The products are divided by the largest magnitude in each passage, and not by its length.",
            "What is the length of the vector (3, 4): 5 or 4?",
        ),
        Mistake(
            "tiny-number-added",
            ((_LENGTHS, "(lengths + 1e-8)"),),
            "A small number (1e-8) is added to every length. Beside a length of 1e-6 it makes a hundredth, so that a "
            "short passage loses against a longer one that is nearly as close.",
            "Which lengths alone must not be divided by?",
        ),
        Mistake(
            "tiny-number-beside-the-product",
            (
                (
                    f"products / {_LENGTHS}",
                    "products / (lengths * question.norm() + 1e-8)",
                ),
            ),
            "A small number (1e-8) is added to the product of the two lengths. Beside a vector of length 1e-6 it "
            "makes a hundredth of the product, and with two of them the product is 1e-12, far below it.",
            "How small can the product of two lengths be, if each is at least 1e-6?",
        ),
        Mistake(
            "product-of-lengths-clamped",
            (
                (
                    f"products / {_LENGTHS}",
                    "products / (lengths * question.norm()).clamp(min=1e-8)",
                ),
            ),
            "The product of the two lengths is kept from 0 by a number that is too large: with two vectors of length "
            "1e-6 the product is 1e-12, far below it, and the longest vector wins.",
            "How small can the product of two lengths be, if each is at least 1e-6?",
        ),
        Mistake(
            "one-added",
            ((_LENGTHS, "(lengths + 1.0)"),),
            "1 is added to every length, so that a short vector never reaches its similarity.",
            "Which lengths alone must not be divided by?",
        ),
        Mistake(
            "not-summed",
            (("passages @ question", "(passages * question).amax(dim=-1)"),),
            "The largest product of two numbers is taken. A dot product is the sum of all of them.",
            "What is (1, 2) · (3, 4)?",
        ),
        Mistake(
            "lengths-of-columns",
            (("passages.norm(dim=-1)", "passages.norm(dim=0)"),),
            "The lengths are those of the columns, one for each of the D numbers. A passage is a row.",
            "How many lengths should there be: N or D?",
        ),
        Mistake(
            "columns-scaled",
            (
                (
                    f"products / {_LENGTHS}",
                    "torch.nn.functional.normalize(passages, dim=0) @ question",
                ),
            ),
            "The columns are scaled to length 1 (dim=0). A passage is a row: its length runs along dim=-1.",
            "Along which axis of (N, D) does one passage lie?",
        ),
        Mistake(
            "similarities-of-columns",
            (
                (
                    _RESULT,
                    "int(torch.nn.functional.cosine_similarity(passages, question.unsqueeze(0), dim=0).argmax())",
                ),
            ),
            "The cosines are taken along dim=0, down the columns: that makes D numbers, one for each number of the question, and not N.",
            "How many similarities should there be: N or D?",
        ),
        Mistake(
            "always-the-first",
            ((_RESULT, "0"),),
            "The answer is 0, whatever the passages are.",
            "Where does the question enter the result?",
        ),
        Mistake(
            "changed-in-place",
            (
                (
                    "    products = ",
                    "    passages /= lengths.masked_fill(lengths == 0, 1.0).unsqueeze(-1)\n    products = ",
                ),
                (f"products / {_LENGTHS}", "products"),
            ),
            "`passages /= ...` changes the caller's own vectors.",
            "What does the caller find in passages after the call?",
        ),
    ),
    hints=(
        "The vector that points most nearly the same way has the largest cosine. The cosine is the dot product divided "
        "by both lengths; the question's length is the same for all passages, so you may leave it out.",
        "passages (N, D) times question (D,) gives (N,): one product a passage. The lengths of the rows are (N,) too.",
        "lengths <- the length of each row of passages\nproducts <- passages times question\n"
        "where a length is 0, divide by 1 instead\nreturn the place of the largest products / lengths, as an int",
        "int((passages @ question / lengths.masked_fill(lengths == 0, 1.0)).argmax())",
    ),
)
