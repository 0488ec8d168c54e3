"""What the search finds of gates."""
