"""What people give to governance, as forms; each says which right it takes and which service it calls."""
