"""What chapter 02 measures, where it is more than a few lines."""
