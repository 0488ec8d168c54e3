"""What the gates put on the work list."""
