# Exercise: feed_forward.ffn
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.ffn") runs it wherever the course needs it.
# ----------------------------------------
def ffn_neurons(x, w1, b1, w2, b2):
    total = b2.expand_as(x)
    for key, bias, value in zip(w1.unbind(1), b1, w2, strict=True):  # one neuron after the other
        answer = ((x * key).sum(-1, keepdim=True) + bias).clamp(min=0)
        total = total + answer * value
    return total


ffn = ffn_neurons
