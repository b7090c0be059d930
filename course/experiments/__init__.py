"""Measurements that a chapter shows and that are too long to stand in it: tested, and small."""
