"""What is wrong with an answer, in words and pictures."""
