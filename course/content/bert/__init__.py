"""Chapter 05: BERT."""
