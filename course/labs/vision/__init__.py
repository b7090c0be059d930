"""The vision lab: draw a digit; see its patches, the attention over them, and the answer."""
