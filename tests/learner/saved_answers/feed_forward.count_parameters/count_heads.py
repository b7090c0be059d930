# Exercise: feed_forward.count_parameters
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.count_parameters") runs it wherever the course needs it.
# ----------------------------------------
def count_heads(d_model, nhead, dim_feedforward):
    width = d_model // nhead
    one_head = 3 * (d_model * width + width)
    output = d_model * d_model + d_model
    network = dim_feedforward * (d_model + 1) + d_model * (dim_feedforward + 1)
    return nhead * one_head + output + network + 2 * 2 * d_model


count_parameters = count_heads
