"""Text and its pieces: words, a trained vocabulary, batches of ids."""
