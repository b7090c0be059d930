"""Look inside of a model while it runs, and change what it computes."""
