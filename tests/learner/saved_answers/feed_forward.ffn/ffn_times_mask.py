# Exercise: feed_forward.ffn
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.ffn") runs it wherever the course needs it.
# ----------------------------------------
def ffn_times_mask(x, w1, b1, w2, b2):
    inner = x @ w1 + b1
    return (inner * (inner > 0)) @ w2 + b2


ffn = ffn_times_mask
