"""Chapter 08: machine translation."""
