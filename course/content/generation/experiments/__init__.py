"""What chapter 07 measures, where it is more than a few lines."""
