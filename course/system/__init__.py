"""What concerns the machine: files written whole, threads, seconds and operations."""
