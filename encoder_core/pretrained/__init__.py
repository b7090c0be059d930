"""Weights that others trained: files, names, the hub, MiniLM."""
