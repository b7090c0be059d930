"""What chapter 09 measures, where it is more than a few lines."""
