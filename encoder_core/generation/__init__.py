"""Output token by token: greedy, beam and nucleus; and how near it is to a reference."""
