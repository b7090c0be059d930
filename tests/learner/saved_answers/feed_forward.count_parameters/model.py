# Exercise: feed_forward.count_parameters
# Passed:   2026-11-29T06:54:34Z
# Course:   0.1.0
# Your own answer: use("feed_forward.count_parameters") runs it wherever the course needs it.
# ----------------------------------------
def count_parameters(d_model: int, nhead: int, dim_feedforward: int) -> int:
    """Parameters of one encoder layer, with all biases and two layer norms."""
    attention = 4 * (d_model * d_model + d_model)  # query, key, value, output
    first = d_model * dim_feedforward + dim_feedforward
    second = dim_feedforward * d_model + d_model
    feed_forward = first + second
    norms = 2 * (d_model + d_model)  # two layer norms, each with a weight and a bias
    return attention + feed_forward + norms
