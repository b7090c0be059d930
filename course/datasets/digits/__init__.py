"""Handwritten digits, as scikit-learn carries them."""
