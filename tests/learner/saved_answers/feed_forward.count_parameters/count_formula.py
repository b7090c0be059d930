# Exercise: feed_forward.count_parameters
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.count_parameters") runs it wherever the course needs it.
# ----------------------------------------
def count_formula(d_model, nhead, dim_feedforward):
    return (
        4 * d_model**2
        + 2 * d_model * dim_feedforward
        + 4 * d_model
        + dim_feedforward
        + d_model
        + 4 * d_model
    )


count_parameters = count_formula
