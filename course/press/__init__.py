"""Makes the notebooks, and the glossary, of what `content` holds."""
