# Exercise: attention.split_heads
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.split_heads") runs it wherever the course needs it.
# ----------------------------------------
def split_heads_movedim(x, nhead):
    b, s, d = x.shape
    if d % nhead:
        raise ValueError(f"cannot split {d} into {nhead} heads")
    return x.reshape(b, s, nhead, d // nhead).movedim(2, 1)


split_heads = split_heads_movedim
