"""The cost lab: what an encoder costs, part by part, predicted at every key press and measured on request."""
