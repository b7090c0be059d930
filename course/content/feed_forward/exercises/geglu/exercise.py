"""feed_forward.geglu: the gated network."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.checking.exercise.draw import Draw
from course.content.feed_forward.exercises.geglu import search


def _geglu_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, lead: tuple[int, ...], width: int, inner: int, *names: str) -> Case:
        args = (
            draw.normal(*lead, width) * 1.5,
            draw.normal(width, inner) / math.sqrt(width),
            draw.normal(width, inner) / math.sqrt(width),
            draw.normal(inner, width) / math.sqrt(inner),
        )
        return Case(args, says, {"D": width, "F": inner}, tags(*names))

    return [
        case("two tokens of width 3, an inner width of 4", (2,), 3, 4, "no batch axis"),
        case("a batch of 2 with 5 tokens of width 4, an inner width of 11", (2, 5), 4, 11),
        case("a batch of 3 with 2 tokens of width 6, an inner width of 5", (3, 2), 6, 5, "F < D"),
        case("inner width and width the same", (2, 3), 5, 5, "F = D"),
        case("everything the same size", (4, 4), 4, 4, "F = D", "as many tokens as the width"),
        case("a single vector", (), 4, 6, "a single vector"),
        case("a single token in each of 3 sentences", (3, 1), 4, 9, "a single token"),
        case("four leading axes", (2, 1, 3, 2), 5, 8, "more leading axes"),
    ]


_GATE, _UP = "gate = gelu(x @ w_gate)", "up = x @ w_up"


def _both(x: Tensor, w_gate: Tensor, w_up: Tensor) -> Tensor:
    return torch.cat([x @ w_gate, x @ w_up], -1)


EXERCISE = Exercise(
    id="feed_forward.geglu",
    signature="(x, w_gate, w_up, w_down)",
    minutes=10,
    difficulty=2,
    cases=_geglu_cases,
    finds=search.finds,
    landmarks=(
        Landmark("the gate alone: gelu(x W_gate)", lambda x, g, u, d: F.gelu(x @ g)),
        Landmark("x W_up alone", lambda x, g, u, d: x @ u),
        Landmark(
            "the network whose paths take turns: every other column of [x W_gate, x W_up] is the gate",
            lambda x, g, u, d: (F.gelu(_both(x, g, u)[..., ::2]) * _both(x, g, u)[..., 1::2]) @ d,
        ),
        Landmark(
            "the product of two networks: each path was brought back by W_down before they were multiplied",
            lambda x, g, u, d: (F.gelu(x @ g) @ d) * (x @ u @ d),
        ),
        Landmark(
            "the network with a tanh as gate", lambda x, g, u, d: (torch.tanh(x @ g) * (x @ u)) @ d
        ),
        Landmark(
            "the network with a step as gate, 0 or 1",
            lambda x, g, u, d: ((x @ g > 0).to(x) * (x @ u)) @ d,
        ),
        Landmark(
            "the network with Φ(x W_gate) as gate, without its x W_gate",
            lambda x, g, u, d: (torch.special.ndtr(x @ g) * (x @ u)) @ d,
        ),
        Landmark("the input, unchanged", lambda x, *rest: x),
    ),
    mistakes=(
        Mistake(
            "gate-and-up-exchanged",
            ((_GATE, "gate = gelu(x @ w_up)"), (_UP, "up = x @ w_gate")),
            "The GELU is on the wrong path: W_up's result is bent and W_gate's is not.",
            "Which of the two paths goes through the GELU?",
        ),
        Mistake(
            "gelu-on-both",
            ((_UP, "up = gelu(x @ w_up)"),),
            "Both paths go through the GELU.",
            "Which of the two paths stays linear?",
        ),
        Mistake(
            "gelu-on-the-product",
            ((_GATE, "gate = x @ w_gate"), ("(gate * up)", "gelu(gate * up)")),
            "The GELU is taken of the product of the two paths, and not of the gate alone.",
            "What is bent before the two paths meet?",
        ),
        Mistake(
            "without-the-gelu",
            ((_GATE, "gate = x @ w_gate"),),
            "The GELU is missing: the two paths are multiplied as they are (which Shazeer calls Bilinear).",
            "What makes a gate of x W_gate?",
        ),
        Mistake(
            "sigmoid-gate",
            ((_GATE, "gate = torch.sigmoid(x @ w_gate)"),),
            "The gate is a sigmoid: this is the GLU, and not the GEGLU.",
            "Which activation do the letters GE stand for?",
        ),
        Mistake(
            "sigmoid-gate-on-the-other-path",
            ((_GATE, "gate = x @ w_gate"), (_UP, "up = torch.sigmoid(x @ w_up)")),
            "The gate is a sigmoid of x W_up (`F.glu` makes it so): this is a GLU with its paths exchanged.",
            "Which path is bent here, and by which function?",
        ),
        Mistake(
            "silu-gate",
            ((_GATE, "gate = F.silu(x @ w_gate)"),),
            "The gate is x · sigmoid(x): this is the SwiGLU, and not the GEGLU.",
            "Which activation do the letters GE stand for?",
        ),
        Mistake(
            "relu-gate",
            ((_GATE, "gate = torch.relu(x @ w_gate)"),),
            "The gate is max(0, ·): this is the ReGLU, and not the GEGLU.",
            "Which activation do the letters GE stand for?",
        ),
        Mistake(
            "tanh-approximation",
            ((_GATE, "gate = F.gelu(x @ w_gate, approximate='tanh')"),),
            "The GELU is its approximation with a tanh. Asked is the exact one, the one you have written.",
            "What does `approximate` of `F.gelu` do?",
        ),
        Mistake(
            "softmax-gate",
            ((_GATE, "gate = torch.softmax(x @ w_gate, dim=-1)"),),
            "The gate is a softmax: the neurons share out a sum of 1 instead of each opening for itself.",
            "Does the gate of one neuron depend on the others?",
        ),
        Mistake(
            "added-not-multiplied",
            (("gate * up", "gate + up"),),
            "The two paths are added and not multiplied.",
            "What should pass where the gate is 0?",
        ),
        Mistake(
            "without-up",
            (("(gate * up)", "gate"),),
            "W_up is not used: this is a feed-forward network with a GELU, without a gate.",
            "What does the gate decide about?",
        ),
        Mistake(
            "without-gate",
            (("(gate * up)", "up"),),
            "W_gate is not used: what remains is linear.",
            "What says how much of x W_up may pass?",
        ),
        Mistake(
            "gates-the-input",
            ((_UP, "up = gelu(x @ w_gate) @ w_up.T @ w_up"),),
            "W_up gets what has passed W_gate. Both paths start from x.",
            "What goes into W_up?",
        ),
        Mistake(
            "one-matrix-for-both",
            ((_UP, "up = x @ w_gate"),),
            "Both paths use W_gate.",
            "Which matrix belongs to the path that is not bent?",
        ),
        Mistake(
            "up-for-both",
            ((_GATE, "gate = gelu(x @ w_up)"),),
            "Both paths use W_up.",
            "Which matrix belongs to the gate?",
        ),
        Mistake(
            "without-down",
            (("(gate * up) @ w_down", "gate * up"),),
            "W_down is missing: the result has the inner width F.",
            "What brings F numbers back to D?",
        ),
        Mistake(
            "bent-at-the-end",
            (("return (gate * up) @ w_down", "return gelu((gate * up) @ w_down)"),),
            "The output goes through a GELU as well.",
            "What comes after W_down in the formula?",
        ),
        Mistake(
            "input-bent-first",
            ((_GATE, "gate = gelu(x) @ w_gate"),),
            "The GELU is taken of x, before W_gate and not after it.",
            "What stands within the brackets of gelu(...)?",
        ),
        Mistake(
            "matrix-product-of-the-paths",
            (("gate * up", "gate @ up.transpose(-1, -2) @ up"),),
            "The two paths are multiplied as matrices (`@`), which mixes the tokens, and not number by number (`*`).",
            "Which numbers of gate and up meet in the formula?",
        ),
        Mistake(
            "matrix-product-that-does-not-fit",
            (("gate * up", "gate @ up"),),
            "The two paths are multiplied as matrices (`@`) and not number by number (`*`).",
            "Which numbers of gate and up meet in the formula?",
        ),
        Mistake(
            "weights-transposed",
            (("@ w_gate", "@ w_gate.T"), ("@ w_up", "@ w_up.T"), ("@ w_down", "@ w_down.T")),
            "The matrices are transposed, as torch.nn.Linear keeps its own. Here w_gate and w_up are (D, F), w_down is (F, D).",
            "Which axis of w_gate must meet the last axis of x?",
        ),
        Mistake(
            "residual-added",
            (("return (gate", "return x + (gate"),),
            "The input is added to the result. The residual connection comes in chapter 04, outside of the network.",
            "What is asked for: the network, or the network with what surrounds it?",
        ),
        Mistake(
            "changes-its-input",
            (
                (_GATE, "x -= 0.5\n    gate = gelu((x + 0.5) @ w_gate)"),
                (_UP, "up = (x + 0.5) @ w_up"),
            ),
            "It changes the caller's own tensor (a method that ends in _ does, and `*=`).",
            "What does the caller find in x after the call?",
        ),
        Mistake(
            "cut-from-the-gradient",
            ((_GATE, "x = x.detach()\n    gate = gelu(x @ w_gate)"),),
            "The result is cut off from x (`detach`, `.data`, `no_grad` or numpy), so nothing before it can learn.",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "gate-cut-from-the-gradient",
            (("(gate * up)", "(gate.detach() * up)"),),
            "The gate is cut off from what comes before it (`detach`, `no_grad`): W_gate can't learn.",
            "Which of the inputs still get a gradient?",
        ),
    ),
    hints=(
        "Two paths start from x. One is bent by the GELU and becomes the gate; the other stays as it is. Number by "
        "number, the gate says how much of the other passes.",
        "x (..., D) @ w_gate (D, F) -> (..., F), x @ w_up -> (..., F), their product number by number (..., F), "
        "@ w_down (F, D) -> (..., D).",
        "gate  <- gelu of x w_gate\nup    <- x w_up\nreturn (gate times up, number by number) w_down",
        "(gelu(x @ w_gate) * (x @ w_up)) @ w_down",
    ),
    axes=(("B", "S", "D"),),
)
