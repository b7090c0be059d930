"""Chapter 07: generating text."""
