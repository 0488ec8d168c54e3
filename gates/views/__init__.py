"""Pages of the gates."""
