"""The decoding lab: one next-token distribution, what each rule cuts away from it, and the beams as a tree."""
