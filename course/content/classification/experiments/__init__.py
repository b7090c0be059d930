"""What chapter 06 measures: classifiers of docstrings, from word counts to a tuned MiniLM."""
