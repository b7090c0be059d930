# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
import math


def best_match_loop(question, passages):
    best, place = -math.inf, 0
    for i, passage in enumerate(passages):
        length = passage.norm() * question.norm()
        similarity = float(passage @ question / length) if length > 0 else 0.0
        if similarity > best:
            best, place = similarity, i
    return place


best_match = best_match_loop
