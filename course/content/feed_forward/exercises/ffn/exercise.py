"""feed_forward.ffn: the article's formula."""

from __future__ import annotations

import math

import torch

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.checking.exercise.draw import Draw
from course.content.feed_forward.exercises.ffn import search


def _ffn_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, lead: tuple[int, ...], width: int, inner: int, *names: str) -> Case:
        args = (
            draw.normal(*lead, width) * 1.5,
            draw.normal(width, inner) / math.sqrt(width),
            draw.normal(inner),
            draw.normal(inner, width) / math.sqrt(inner),
            draw.normal(width),
        )
        return Case(args, says, {"D": width, "F": inner}, tags(*names))

    return [
        case("two tokens of width 3, an inner width of 4", (2,), 3, 4, "no batch axis"),
        case("a batch of 2 with 5 tokens of width 4, an inner width of 16", (2, 5), 4, 16),
        case("a batch of 3 with 2 tokens of width 6, an inner width of 5", (3, 2), 6, 5, "F < D"),
        case("inner width and width the same", (2, 3), 5, 5, "F = D"),
        case("as many tokens as the width", (4, 4), 4, 7, "as many tokens as the width"),
        case("a single vector", (), 4, 6, "a single vector"),
        case("a single token in each of 3 sentences", (3, 1), 4, 9, "a single token"),
        case("four leading axes", (2, 1, 3, 2), 5, 8, "more leading axes"),
        case("a width of 1", (2, 3), 1, 4, "a width of 1"),
    ]


_RELU = "inner = inner.clamp(min=0)"

