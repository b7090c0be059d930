"""What chapter 05 measures: hidden words of Python's documentation, and what guesses them."""
