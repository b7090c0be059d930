"""The tokenizer lab: a text cut into tokens, at any size of the vocabulary."""
