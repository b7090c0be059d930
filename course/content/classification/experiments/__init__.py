"""What chapter 06 measures: vectors of the docstrings, classifiers on top, words left out."""
