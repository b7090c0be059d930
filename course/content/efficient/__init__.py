"""Chapter 10: an encoder that is fast, and one that is large."""
