"""The embedding lab: words as points, their neighbours, and analogies that hold or don't."""
