"""Encoders by name, and what is put on top of them for a task."""
