"""Chapter 09: an encoder that sees and hears."""
