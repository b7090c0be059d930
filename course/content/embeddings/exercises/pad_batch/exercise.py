"""embeddings.pad_batch: one tensor for texts of different lengths."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, Mistake, tags

_FILL_IDS = "ids[row, : len(sequence)] = torch.tensor(sequence, dtype=torch.int64)"
_FILL_MASK = "mask[row, : len(sequence)] = False"
_FULL = "torch.full((len(sequences), longest), pad_id, dtype=torch.int64)"
_RETURN = "    return ids, mask"


def _pad_cases(seed: int) -> list[Case]:
    def case(sequences: list[list[int]], pad_id: int, says: str, *names: str) -> Case:
        sizes = {"B": len(sequences), "S": max(map(len, sequences))}
        return Case((sequences, pad_id), says, sizes, tags(*names))

    return [
        case([[7], [8, 9]], 0, "two sequences"),
        case([[5, 6, 7], [8], [9, 4]], 1, "three sequences, pad_id 1", "a pad_id other than 0"),
        case([[3, 1], [4, 1, 5, 9]], 77, "pad_id 77", "a pad_id other than 0"),
        case([[5, 6, 7, 8, 9]], 2, "one sequence", "no padding"),
        case([[2, 3], [4, 5], [6, 7]], 9, "three sequences of one length", "no padding"),
        case([[], [6, 5]], 3, "an empty sequence first", "an empty sequence"),
        case([[4, 5, 6], [], [1]], 8, "an empty sequence between others", "an empty sequence"),
        case([[], []], 4, "nothing but empty sequences", "nothing but empty sequences"),
        case([[]], 4, "one empty sequence", "nothing but empty sequences"),
        case(
            [[9, 0, 5], [0], [6, 7, 8, 0, 0]],
            0,
            "texts that hold pad_id themselves",
            "texts that hold pad_id themselves",
        ),
        case([[3, 2, 2, 4], [2, 2]], 2, "pad_id within texts", "texts that hold pad_id themselves"),
        case([[70000, 2**40], [1, 2, 3]], 5, "large ids", "large ids"),
        case([[5, 1, 4, 2], [3, 9, 8], [7, 6], [1]], 11, "shorter and shorter"),
        case([[3, 4], list(range(2, 602))], 1, "a text of 600 tokens", "long texts"),
    ]


EXERCISE = Exercise(
    id="embeddings.pad_batch",
    signature="(sequences, pad_id)",
    minutes=15,
    difficulty=2,
    cases=_pad_cases,
    mistakes=(
        Mistake(
            "padding-on-the-left",
            (
                (
                    "ids[row, : len(sequence)] = torch",
                    "ids[row, longest - len(sequence) :] = torch",
                ),
                ("mask[row, : len(sequence)]", "mask[row, longest - len(sequence) :]"),
            ),
            "The padding is put on the left.",
            "Where does a shorter text begin: at place 0 or later?",
        ),
        Mistake(
            "ids-on-the-left",
            (
                (
                    "ids[row, : len(sequence)] = torch",
                    "ids[row, longest - len(sequence) :] = torch",
                ),
            ),
            "The ids are padded on the left, while the mask has its padding on the right.",
            "At which end of a row does the padding stand?",
        ),
        Mistake(
            "true-means-real",
            (
                (
                    "torch.ones(len(sequences), longest, dtype=torch.bool)",
                    "torch.zeros(len(sequences), longest, dtype=torch.bool)",
                ),
                (_FILL_MASK, "mask[row, : len(sequence)] = True"),
            ),
            "True stands at the real tokens. Here, as in torch.nn, True means padding. (Hugging Face's attention_mask says it the other way round).",
            "Which places should be blocked?",
        ),
        Mistake(
            "mask-from-the-ids",
            ((_RETURN, "    mask = ids == pad_id\n" + _RETURN),),
            "The mask is made from the ids: where a text holds pad_id itself, a real token is taken for padding.",
            "What tells padding from a token, if not its number?",
        ),
        Mistake(
            "mask-from-the-ids-turned-round",
            ((_RETURN, "    mask = ids != pad_id\n" + _RETURN),),
            "The mask is made from the ids, and True stands at the real tokens. True should mean padding, and a text may hold pad_id itself.",
            "What tells padding from a token, if not its number?",
        ),
        Mistake(
            "always-zero",
            ((_FULL, "torch.zeros((len(sequences), longest), dtype=torch.int64)"),),
            "It pads with 0, whatever pad_id says.",
            "Which value should stand at the padding?",
        ),
        Mistake(
            "minus-one",
            ((_FULL, "torch.full((len(sequences), longest), -1, dtype=torch.int64)"),),
            "It pads with -1, whatever pad_id says.",
            "Which value should stand at the padding?",
        ),
        Mistake(
            "cut-to-the-shortest",
            (
                ("longest = max(", "longest = min("),
                ("torch.tensor(sequence,", "torch.tensor(sequence[:longest],"),
            ),
            "All sequences are cut to the shortest: tokens are lost.",
            "How wide must the batch be so that nothing is lost?",
        ),
        Mistake(
            "as-wide-as-the-first",
            (
                ("max(len(sequence) for sequence in sequences)", "len(sequences[0])"),
                ("torch.tensor(sequence,", "torch.tensor(sequence[:longest],"),
            ),
            "The batch is as wide as the first sequence, whatever the others are.",
            "How wide must the batch be so that nothing is lost?",
        ),
        Mistake(
            "largest-instead-of-longest",
            (("max(len(sequence) for sequence in sequences)", "len(max(sequences))"),),
            "`max(sequences)` compares lists number by number, so that [9] is larger than [5, 6]: it doesn't find the longest.",
            "What does max([[9], [5, 6]]) give?",
        ),
        Mistake(
            "one-column-too-many",
            (
                (
                    "longest = max(len(sequence) for sequence in sequences)",
                    "longest = max(len(sequence) for sequence in sequences) + 1",
                ),
            ),
            "There is a column too many: even the longest sequence is padded.",
            "How many places does the longest sequence need?",
        ),
        Mistake(
            "one-place-off",
            ((_FILL_MASK, "mask[row, : len(sequence) + 1] = False"),),
            "The first padding place of each sequence is taken for a token.",
            "Which places does a sequence of length 2 fill?",
        ),
        Mistake(
            "last-token-blocked",
            ((_FILL_MASK, "mask[row, : max(len(sequence) - 1, 0)] = False"),),
            "The last token of each sequence is taken for padding.",
            "Which places does a sequence of length 2 fill?",
        ),
        Mistake(
            "cut-off",
            (
                (
                    "longest = max(len(sequence) for sequence in sequences)",
                    "longest = min(max(len(sequence) for sequence in sequences), 512)",
                ),
                ("torch.tensor(sequence,", "torch.tensor(sequence[:longest],"),
            ),
            "Long texts are cut off at a length that stands in the code. What a model can take is not this function's affair.",
            "How many ids of a text of 600 should come back?",
        ),
        Mistake(
            "longest-blocked-whole",
            (
                (
                    "torch.ones(len(sequences), longest, dtype=torch.bool)",
                    "torch.zeros(len(sequences), longest, dtype=torch.bool)",
                ),
                (_FILL_MASK, "mask[row, len(sequence) - longest :] = True"),
            ),
            "The longest sequence is masked as a whole: a slice that should begin at -0 begins at 0.",
            "How many places does mask[row, -2:] name, and how many mask[row, -0:]?",
        ),
        Mistake(
            "floating-when-empty",
            (
                (
                    _RETURN,
                    "    return (ids, mask) if longest else (ids.float(), mask.float())",
                ),
            ),
            "Where all sequences are empty, the results are float32: `torch.tensor([])` has no number that would tell its dtype.",
            "Which argument of torch.tensor says the dtype?",
        ),
        Mistake(
            "floating-when-the-first-is-empty",
            ((_RETURN, "    return ids if sequences[0] else ids.float(), mask"),),
            "Where the first sequence is empty, the ids are float32: `torch.tensor([])` has no number that would tell its dtype.",
            "Which argument of torch.tensor says the dtype?",
        ),
        Mistake(
            "floating-ids",
            (
                ("pad_id, dtype=torch.int64)", "float(pad_id))"),
                (
                    "torch.tensor(sequence, dtype=torch.int64)",
                    "torch.tensor(sequence, dtype=torch.float32)",
                ),
            ),
            "The ids are floating numbers (torch.zeros and torch.ones make those). A table takes whole ones.",
            "Which dtype does the exercise name?",
        ),
        Mistake(
            "int32",
            (("torch.int64", "torch.int32"),),
            "The ids are int32: large numbers don't fit.",
            "Which dtype does the exercise name?",
        ),
        Mistake(
            "mask-of-numbers",
            ((_RETURN, "    return ids, mask.long()"),),
            "The mask holds 0 and 1 and not booleans.",
            "Which dtype does the exercise name for the mask?",
        ),
        Mistake(
            "one-means-real",
            ((_RETURN, "    return ids, (~mask).long()"),),
            "The mask holds 1 at real tokens and 0 at padding, as Hugging Face's attention_mask does. Asked are booleans, True at padding.",
            "Which dtype does the exercise name for the mask, and what does True mean?",
        ),
        Mistake(
            "mask-of-floats",
            ((_RETURN, "    return ids, mask.float()"),),
            "The mask holds floating 0 and 1 and not booleans.",
            "Which dtype does the exercise name for the mask?",
        ),
        Mistake(
            "additive-mask",
            (
                (
                    _RETURN,
                    '    return ids, torch.zeros(mask.shape).masked_fill(mask, float("-inf"))',
                ),
            ),
            "This is an additive mask of 0 and -inf. Asked is the boolean one.",
            "Which dtype does the exercise name for the mask?",
        ),
        Mistake(
            "axes-for-attention",
            ((_RETURN, "    return ids, mask[:, None, None, :]"),),
            "The mask has the axes (B, 1, 1, S), ready for attention. Asked is (B, S).",
            "Which shape does the exercise name?",
        ),
        Mistake(
            "sequence-first",
            ((_RETURN, "    return ids.T, mask.T"),),
            "The axes are exchanged: (S, B), as `pad_sequence` gives without batch_first=True.",
            "What should a row of the result belong to?",
        ),
        Mistake(
            "mask-forgotten",
            ((_RETURN, "    return ids"),),
            "Only the ids come back.",
            "How many results are asked for?",
        ),
        Mistake(
            "mask-first",
            ((_RETURN, "    return mask, ids"),),
            "The two results are exchanged.",
            "Which of the two does the signature name first?",
        ),
        Mistake(
            "no-mask-in-truth",
            ((_FILL_MASK, "mask[row] = False"),),
            "The mask is False everywhere.",
            "Which places hold no token?",
        ),
        Mistake(
            "lists",
            ((_RETURN, "    return ids.tolist(), mask.tolist()"),),
            "The results are lists and not tensors.",
            "Which type does the signature promise?",
        ),
        Mistake(
            "empty-ones-dropped",
            (
                (
                    "    longest =",
                    "    sequences = [sequence for sequence in sequences if sequence] or [[]]\n    longest =",
                ),
            ),
            "Empty sequences are dropped: the batch has fewer rows than there are sequences.",
            "Which row belongs to the third sequence?",
        ),
        Mistake(
            "sorted-by-length",
            (
                (
                    "    longest =",
                    "    sequences = sorted(sequences, key=len, reverse=True)\n    longest =",
                ),
            ),
            "The sequences are sorted by length, so that row i no longer belongs to sequence i.",
            "How would somebody find the result of the third sequence?",
        ),
        Mistake(
            "changes-its-input",
            (
                (
                    "    longest = max(len(sequence) for sequence in sequences)\n",
                    "    longest = max(len(sequence) for sequence in sequences)\n    lengths = [len(sequence) for sequence in sequences]\n    for sequence in sequences:\n        sequence.extend([pad_id] * (longest - len(sequence)))\n",
                ),
                (_FILL_MASK, "mask[row, : lengths[row]] = False"),
            ),
            "It makes the caller's own lists longer (`extend`, `append` and += do).",
            "What does the caller find in sequences after the call?",
        ),
        Mistake(
            "changes-its-input-and-loses-the-lengths",
            (
                (
                    "    longest = max(len(sequence) for sequence in sequences)\n",
                    "    longest = max(len(sequence) for sequence in sequences)\n    for sequence in sequences:\n        sequence += [pad_id] * (longest - len(sequence))\n",
                ),
            ),
            "It makes the caller's own lists longer, and afterwards all have the same length: nothing is left that could be masked.",
            "What is len(sequence) after the padding has been added to it?",
        ),
    ),
    hints=(
        "Make the full tensors first, all padding, and write each sequence over the beginning of its row.",
        "ids (B, S) int64 and mask (B, S) bool, with B = len(sequences) and S the longest length, which may be 0.",
        "ids <- (B, S) full of pad_id;  mask <- (B, S) full of True\nfor each row with its sequence:\n    the first len(sequence) places of ids <- the sequence, of mask <- False",
        "ids[row, : len(sequence)] = torch.tensor(sequence, dtype=torch.int64)",
    ),
    axes=(("B", "S"), ("B", "S")),
    results=("ids", "mask"),
)
