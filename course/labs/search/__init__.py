"""The search lab: a question, the best passages by meaning, and the best by words."""
