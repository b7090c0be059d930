"""A training loop that can be stopped, resumed and shared by several devices."""
