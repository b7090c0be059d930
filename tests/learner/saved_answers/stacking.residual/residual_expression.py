# Exercise: stacking.residual
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.residual") runs it wherever the course needs it.
# ----------------------------------------
def residual_expression(x, sublayer, norm, norm_first):
    return x + sublayer(norm(x)) if norm_first else norm(x + sublayer(x))


residual = residual_expression
