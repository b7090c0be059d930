# Exercise: attention.scores
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.scores") runs it wherever the course needs it.
# ----------------------------------------
def scores_scaled_query(query, key):
    return (query * query.shape[-1] ** -0.5) @ key.mT


scores = scores_scaled_query
