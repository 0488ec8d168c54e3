"""Statistics of drift: one file each."""
