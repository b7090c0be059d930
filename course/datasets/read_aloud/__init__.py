"""A few sentences that a person read aloud."""
