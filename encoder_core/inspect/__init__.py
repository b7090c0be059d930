"""Look inside of a model while it runs, change what it computes, and count what that costs."""
