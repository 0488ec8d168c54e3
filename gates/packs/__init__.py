"""What leaves Tollgate as a file of its own: decision packs, minutes, calendar entries."""
