"""The readers of handwritten digits: a Vision Transformer, and what it is compared with."""
