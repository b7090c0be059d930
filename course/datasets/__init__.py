"""What the chapters search and train on: what Python packages carry, and larger public sets."""
