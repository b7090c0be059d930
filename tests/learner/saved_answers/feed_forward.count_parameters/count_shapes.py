# Exercise: feed_forward.count_parameters
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.count_parameters") runs it wherever the course needs it.
# ----------------------------------------
import math


def count_shapes(d_model, nhead, dim_feedforward):
    d, f = d_model, dim_feedforward
    shapes = [
        (3 * d, d),
        (3 * d,),
        (d, d),
        (d,),
        (f, d),
        (f,),
        (d, f),
        (d,),
        (d,),
        (d,),
        (d,),
        (d,),
    ]
    return sum(math.prod(shape) for shape in shapes)


count_parameters = count_shapes
