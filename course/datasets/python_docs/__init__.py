"""English prose from Python's documentation, frozen: how it is cleaned, split, packed and read."""
