# Exercise: attention.entropy
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.entropy") runs it wherever the course needs it.
# ----------------------------------------
def entropy_nansum(weights):
    return -(weights * weights.log()).nansum(-1)


entropy = entropy_nansum
