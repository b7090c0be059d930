"""Right answers in other styles than the model solutions', one module a chapter."""
