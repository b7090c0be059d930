"""The position lab: what is added or turned to say where a token stands."""
