"""Right answers to translation.additive_attention in other styles than the model solution's."""

RIGHT = ()
