# Exercise: attention.split_heads
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.split_heads") runs it wherever the course needs it.
# ----------------------------------------
def split_heads_unflatten(x, nhead):
    width, rest = divmod(x.shape[-1], nhead)
    if rest:
        raise ValueError(f"{rest} columns left over")
    return x.unflatten(-1, (nhead, width)).transpose(-2, -3).contiguous()


split_heads = split_heads_unflatten
