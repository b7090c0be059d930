# Exercise: attention.multi_head
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.multi_head") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


INF = float("inf")


def multi_head_library(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    batch, length, width = x.shape
    own = torch.zeros((), dtype=torch.bool, device=x.device) if mask is None else mask
    own = own.expand(batch, nhead, length, length)
    idle = own.all(-1, keepdim=True)  # the library gives NaN there: let them look, and take it away
    added = torch.zeros(own.shape, dtype=x.dtype, device=x.device).masked_fill(own & ~idle, -INF)
    outputs = []
    for h in range(nhead):  # one head at a time, so that each row of each head can be taken away
        rows = slice(h * width // nhead, (h + 1) * width // nhead)
        y = x.transpose(0, 1)
        three = [part[rows] for part in w_in.chunk(3)], [part[rows] for part in b_in.chunk(3)]
        query, key, value = (F.linear(y, w, b) for w, b in zip(*three, strict=True))
        eye = torch.eye(width // nhead, dtype=x.dtype, device=x.device)
        zero = torch.zeros(width // nhead, dtype=x.dtype, device=x.device)
        out, _ = F.multi_head_attention_forward(
            query, key, value, width // nhead, 1, eye.repeat(3, 1), zero.repeat(3), None, None,
            False, 0.0, eye, zero, training=False, need_weights=False, attn_mask=added[:, h],
        )  # fmt: skip
        outputs.append(out.transpose(0, 1).masked_fill(idle[:, h], 0.0))
    return F.linear(torch.cat(outputs, -1), w_out, b_out)


multi_head = multi_head_library
