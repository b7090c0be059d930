# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
def best_match_max(question, passages):
    lengths = passages.norm(dim=1, keepdim=True)
    rows = passages / lengths.masked_fill(lengths == 0, 1)
    return int((question * rows).sum(dim=1).max(dim=0).indices)


best_match = best_match_max
