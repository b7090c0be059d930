# Exercise: attention.merge_heads
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.merge_heads") runs it wherever the course needs it.
# ----------------------------------------
def merge_heads_flatten(x):
    return x.transpose(1, 2).flatten(2)


merge_heads = merge_heads_flatten
