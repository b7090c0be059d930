# Exercise: embeddings.lookup
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.lookup") runs it wherever the course needs it.
# ----------------------------------------
def lookup_index_select(weight, ids):
    return weight.index_select(0, ids.reshape(-1)).view(*ids.shape, -1)


lookup = lookup_index_select
