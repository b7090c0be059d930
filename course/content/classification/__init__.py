"""Chapter 06: classifying texts."""
