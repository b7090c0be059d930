"""attention.merge_heads: joining the heads again."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, Mistake, tags
from course.checking.exercise.draw import Draw


def _merge_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, batch: int, nhead: int, length: int, d_head: int, *names: str) -> Case:
        sizes = {"B": batch, "S": length, "H": nhead, "Dh": d_head}
        return Case((draw.normal(batch, nhead, length, d_head),), says, sizes, tags(*names))

    return [
        case("1 sequence, 2 heads, 2 tokens, width 3", 1, 2, 2, 3),
        case("2 sequences, 3 heads, 5 tokens, width 4", 2, 3, 5, 4),
        case("3 sequences, one head, 4 tokens, width 6", 3, 1, 4, 6, "a single head"),
        case("2 sequences, 5 heads, 3 tokens, width 1", 2, 5, 3, 1, "heads of width 1"),
        case("1 sequence, 12 heads, 7 tokens, width 32", 1, 12, 7, 32, "the chapter's example"),
        case("2 sequences, 4 heads, 4 tokens, width 4", 2, 4, 4, 4, "as many heads as tokens"),
        case("2 sequences, 3 heads, one token, width 2", 2, 3, 1, 2, "a single token"),
    ]


_JOINED = "x.reshape(batch, length, nhead * d_head)"

EXERCISE = Exercise(
    id="attention.merge_heads",
    signature="(x)",
    minutes=10,
    difficulty=2,
    cases=_merge_cases,
    mistakes=(
        Mistake(
            "not-transposed",
            (("x = x.transpose(1, 2)", "x = x"),),
            "The heads are joined without moving them behind the tokens first: one row then holds numbers of several tokens.",
            "Which two axes have to be neighbours before they can be joined?",
        ),
        Mistake(
            "view-of-a-transposed-tensor",
            (("x.reshape(batch", "x.view(batch"),),
            "`view` cannot join axes that a transpose has moved: the numbers no longer lie in that order in memory.",
            "Which method copies where it must?",
        ),
        Mistake(
            "interleaved",
            (("x.transpose(1, 2)", "x.permute(0, 2, 3, 1)"),),
            "The heads' numbers are woven into one another: the width stands before the heads when they are joined.",
            "Should column 1 of the result come from head 0 or from head 1?",
        ),
        Mistake(
            "mean-of-the-heads",
            (("x = x.transpose(1, 2)", "x = x.mean(dim=1)"), ("return " + _JOINED, "return x")),
            "The heads are averaged. Their outputs stand side by side in the result.",
            "How wide should the result be?",
        ),
        Mistake(
            "sum-of-the-heads",
            (("x = x.transpose(1, 2)", "x = x.sum(dim=1)"), ("return " + _JOINED, "return x")),
            "The heads are summed. Their outputs stand side by side in the result.",
            "How wide should the result be?",
        ),
        Mistake(
            "first-head-only",
            (("x = x.transpose(1, 2)", "x = x[:, 0]"), ("return " + _JOINED, "return x")),
            "Only one head is kept.",
            "How wide should the result be?",
        ),
        Mistake(
            "still-four-axes",
            (("return " + _JOINED, "return x"),),
            "The heads are moved and not joined: (B, S, H, Dh).",
            "Which two axes become one?",
        ),
        Mistake(
            "tokens-joined-too",
            ((_JOINED, "x.reshape(batch, length * nhead * d_head)"),),
            "The tokens are joined as well: one long row for each sequence.",
            "Which axes should stay?",
        ),
        Mistake(
            "heads-behind-one-another",
            (
                ("x = x.transpose(1, 2)", "x = torch.cat(x.unbind(1), dim=1)"),
                ("return " + _JOINED, "return x"),
            ),
            "The heads are put behind one another along the tokens and not side by side.",
            "Along which axis is the result wider than one head?",
        ),
        Mistake(
            "turned",
            ((_JOINED, _JOINED + ".transpose(1, 2)"),),
            "Tokens and width are exchanged: (B, D, S).",
            "Which axis stands last in (B, S, D)?",
        ),
        Mistake(
            "width-moved",
            (("x.transpose(1, 2)", "x.transpose(1, 3)"),),
            "The width and not the tokens was brought to the front: axes 1 and 3 are exchanged.",
            "In (B, H, S, Dh), which index is S?",
        ),
        Mistake(
            "batch-second",
            (
                ("x = x.transpose(1, 2)", "x = x.permute(2, 0, 1, 3)"),
                (_JOINED, "x.reshape(length, batch, nhead * d_head)"),
            ),
            "The tokens stand before the batch: (S, B, D).",
            "Which axis stands first in (B, S, D)?",
        ),
        Mistake(
            "merged-without-moving-by-flatten",
            (("x = x.transpose(1, 2)", "x = x.flatten(2)"), ("return " + _JOINED, "return x")),
            "Tokens and width are joined and not heads and width: (B, H, S * Dh).",
            "Which two axes must be neighbours before `flatten` joins them?",
        ),
        Mistake(
            "mean-of-the-heads-repeated",
            (
                (
                    "x = x.transpose(1, 2)",
                    "x = x.mean(dim=1, keepdim=True).expand_as(x).transpose(1, 2)",
                ),
            ),
            "The heads are averaged, and the mean stands in the place of every head.",
            "Should two heads' outputs be told apart in the result?",
        ),
        Mistake(
            "heads-in-reverse",
            (("x = x.transpose(1, 2)", "x = x.flip(1).transpose(1, 2)"),),
            "The heads are in reverse order.",
            "Which head's numbers come first in a row?",
        ),
    ),
    hints=(
        "Undo split_heads, its last step first.",
        "(B, H, S, Dh) -> (B, S, H, Dh) -> (B, S, D). Heads and width must be neighbours before they are joined.",
        "x <- x with axes 1 and 2 exchanged\nreturn x reshaped to (B, S, H * Dh)",
        "x.transpose(1, 2).reshape(batch, length, nhead * d_head)",
    ),
    axes=(("B", "S", "D"),),
)
