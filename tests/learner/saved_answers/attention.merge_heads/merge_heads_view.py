# Exercise: attention.merge_heads
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.merge_heads") runs it wherever the course needs it.
# ----------------------------------------
def merge_heads_view(x):
    b, h, s, d = x.shape
    return x.permute(0, 2, 1, 3).contiguous().view(b, s, h * d)


merge_heads = merge_heads_view
