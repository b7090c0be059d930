# Exercise: attention.multi_head
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.multi_head") runs it wherever the course needs it.
# ----------------------------------------
import torch


INF = float("inf")


def multi_head_baddbmm(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    batch, length, width = x.shape
    projected = torch.addmm(b_in, x.reshape(batch * length, width), w_in.t())
    parts = projected.view(batch, length, 3, nhead, width // nhead).permute(2, 0, 3, 1, 4)
    query, key, value = parts.reshape(3, batch * nhead, length, -1)
    bias = torch.zeros(batch, nhead, length, length, dtype=x.dtype, device=x.device)
    if mask is not None:
        bias = bias.masked_fill(mask, -INF)
    bias = bias.view(batch * nhead, length, length)
    raw = torch.baddbmm(bias, query, key.mT, alpha=(width // nhead) ** -0.5)
    output = torch.bmm(torch.softmax(raw, -1).nan_to_num(0.0), value)
    joined = output.view(batch, nhead, length, -1).permute(0, 2, 1, 3).reshape(x.shape)
    return torch.add(joined @ w_out.t(), b_out)


multi_head = multi_head_baddbmm
