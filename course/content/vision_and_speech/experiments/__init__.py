"""What the chapter trains and measures."""
