# Exercise: attention.split_heads
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.split_heads") runs it wherever the course needs it.
# ----------------------------------------
def split_heads_loop(x, nhead):
    batch, length, width = x.shape
    if width // nhead * nhead != width:
        raise ValueError("nhead")
    head = width // nhead
    out = x.new_zeros(batch, nhead, length, head)
    for h in range(nhead):
        out[:, h] = x[:, :, h * head : (h + 1) * head]
    return out


split_heads = split_heads_loop
