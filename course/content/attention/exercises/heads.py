"""What sizes of heads make a case special, in the words of the report."""

OF_HEADS = {
    "a single head": "H = 1",
    "a single token": "S = 1",
    "heads of width 1": "Dh = 1",
    "the chapter's example": "H = 12; Dh = 32",
    "as many sequences as heads": "B = H; B > 2",
    "as many heads as tokens": "H = S; H > 2",
}
