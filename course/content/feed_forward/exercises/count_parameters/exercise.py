"""feed_forward.count_parameters: the parameters of one encoder layer."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.content.feed_forward.exercises.count_parameters import search


def _count_cases(seed: int) -> list[Case]:
    sizes = [
        (4, 2, 8, "a width of 4, 2 heads, an inner width of 8"),
        (384, 12, 1536, "MiniLM's layer"),
        (512, 8, 2048, "the base model of Vaswani et al."),
        (768, 12, 3072, "BERT base"),
        (12, 3, 5, "an inner width below the width of the model"),
        (10, 1, 30, "a single head"),
        (6, 6, 7, "heads of width 1"),
        (5, 5, 5, "all sizes the same"),
        (64, 4, 100 + seed % 7, "an inner width that is no multiple of the width"),
        (1, 1, 1, "everything of size 1"),
    ]
    return [
        Case(
            (d_model, nhead, inner),
            says,
            {"D": d_model, "H": nhead, "F": inner},
            tags(*(["F other than 4 D"] if inner != 4 * d_model else [])),
        )
        for d_model, nhead, inner, says in sizes
    ]


_WHOLE = "return attention + feed_forward + norms"

EXERCISE = Exercise(
    id="feed_forward.count_parameters",
    signature="(d_model, nhead, dim_feedforward)",
    minutes=10,
    difficulty=1,
    cases=_count_cases,
    finds=search.finds,
    landmarks=(
        Landmark("the attention's parameters alone", lambda d, h, f: 4 * d * (d + 1)),
        Landmark("the feed-forward network's alone", lambda d, h, f: 2 * d * f + f + d),
        Landmark("the matrices' parameters alone", lambda d, h, f: 4 * d * d + 2 * d * f),
        Landmark("the bytes in float32", lambda d, h, f: 4 * _count(d, f)),
        Landmark("twice the parameters", lambda d, h, f: 2 * _count(d, f)),
    ),
    mistakes=(
        Mistake(
            "once-for-every-head",
            (("attention = 4 *", "attention = nhead * 4 *"),),
            "The attention's matrices are counted once for every head. The heads share them out: each has D / H of their columns.",
            "Chapter 02 counted them for 1, 12 and 48 heads. What did it find?",
        ),
        Mistake(
            "a-head-s-share",
            (
                (
                    "attention = 4 * (d_model * d_model",
                    "attention = 4 * (d_model * d_model // nhead",
                ),
            ),
            "The matrices of a single head are counted.",
            "How many columns have the matrices of all heads together?",
        ),
        Mistake(
            "biases-for-every-head",
            (("(d_model * d_model + d_model)  # q", "(d_model * d_model + nhead * d_model)  # q"),),
            "The attention's biases are counted once for every head.",
            "How many numbers has a bias that is added to a vector of D numbers?",
        ),
        Mistake(
            "three-projections",
            (("attention = 4 *", "attention = 3 *"),),
            "The output projection is missing: query, key and value are three of the four.",
            "What comes after the heads have been merged?",
        ),
        Mistake(
            "one-projection",
            (("attention = 4 *", "attention = 1 *"),),
            "Only one projection of the attention is counted.",
            "Which projections make query, key and value, and which one comes after the heads?",
        ),
        Mistake(
            "attention-without-input-biases",
            (("4 * (d_model * d_model + d_model)  # q", "(4 * d_model * d_model + d_model)  # q"),),
            "The biases of query, key and value are missing (or counted as a single one).",
            "How many numbers does b_in of chapter 02 hold?",
        ),
        Mistake(
            "no-biases-at-all",
            (
                ("(d_model * d_model + d_model)  # q", "d_model * d_model  # q"),
                (
                    "first = d_model * dim_feedforward + dim_feedforward",
                    "first = d_model * dim_feedforward",
                ),
                (
                    "second = dim_feedforward * d_model + d_model",
                    "second = dim_feedforward * d_model",
                ),
            ),
            "The biases of the linear maps are missing, those of the attention and those of the feed-forward network.",
            "What besides W1 and W2 stands in the formula?",
        ),
        Mistake(
            "network-without-biases",
            (
                (
                    "first = d_model * dim_feedforward + dim_feedforward",
                    "first = d_model * dim_feedforward",
                ),
                (
                    "second = dim_feedforward * d_model + d_model",
                    "second = dim_feedforward * d_model",
                ),
            ),
            "The feed-forward network's two biases are missing.",
            "What besides W1 and W2 stands in the formula?",
        ),
        Mistake(
            "without-b1",
            (
                (
                    "first = d_model * dim_feedforward + dim_feedforward",
                    "first = d_model * dim_feedforward",
                ),
            ),
            "The bias b1, with F numbers, is missing.",
            "How many numbers does b1 hold?",
        ),
        Mistake(
            "a-bias-of-the-width-missing",
            (
                (
                    "second = dim_feedforward * d_model + d_model",
                    "second = dim_feedforward * d_model",
                ),
            ),
            "D parameters are missing: one bias with D numbers, that of the second linear map (b2) or that of one of "
            "the attention's projections.",
            "Which maps end in D numbers, and has each of them a bias in your count?",
        ),
        Mistake(
            "both-biases-of-the-inner-width",
            (
                (
                    "dim_feedforward * d_model + d_model",
                    "dim_feedforward * d_model + dim_feedforward",
                ),
            ),
            "b2 is counted with F numbers, like b1.",
            "What is b2 added to: the inner layer or the output?",
        ),
        Mistake(
            "both-biases-of-the-width",
            (
                (
                    "d_model * dim_feedforward + dim_feedforward",
                    "d_model * dim_feedforward + d_model",
                ),
            ),
            "b1 is counted with D numbers, like b2.",
            "What is b1 added to: the inner layer or the output?",
        ),
        Mistake(
            "one-matrix",
            ((_WHOLE, "return attention + first + norms"),),
            "The feed-forward network's second layer is missing.",
            "What brings the inner layer back to D numbers?",
        ),
        Mistake(
            "without-norms-or-attention-biases",
            ((_WHOLE, "return attention + feed_forward"),),
            "4 D parameters are missing: either the two layer norms (a weight and a bias each), or the biases of the "
            "attention's four projections.",
            "What do `nn.LayerNorm(4).state_dict()` and `nn.Linear(4, 4).state_dict()` show?",
        ),
        Mistake(
            "one-norm",
            (("norms = 2 *", "norms = 1 *"),),
            "Only one layer norm is counted (or two that have no bias).",
            "How many layer norms has a layer, and what does each of them learn?",
        ),
        Mistake(
            "three-norms",
            (("norms = 2 *", "norms = 3 *"),),
            "Three layer norms are counted. The one after the last layer belongs to the stack.",
            "How many layer norms has one layer?",
        ),
        Mistake(
            "norm-with-one-number",
            (("2 * (d_model + d_model)  # t", "2 * 2  # t"),),
            "A layer norm is counted with one weight and one bias in all. It has one of each for every number of the vector.",
            "What does `nn.LayerNorm(4).state_dict()` show?",
        ),
        Mistake(
            "norm-of-the-inner-width",
            (("2 * (d_model + d_model)  # t", "2 * (d_model + dim_feedforward)  # t"),),
            "A layer norm is counted with F numbers. Both act on vectors of D.",
            "Which width do the vectors have that a layer norm gets?",
        ),
        Mistake(
            "network-only",
            ((_WHOLE, "return feed_forward"),),
            "Only the feed-forward network is counted.",
            "Which other parts of an encoder layer have parameters?",
        ),
        Mistake(
            "attention-forgotten",
            ((_WHOLE, "return feed_forward + norms"),),
            "The attention is not counted.",
            "Which parts of an encoder layer have parameters?",
        ),
        Mistake(
            "network-forgotten",
            ((_WHOLE, "return attention + norms"),),
            "The feed-forward network is not counted.",
            "Which parts of an encoder layer have parameters?",
        ),
        Mistake(
            "always-four-times",
            (("attention = 4", "dim_feedforward = 4 * d_model\n    attention = 4"),),
            "The inner width is taken to be 4 D, whatever dim_feedforward says.",
            "What should the count be for an inner width that is not 4 D?",
        ),
        Mistake(
            "divided",
            ((_WHOLE, "return (attention + feed_forward + norms) / 1"),),
            "The result is a float. A count is a whole number (`//` divides whole numbers, `/` gives a float).",
            "What is `type(4 / 2)`?",
        ),
        Mistake(
            "printed-not-returned",
            ((_WHOLE, "print(attention + feed_forward + norms)"),),
            "The count is printed and not returned.",
            "Which word hands a result to the caller?",
        ),
    ),
    hints=(
        "Go through a layer part by part: attention, the first linear map, the second, the layer norms. A linear map "
        "from m to n numbers has m · n weights and n biases.",
        "Attention: four maps from D to D, the heads together. Network: D to F, then F to D. Each of the two layer "
        "norms: a weight and a bias for each of D numbers.",
        "attention <- 4 maps from D to D\nnetwork   <- a map from D to F and one from F to D\nnorms     <- 2 times (D + D)\n"
        "return their sum",
        "4 * (d_model * d_model + d_model)   # the attention; dim_feedforward is in the network alone, nhead nowhere",
    ),
)


def _count(d_model: int, inner: int) -> int:
    return 4 * d_model * (d_model + 1) + 2 * d_model * inner + inner + d_model + 4 * d_model
