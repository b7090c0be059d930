"""An answer called on inputs in many ways, and what it gives, changes or raises."""
