# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
def best_match_index_of_max(question, passages):
    q = question / question.norm() if question.norm() > 0 else question
    sims = []
    for row in passages:
        n = row.norm()
        sims.append((row @ q / n).item() if n > 0 else 0.0)
    return sims.index(max(sims))


best_match = best_match_index_of_max