EXERCISE = Exercise(
    id="feed_forward.ffn",
    signature="(x, w1, b1, w2, b2)",
    minutes=10,
    difficulty=1,
    cases=_ffn_cases,
    finds=search.finds,
    landmarks=(
        Landmark(
            "the inner layer: max(0, x W1 + b1), before W2",
            lambda x, w1, b1, w2, b2: (x @ w1 + b1).relu(),
        ),
        Landmark(
            "x W1 + b1, neither bent nor brought back to the width of the model",
            lambda x, w1, b1, w2, b2: x @ w1 + b1,
        ),
        Landmark(
            "the network with a softplus in place of max(0, ·)",
            lambda x, w1, b1, w2, b2: torch.nn.functional.softplus(x @ w1 + b1) @ w2 + b2,
        ),
        Landmark(
            "the network with the squares of what is positive",
            lambda x, w1, b1, w2, b2: (x @ w1 + b1).relu().square() @ w2 + b2,
        ),
        Landmark(
            "the network with an ELU in place of max(0, ·)",
            lambda x, w1, b1, w2, b2: torch.nn.functional.elu(x @ w1 + b1) @ w2 + b2,
        ),
        Landmark(
            "the network without any bias",
            lambda x, w1, b1, w2, b2: (x @ w1).relu() @ w2,
        ),
        Landmark(
            "the network without its first neuron",
            lambda x, w1, b1, w2, b2: (x @ w1 + b1)[..., 1:].relu() @ w2[1:] + b2,
        ),
        Landmark(
            "the network without its last neuron",
            lambda x, w1, b1, w2, b2: (x @ w1 + b1)[..., :-1].relu() @ w2[:-1] + b2,
        ),
        Landmark("the input, unchanged", lambda x, *rest: x),
    ),
    mistakes=(
        Mistake(
            "without-the-bend",
            ((_RELU, "inner = inner"),),
            "The max(0, ·) is missing, so that two linear maps stand in a row: together they are one linear map.",
            "Which step of the formula is not linear?",
        ),
        Mistake(
            "without-b1",
            (("x @ w1 + b1", "x @ w1"),),
            "The bias b1 is not added.",
            "What decides at which value of x W1 a neuron begins to answer?",
        ),
        Mistake(
            "without-b2",
            (("inner @ w2 + b2", "inner @ w2"),),
            "The bias b2 is not added.",
            "What does a token get for which no neuron answers?",
        ),
        Mistake(
            "bent-at-the-end",
            ((f"{_RELU}\n    ", ""), ("inner @ w2 + b2", "(inner @ w2 + b2).clamp(min=0)")),
            "The max(0, ·) stands around everything instead of around the first layer.",
            "Can a token's output be negative?",
        ),
        Mistake(
            "bent-twice",
            (("inner @ w2 + b2", "(inner @ w2 + b2).clamp(min=0)"),),
            "The output is bent too: nothing negative comes out.",
            "Around which of the two layers does the formula's max stand?",
        ),
        Mistake(
            "bent-before-the-bias",
            (("x @ w1 + b1", "x @ w1"), (_RELU, "inner = inner.clamp(min=0) + b1")),
            "b1 is added after the max(0, ·) and not before it.",
            "What stands within the brackets of max(0, ...)?",
        ),
        Mistake(
            "bent-input",
            ((f"{_RELU}\n    ", ""), ("x @ w1", "x.clamp(min=0) @ w1")),
            "The input is bent, and not what the first layer makes of it.",
            "What stands within the brackets of max(0, ...)?",
        ),
        Mistake(
            "min-in-place-of-max",
            (("clamp(min=0)", "clamp(max=0)"),),
            "What is positive becomes 0 and what is negative stays: the smaller of the two is taken.",
            "`clamp(min=0)` or `clamp(max=0)`: which of them gives max(0, x)?",
        ),
        Mistake(
            "absolute-value",
            (("inner.clamp(min=0)", "inner.abs()"),),
            "Negative numbers lose their sign instead of becoming 0.",
            "What is max(0, -3)?",
        ),
        Mistake(
            "gelu",
            (("inner.clamp(min=0)", "F.gelu(inner)"),),
            "The bend is a GELU. The formula has max(0, ·); the GELU comes later in this chapter.",
            "What is max(0, -1)?",
        ),
        Mistake(
            "silu",
            (("inner.clamp(min=0)", "F.silu(inner)"),),
            "The bend is x · sigmoid(x) (SiLU), where the formula has max(0, ·).",
            "What is max(0, -1)?",
        ),
        Mistake(
            "leaky",
            (("inner.clamp(min=0)", "F.leaky_relu(inner)"),),
            "Negative numbers are made small instead of 0 (a leaky ReLU).",
            "What is max(0, -3)?",
        ),
        Mistake(
            "sigmoid",
            (("inner.clamp(min=0)", "inner.sigmoid()"),),
            "The bend is a sigmoid, which squeezes everything between 0 and 1.",
            "What is max(0, 3)?",
        ),
        Mistake(
            "tanh",
            (("inner.clamp(min=0)", "inner.tanh()"),),
            "The bend is a tanh, which squeezes everything between -1 and 1.",
            "What is max(0, 3)?",
        ),
        Mistake(
            "clamped-at-one",
            (("clamp(min=0)", "clamp(min=0, max=1)"),),
            "What is larger than 1 is cut off too.",
            "What is max(0, 3)?",
        ),
        Mistake(
            "softmax",
            (("inner.clamp(min=0)", "torch.softmax(inner, dim=-1)"),),
            "The bend is a softmax: the neurons share out a sum of 1 instead of each answering for itself.",
            "Does the value of one neuron depend on the others in the formula?",
        ),
        Mistake(
            "largest-number-alone",
            (
                (
                    "inner.clamp(min=0)",
                    "inner.amax(dim=-1, keepdim=True).clamp(min=0).expand_as(inner)",
                ),
            ),
            "The largest of all neurons is taken (a maximum along an axis) instead of the larger of 0 and each one.",
            "How many numbers has max(0, ·) of a vector of F numbers?",
        ),
        Mistake(
            "pythons-max",
            (("inner.clamp(min=0)", "max(torch.zeros_like(inner), inner)"),),
            "Python's own `max` compares two things as wholes and cannot be asked for a tensor's numbers one by one.",
            "Which function or method of torch takes a maximum number by number?",
        ),
        Mistake(
            "a-step",
            (("inner.clamp(min=0)", "(inner > 0).to(inner)"),),
            "Every neuron that answers gives 1, however strongly it answers (a step).",
            "What is max(0, 3)?",
        ),
        Mistake(
            "weights-transposed",
            (("@ w1", "@ w1.T"), ("@ w2", "@ w2.T")),
            "The matrices are transposed, as torch.nn.Linear keeps its own. Here w1 is (D, F) and w2 is (F, D), as in the formula.",
            "Which axis of w1 must meet the last axis of x?",
        ),
        Mistake(
            "matrices-exchanged",
            (("@ w1", "@ _"), ("@ w2", "@ w1"), ("@ _", "@ w2")),
            "The matrices are exchanged: w2 comes first.",
            "Which of the two takes D numbers and gives F?",
        ),
        Mistake(
            "biases-exchanged",
            (("+ b1", "+ _"), ("+ b2", "+ b1"), ("+ _", "+ b2")),
            "The biases are exchanged.",
            "How many numbers does b1 have: D or F?",
        ),
        Mistake(
            "b1-twice",
            (("+ b2", "+ b1"),),
            "b1 is added in both places.",
            "Which bias belongs to the second layer?",
        ),
        Mistake(
            "biases-subtracted",
            (("x @ w1 + b1", "x @ w1 - b1"), ("inner @ w2 + b2", "inner @ w2 - b2")),
            "The biases are subtracted and not added.",
            "Which sign stands before b1 and b2 in the formula?",
        ),
        Mistake(
            "leading-axes-flattened",
            (("inner = x @ w1", "x = x.reshape(-1, x.shape[-1])\n    inner = x @ w1"),),
            "The axes before the last are melted into one (`view(-1, ...)`), and are not there in the result.",
            "Which shape should come out for x of (B, S, D)?",
        ),
        Mistake(
            "matrices-only",
            (("x @ w1 + b1", "torch.mm(x, w1) + b1"), ("inner @ w2", "torch.mm(inner, w2)")),
            "`torch.mm` multiplies two matrices and takes nothing else, no batch.",
            "Which operator multiplies the last two axes and leaves those before them alone?",
        ),
        Mistake(
            "residual-added",
            (("return inner", "return x + inner"),),
            "The input is added to the result. The residual connection comes in chapter 04, outside of the network.",
            "What is asked for: the network, or the network with what surrounds it?",
        ),
        Mistake(
            "normalised",
            (("inner = x @ w1", "x = F.layer_norm(x, x.shape[-1:])\n    inner = x @ w1"),),
            "The input is normalised first. Layer normalisation comes in chapter 04, outside of the network.",
            "What is asked for: the network, or the network with what surrounds it?",
        ),
        Mistake(
            "tokens-mixed",
            (
                (
                    "inner = x @ w1",
                    "x = x.mean(dim=-2, keepdim=True).expand_as(x) if x.dim() > 1 else x\n    inner = x @ w1",
                ),
            ),
            "The tokens are averaged, so that all get the same result.",
            "Which other tokens does the formula need for FFN(x) of one token?",
        ),
        Mistake(
            "changes-its-input",
            (
                ("inner = x @ w1", "x -= 0.5\n    inner = x @ w1"),
                ("+ b1  #", "+ b1 + 0.5 * w1.sum(dim=0)  #"),
            ),
            "It changes the caller's own tensor (a method that ends in _ does, and `-=`, and `x[...] = ...`).",
            "What does the caller find in x after the call?",
        ),
        Mistake(
            "cut-from-the-gradient",
            (("inner = x @ w1", "x = x.detach()\n    inner = x @ w1"),),
            "The result is cut off from x (`detach`, `.data`, `no_grad` or numpy), so nothing before it can learn.",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "cut-in-the-middle",
            ((_RELU, "inner = inner.clamp(min=0).detach()"),),
            "The inner layer is cut off from what comes before it (`detach`, `.data`, `no_grad`): x, w1 and b1 can't learn.",
            "Which of the five inputs still get a gradient?",
        ),
    ),
    hints=(
        "Two linear maps with a bend between them. The first widens each token's vector from D to F numbers, the "
        "bend sets what is negative to 0, the second narrows it to D again.",
        "x (..., D) @ w1 (D, F) + b1 (F,) -> (..., F); bent: (..., F); @ w2 (F, D) + b2 (D,) -> (..., D). A matrix "
        "product leaves all axes before the last alone.",
        "inner  <- x w1 + b1\ninner  <- the larger of 0 and each number of inner\nreturn inner w2 + b2",
        "inner.clamp(min=0)   # or torch.relu(inner); then @ w2 + b2",
    ),
    axes=(("B", "S", "D"),),
)
