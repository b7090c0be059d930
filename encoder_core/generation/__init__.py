"""Output token by token: greedy, beam and nucleus."""
