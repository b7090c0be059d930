"""The surgery table: cut a head, a sublayer, a neuron or a token out, and see what the answer loses."""
