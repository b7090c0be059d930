# Exercise: attention.split_heads
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.split_heads") runs it wherever the course needs it.
# ----------------------------------------
def split_heads_view(x, nhead):
    if x.size(-1) % nhead:
        raise ValueError("no multiple")
    return x.view(x.size(0), x.size(1), nhead, -1).permute(0, 2, 1, 3)


split_heads = split_heads_view
