"""Right answers to generation.cross_attention in other styles than the model solution's."""


def cross_attention_in_another_style(x):
    return x


RIGHT = (cross_attention_in_another_style,)
