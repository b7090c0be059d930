# Exercise: attention.padding_mask
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.padding_mask") runs it wherever the course needs it.
# ----------------------------------------
def padding_mask_cumulative(lengths, max_length):
    ones = lengths.new_ones(lengths.shape[0], max_length)
    return ones.cumsum(dim=1) > lengths.view(-1, 1)


padding_mask = padding_mask_cumulative
