# Exercise: stacking.residual
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.residual") runs it wherever the course needs it.
# ----------------------------------------
def residual_match(x, sublayer, norm, norm_first):
    match bool(norm_first):
        case True:
            return sublayer(norm(x)).add(x)
        case _:
            return norm(sublayer(x).add(x))


residual = residual_match
