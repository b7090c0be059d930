"""The speech lab: a recording, what an encoder with a CTC head reads in it, and what changes that."""
